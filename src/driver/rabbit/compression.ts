import { toError } from "../../core/errors.js";
import { MessagingException } from "../exceptions.js";

/**
 * Name of the only compression that is supported, in the header `compression`. It is kombu's `gzip`, whose bodies are zlib
 * streams in spite of the name.
 */
export const GZIP = "application/x-gzip";

/** The body of a message with the header `compression: application/x-gzip`. */
export function compress(body: Uint8Array): Promise<Uint8Array> {
  return through(new CompressionStream("deflate"), body, Number.POSITIVE_INFINITY);
}

/**
 * The body of a received message without its compression. The body is untrusted input: memory is bounded by `maxBytes`.
 *
 * @throws MessagingException for an unknown compression, a body that is not a zlib stream, and a result that is too large.
 */
export async function decompress(body: Uint8Array, compression: string, maxBytes: number): Promise<Uint8Array> {
  if (compression !== GZIP) {
    const given = JSON.stringify(compression.slice(0, LONGEST_NAME));
    throw new MessagingException(`The compression ${given} is not supported, only ${GZIP}`);
  }
  try {
    return await through(new DecompressionStream("deflate"), body, maxBytes);
  } catch (thrown) {
    if (thrown instanceof MessagingException) throw thrown;
    throw new MessagingException(`The body cannot be decompressed: ${toError(thrown).message}`);
  }
}

/** Longest name of a compression in an error. */
const LONGEST_NAME = 40;

/**
 * Bytes that are written at once. Some runtimes transform a whole piece before the result is read: a piece of zeros is a
 * thousand times as large then.
 */
const PIECE_BYTES = 8_192;

async function through(
  { readable, writable }: CompressionStream | DecompressionStream,
  body: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  const reader = readable.getReader();
  const writing = write(writable.getWriter(), body);
  // The reader fails for the same reason.
  writing.catch(() => {});
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(pieces, size);
    size += value.length;
    if (size > maxBytes) {
      const error = new MessagingException(`The decompressed body exceeds the limit of ${maxBytes} bytes`);
      reader.cancel(error).catch(() => {});
      throw error;
    }
    pieces.push(value);
  }
}

async function write(writer: WritableStreamDefaultWriter<BufferSource>, body: Uint8Array): Promise<void> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    await writer.write(body.slice(at, at + PIECE_BYTES));
  }
  await writer.close();
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
