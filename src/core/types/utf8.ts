/** Up to this size, in bytes, a loop is at least as fast as TextDecoder. */
const SHORT_BYTES = 32;
let encoder: TextEncoder | undefined;
let decoder: TextDecoder | undefined;

/** Made at its first use: where tests run in jsdom, TextEncoder may be added after the import of this module. */
export function utf8Encoder(): TextEncoder {
  encoder ??= new TextEncoder();
  return encoder;
}

/** Decodes bytes [at, at + size). Returns undefined when they are not valid UTF-8. A byte order mark is kept. */
export function readUtf8(bytes: Uint8Array, at: number, size: number): string | undefined {
  if (size <= SHORT_BYTES) {
    const text = readShortAscii(bytes, at, at + size);
    if (text !== undefined) return text;
  }
  decoder ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(new Uint8Array(bytes.buffer, bytes.byteOffset + at, size));
  } catch {
    return undefined;
  }
}

function readShortAscii(b: Uint8Array, start: number, end: number): string | undefined {
  let bits = 0;
  for (let i = start; i < end; i++) bits |= octet(b, i);
  if (bits > 0x7f) return undefined;
  let text = "";
  let i = start;
  for (; i + 8 <= end; i += 8) {
    text += String.fromCharCode(
      octet(b, i),
      octet(b, i + 1),
      octet(b, i + 2),
      octet(b, i + 3),
      octet(b, i + 4),
      octet(b, i + 5),
      octet(b, i + 6),
      octet(b, i + 7),
    );
  }
  for (; i < end; i++) text += String.fromCharCode(octet(b, i));
  return text;
}

function octet(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}
