import { ProtocolError } from "../errors.js";
import { ARRAY8, LIST32, SMALLULONG, SYM8, SYM32, typeName, ULONG, ULONG0 } from "./codes.js";
import { descriptorCode } from "./descriptors.js";
import { readUtf8 } from "./utf8.js";

/**
 * A place in bytes of strangers, [at, end) of `bytes`, and the parts that AMQP's encodings are made of. Every size and
 * count is checked against the bytes left before anything is made of it. `code` is the constructor byte of the value that
 * is being read, for the message of the ProtocolError that each of them throws.
 */
export class Cursor {
  bytes: Uint8Array;
  at: number;
  end: number;
  /** Where the list, map or array that was entered last ends. */
  listEnd = 0;
  /** How many values of lists, maps and arrays have been read. */
  values = 0;
  /** Where reading began: offsets in messages count from here. */
  protected start: number;

  constructor(bytes: Uint8Array = new Uint8Array(0), at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.start = at;
  }

  /** The constructor byte that a value begins with. */
  code(): number {
    if (this.at >= this.end) throw this.error("no bytes are left for a value");
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

  /** The byte of the two-byte form of a boolean. */
  truth(code: number): boolean {
    const byte = this.u8(code);
    if (byte > 1) throw this.error(`boolean of 0x${byte.toString(16)}`);
    return byte === 1;
  }

  text(code: number, size: number): string {
    const at = this.#advance(code, size);
    const text = readUtf8(this.bytes, at, size);
    if (text === undefined) throw this.error(`${typeName(code)} of ${size} bytes that are not UTF-8`, at);
    return text;
  }

  view(code: number, size: number): Uint8Array {
    const at = this.#advance(code, size);
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + at, size);
  }

  pass(code: number, size: number): void {
    this.#advance(code, size);
  }

  /** The size and the count of a list, map or array: sets `listEnd`, returns the count. */
  enter(code: number): number {
    const wide = code >= LIST32 && code !== ARRAY8;
    const size = wide ? this.u32(code) : this.u8(code);
    const start = this.at;
    this.#advance(code, size);
    this.listEnd = this.at;
    this.at = start;
    const count = wide ? this.u32(code) : this.u8(code);
    const left = this.listEnd - this.at;
    if (left < 0) throw this.error(`${typeName(code)} of ${size} bytes, too few for its count`, start);
    if (code < ARRAY8 && count > left) throw this.error(`${typeName(code)} of ${count} values in ${left} bytes`, start);
    return count;
  }

  /** The number or symbol after 0x00 (types 1.2). */
  descriptor(): bigint | string {
    const code = this.code();
    if (code === SMALLULONG) return BigInt(this.u8(code));
    if (code === ULONG) return this.u64(code);
    if (code === ULONG0) return 0n;
    if (code === SYM8) return this.text(code, this.u8(code));
    if (code === SYM32) return this.text(code, this.u32(code));
    throw this.error(`${typeName(code)} as a descriptor`);
  }

  /** As `descriptor`, as a number; symbols that AMQP defines are looked up, any other descriptor is refused. */
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

  error(what: string, at = this.at): ProtocolError {
    return new ProtocolError(`${what}, at offset ${at - this.start}`);
  }

  /** Passes over `size` bytes and returns where they begin. */
  #advance(code: number, size: number): number {
    const at = this.at;
    if (size > this.end - at) {
      throw this.error(`${typeName(code)} that needs ${size} bytes where ${Math.max(0, this.end - at)} are left`);
    }
    this.at = at + size;
    return at;
  }
}
