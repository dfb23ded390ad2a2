import { ProtocolError } from "../errors.js";
import { ARRAY8, LIST32, SMALLULONG, SYM8, SYM32, typeName, ULONG, ULONG0 } from "./codes.js";
import { descriptorCode } from "./descriptors.js";
import { readUtf8 } from "./utf8.js";

/**
 * Reads the parts of AMQP's encodings from untrusted input, bytes [at, end) of `bytes`. Every size and count is checked
 * against the remaining bytes before it is used. Parameter `code` is the constructor byte of the value being read, for
 * error messages.
 *
 * @throws ProtocolError from all methods, for invalid or truncated input.
 */
export class Cursor {
  bytes: Uint8Array;
  at: number;
  end: number;
  /** End of the list, map or array that was entered last. */
  listEnd = 0;
  /** Number of values read from lists, maps and arrays. */
  values = 0;
  /** Start of the input; offsets in error messages count from here. */
  protected start: number;

  constructor(bytes: Uint8Array = new Uint8Array(0), at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.start = at;
  }

  /** Reads the constructor byte of a value. */
  code(): number {
    if (this.at >= this.end) throw this.error("no bytes left for a value");
    return this.bytes[this.at++] as number;
  }

  u8(code: number): number {
    return this.bytes[this.#advance(code, 1)] as number;
  }

  u16(code: number): number {
    const at = this.#advance(code, 2);
    return ((this.bytes[at] as number) << 8) | (this.bytes[at + 1] as number);
  }

  u32(code: number): number {
    const at = this.#advance(code, 4);
    const { bytes } = this;
    const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
    return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
  }

  u64(code: number): bigint {
    const high = this.u32(code);
    return (BigInt(high) << 32n) | BigInt(this.u32(code));
  }

  /** Reads the second byte of a two-byte boolean. */
  truth(code: number): boolean {
    const byte = this.u8(code);
    if (byte > 1) throw this.error(`invalid boolean 0x${byte.toString(16)}`);
    return byte === 1;
  }

  text(code: number, size: number): string {
    const at = this.#advance(code, size);
    const text = readUtf8(this.bytes, at, size);
    if (text === undefined) throw this.error(`${typeName(code)} of ${size} bytes is not valid UTF-8`, at);
    return text;
  }

  /** A view of `bytes`, not a copy. */
  view(code: number, size: number): Uint8Array {
    const at = this.#advance(code, size);
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + at, size);
  }

  pass(code: number, size: number): void {
    this.#advance(code, size);
  }

  /** Reads size and count of a list, map or array, sets `listEnd` and returns the count. */
  enter(code: number): number {
    const wide = code >= LIST32 && code !== ARRAY8;
    const size = wide ? this.u32(code) : this.u8(code);
    const start = this.at;
    this.#advance(code, size);
    this.listEnd = this.at;
    this.at = start;
    const count = wide ? this.u32(code) : this.u8(code);
    const left = this.listEnd - this.at;
    if (left < 0) throw this.error(`${typeName(code)} of ${size} bytes is too short for its count`, start);
    if (code < ARRAY8 && count > left) throw this.error(`${typeName(code)} of ${count} values in ${left} bytes`, start);
    return count;
  }

  /** Reads the descriptor after the byte 0x00: a number or a symbol (types 1.2). */
  descriptor(): bigint | string {
    const code = this.code();
    if (code === SMALLULONG) return BigInt(this.u8(code));
    if (code === ULONG) return this.u64(code);
    if (code === ULONG0) return 0n;
    if (code === SYM8) return this.text(code, this.u8(code));
    if (code === SYM32) return this.text(code, this.u32(code));
    throw this.error(`invalid descriptor of type ${typeName(code)}`);
  }

  /**
   * Reads a descriptor as a number. Symbols that AMQP defines are converted; other symbols and numbers above 2^32-1
   * throw.
   */
  knownDescriptor(): number {
    if (this.bytes[this.at] === SMALLULONG) {
      this.at++;
      return this.u8(SMALLULONG);
    }
    const descriptor = this.descriptor();
    const known = typeof descriptor === "string" ? descriptorCode(descriptor) : Number(descriptor);
    if (known !== undefined && known <= 0xffff_ffff) return known;
    throw this.error(`unknown descriptor ${JSON.stringify(String(descriptor).slice(0, 64))}`);
  }

  error(problem: string, at = this.at): ProtocolError {
    return new ProtocolError(`${problem}, at offset ${at - this.start}`);
  }

  /** Skips `size` bytes and returns the position of the first one. */
  #advance(code: number, size: number): number {
    const at = this.at;
    if (size > this.end - at) {
      throw this.error(`${typeName(code)} needs ${size} bytes, ${Math.max(0, this.end - at)} left`);
    }
    this.at = at + size;
    return at;
  }
}
