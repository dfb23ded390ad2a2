import { readUtf8 } from "../core/types/utf8.js";
import type { Amqp091Error } from "./errors.js";
import { SYNTAX_ERROR } from "./reply-codes.js";
import { violation } from "./violation.js";

/**
 * Reads the fields of a frame's payload, bytes [at, end) of `bytes`. Every length is checked against the remaining bytes
 * before it is used. Text that is not valid UTF-8 is read with replacement characters: RabbitMQ forwards any bytes in
 * routing keys and properties, and a message must not end the connection of its consumer.
 *
 * @throws Amqp091Error from all methods, for truncated input.
 */
export class Reader {
  bytes: Uint8Array;
  at: number;
  end: number;
  /** Values read from field tables and arrays. */
  values = 0;

  constructor(bytes: Uint8Array = new Uint8Array(0), at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  reset(bytes: Uint8Array, at: number, end: number): this {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.values = 0;
    return this;
  }

  octet(): number {
    return this.bytes[this.skip(1)] as number;
  }

  short(): number {
    const at = this.skip(2);
    return ((this.bytes[at] as number) << 8) | (this.bytes[at + 1] as number);
  }

  long(): number {
    const at = this.skip(4);
    const { bytes } = this;
    const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
    return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
  }

  /** @throws Amqp091Error also for an integer above 2^53-1. */
  longlong(): number {
    const value = this.long() * 0x1_0000_0000 + this.long();
    if (!Number.isSafeInteger(value)) throw this.error(`integer above 2^53: ${value}`);
    return value;
  }

  shortstr(): string {
    return this.text(this.octet());
  }

  /** A view of `bytes`, not a copy. */
  longstr(): Uint8Array {
    return this.view(this.long());
  }

  text(size: number): string {
    const at = this.skip(size);
    return readText(this.bytes, at, size);
  }

  /** A view of `bytes`, not a copy. */
  view(size: number): Uint8Array {
    const at = this.skip(size);
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + at, size);
  }

  /** Skips `size` bytes and returns the position of the first one. */
  skip(size: number): number {
    const { at } = this;
    if (size > this.end - at) throw this.error(`${size} bytes needed, ${this.end - at} left`);
    this.at = at + size;
    return at;
  }

  /** Checks that all bytes are read. */
  finish(): void {
    if (this.at !== this.end) throw this.error(`${this.end - this.at} extra bytes`);
  }

  error(problem: string): Amqp091Error {
    return violation(SYNTAX_ERROR, `SYNTAX_ERROR - ${problem}`);
  }
}

/** Decodes bytes [at, at + size), with replacement characters for invalid UTF-8. */
export function readText(bytes: Uint8Array, at: number, size: number): string {
  return readUtf8(bytes, at, size) ?? lenient().decode(bytes.subarray(at, at + size));
}

let decoder: TextDecoder | undefined;

/** Replaces what is not UTF-8. Made at its first use, as the encoder in core/types/utf8.ts. */
function lenient(): TextDecoder {
  decoder ??= new TextDecoder("utf-8", { ignoreBOM: true });
  return decoder;
}
