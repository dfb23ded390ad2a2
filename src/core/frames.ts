import { concat } from "./bytes.js";
import { ProtocolError } from "./errors.js";

/** The frame header's own bytes: size, data offset, type, channel (transport 2.3.1). */
const HEADER_BYTES = 8;

/** Takes one whole frame: bytes [at, end), header included. False stops: the connection is over. */
export type OnFrame = (bytes: Uint8Array, at: number, end: number) => boolean;

/**
 * Cuts a byte stream into frames. A size is believed only if it is at least a header's and at most what we announced;
 * a frame that comes in pieces is put together once, when its last byte is there.
 */
export class FrameSplitter {
  readonly #maxFrameBytes: number;
  readonly #onFrame: OnFrame;
  #pieces: Uint8Array[] = [];
  #have = 0;
  #need = 0;

  constructor(maxFrameBytes: number, onFrame: OnFrame) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#onFrame = onFrame;
  }

  /** Throws ProtocolError for a size that cannot be. */
  receive(bytes: Uint8Array): void {
    let at = 0;
    while (this.#have > 0) {
      const missing = this.#need - this.#have;
      if (bytes.length - at < missing) return this.#keep(bytes, at, this.#need);
      const pieces = [...this.#pieces, bytes.subarray(at, at + missing)];
      at += missing;
      this.#pieces = [];
      this.#have = 0;
      if (!this.#split(concat(pieces, this.#need), 0)) return;
    }
    this.#split(bytes, at);
  }

  #split(bytes: Uint8Array, start: number): boolean {
    const end = bytes.length;
    let at = start;
    while (at < end) {
      const size = end - at < 4 ? undefined : this.#frameSize(bytes, at);
      if (size === undefined || end - at < size) {
        this.#keep(bytes, at, size ?? 4);
        return true;
      }
      if (!this.#onFrame(bytes, at, at + size)) return false;
      at += size;
    }
    return true;
  }

  /** The rest of `bytes` waits for more, until there are `need` bytes. */
  #keep(bytes: Uint8Array, at: number, need: number): void {
    if (at === bytes.length) return;
    this.#pieces.push(bytes.subarray(at));
    this.#have += bytes.length - at;
    this.#need = need;
  }

  #frameSize(bytes: Uint8Array, at: number): number {
    const size = readUint32(bytes, at);
    if (size >= HEADER_BYTES && size <= this.#maxFrameBytes) return size;
    throw new ProtocolError(
      `frame of ${size} bytes; at least ${HEADER_BYTES} and at most ${this.#maxFrameBytes} were expected`,
      "amqp:connection:framing-error",
    );
  }
}

/** What of a frame says where it belongs. */
export interface FrameHead {
  channel: number;
  /** The performative's descriptor when it is a small number, as all but the strangest peers write it; -1 otherwise. */
  code: number;
  /** Where the performative starts; equal to the frame's end in an empty frame, a heartbeat. */
  body: number;
}

/** Reads the head of an AMQP frame into `into`. */
export function readFrameHead(bytes: Uint8Array, at: number, end: number, into: FrameHead): void {
  const body = at + (bytes[at + 4] ?? 0) * 4;
  if (body < at + HEADER_BYTES || body > end) {
    throw new ProtocolError(`frame with a data offset of ${bytes[at + 4]} words`, "amqp:connection:framing-error");
  }
  if (bytes[at + 5] !== 0) {
    throw new ProtocolError(`frame of type ${bytes[at + 5]}, not AMQP`, "amqp:connection:framing-error");
  }
  into.channel = ((bytes[at + 6] ?? 0) << 8) | (bytes[at + 7] ?? 0);
  into.body = body;
  into.code = body + 2 < end && bytes[body] === 0 && bytes[body + 1] === 0x53 ? (bytes[body + 2] ?? -1) : -1;
}

function readUint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return ((high << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}
