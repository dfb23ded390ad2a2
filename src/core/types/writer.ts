import {
  ARRAY32,
  DESCRIBED,
  FALSE,
  LIST0,
  LIST8,
  LIST32,
  MAP8,
  MAP32,
  NULL,
  SMALLUINT,
  SMALLULONG,
  STR8,
  SYM8,
  SYM32,
  TIMESTAMP,
  TRUE,
  UBYTE,
  UINT,
  UINT0,
  ULONG,
  ULONG0,
  USHORT,
  UUID,
  VBIN8,
  VBIN32,
} from "./codes.js";
import { utf8Encoder } from "./utf8.js";
import type { Uuid } from "./uuid.js";

/** Up to this length, in characters, a loop is faster than TextEncoder. */
const SHORT_CHARS = 32;

/**
 * Writes AMQP values one after another into a slab of bytes. Bytes [from, at) are written but not yet taken. Every method
 * reserves the room that it needs. Bytes before `from` have been taken and are never written again, so that they can be
 * sent without a copy. Undefined is written as null.
 *
 * @throws RangeError when a number is outside the range of its type.
 */
export class Writer {
  bytes: Uint8Array;
  from = 0;
  at = 0;
  readonly #slabBytes: number;

  constructor(slabBytes = 65_536) {
    this.bytes = new Uint8Array(slabBytes);
    this.#slabBytes = slabBytes;
  }

  /**
   * Reserves room for n more bytes at `at`. May replace `bytes`: positions, such as the marks of lists, must be relative
   * to `from`.
   */
  reserve(n: number): void {
    if (this.at + n > this.bytes.length) this.#grow(n);
  }

  /** Returns the bytes written since the last call, as a view. The caller owns them: they are never written again. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(this.from, this.at);
    this.from = this.at;
    return taken;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  null(): void {
    this.#octet(NULL);
  }

  boolean(v: boolean | undefined): void {
    if (v === undefined) return this.null();
    this.#octet(v ? TRUE : FALSE);
  }

  ubyte(v: number | undefined): void {
    if (v === undefined) return this.null();
    check("ubyte", v, 0xff);
    this.#octets(UBYTE, v);
  }

  ushort(v: number): void {
    check("ushort", v, 0xffff);
    this.#octets(USHORT, v >>> 8);
    this.#octet(v);
  }

  uint(v: number | undefined): void {
    if (v === undefined) return this.null();
    check("uint", v, 0xffff_ffff);
    if (v === 0) this.#octet(UINT0);
    else if (v < 256) this.#octets(SMALLUINT, v);
    else this.#word(UINT, v);
  }

  ulong(v: number | bigint): void {
    const value = BigInt(v);
    if (value !== BigInt.asUintN(64, value)) throw new RangeError(`ulong out of range: ${v}`);
    if (value === 0n) this.#octet(ULONG0);
    else if (value < 256n) this.#octets(SMALLULONG, Number(value));
    else this.#long(ULONG, value);
  }

  /** Milliseconds since 1970. */
  timestamp(ms: bigint | undefined): void {
    if (ms === undefined) return this.null();
    if (ms !== BigInt.asIntN(64, ms)) throw new RangeError(`timestamp out of range: ${ms}`);
    this.#long(TIMESTAMP, ms);
  }

  /** Lone surrogates, which UTF-8 cannot encode, become U+FFFD. */
  string(v: string | undefined): void {
    if (v === undefined) return this.null();
    this.#text(STR8, v);
  }

  /** @throws RangeError for a character that is not ASCII. */
  symbol(v: string | undefined): void {
    if (v === undefined) return this.null();
    this.#text(SYM8, ascii(v));
  }

  /** An array of symbols, as `symbol`. */
  symbols(v: readonly string[]): void {
    this.reserve(10);
    const mark = this.at - this.from;
    this.at += 9;
    this.#octet(SYM32);
    for (const symbol of v) {
      this.reserve(4 + symbol.length);
      const element = this.at - this.from;
      this.at += 4;
      this.#utf8(ascii(symbol));
      this.#word32(this.from + element, this.at - this.from - element - 4);
    }
    const start = this.from + mark;
    this.bytes[start] = ARRAY32;
    this.#word32(start + 1, this.at - start - 5);
    this.#word32(start + 5, v.length);
  }

  binary(v: Uint8Array | undefined): void {
    if (v === undefined) return this.null();
    if (v.length < 256) this.#octets(VBIN8, v.length);
    else this.#word(VBIN32, v.length);
    this.append(v);
  }

  uuid(v: Uuid): void {
    this.#octet(UUID);
    this.append(v.bytes);
  }

  /** Writes the descriptor of the value that is written next. */
  descriptor(code: number): void {
    this.reserve(3);
    const { bytes, at } = this;
    bytes[at] = DESCRIBED;
    bytes[at + 1] = SMALLULONG;
    bytes[at + 2] = code;
    this.at = at + 3;
  }

  /** Begins a list and returns the mark for `endList`. `take` must not be called in between. */
  beginList(): number {
    this.reserve(3);
    const mark = this.at - this.from;
    this.at += 3;
    return mark;
  }

  /** Ends a list in the smallest encoding: list0, list8 or list32. */
  endList(mark: number, count: number): void {
    const start = this.from + mark;
    const size = this.at - start - 3;
    if (count === 0) {
      this.bytes[start] = LIST0;
      this.at = start + 1;
    } else if (size < 255 && count < 256) {
      this.bytes[start] = LIST8;
      this.bytes[start + 1] = size + 1;
      this.bytes[start + 2] = count;
    } else {
      this.#widenList(mark, size, count);
    }
  }

  /** Ends a map that `beginList` began. `count` is the number of its keys and values. */
  endMap(mark: number, count: number): void {
    const start = this.from + mark;
    if (count === 0) return this.bytes.set([MAP8, 1, 0], start); // there is no map0
    this.endList(mark, count);
    this.bytes[start] = this.bytes[start] === LIST8 ? MAP8 : MAP32;
  }

  #widenList(mark: number, size: number, count: number): void {
    this.reserve(6);
    const start = this.from + mark;
    this.bytes.copyWithin(start + 9, start + 3, this.at);
    this.bytes[start] = LIST32;
    this.#word32(start + 1, size + 4);
    this.#word32(start + 5, count);
    this.at += 6;
  }

  /** `code` is that of the encoding with a size of one byte; the encoding with four bytes is 0x10 above it. */
  #text(code: number, v: string): void {
    const length = v.length;
    if (length > SHORT_CHARS) {
      this.#longText(code, v);
      return;
    }
    this.reserve(2 + length);
    const { bytes, at } = this;
    for (let i = 0; i < length; i++) {
      const unit = v.charCodeAt(i);
      if (unit > 0x7f) {
        this.#longText(code, v);
        return;
      }
      bytes[at + 2 + i] = unit;
    }
    bytes[at] = code;
    bytes[at + 1] = length;
    this.at = at + 2 + length;
  }

  /** Writes text of any length, in the short encoding if the UTF-8 fits. */
  #longText(code: number, v: string): void {
    const mark = this.at - this.from;
    const header = v.length < 256 ? 2 : 5;
    this.reserve(header + v.length);
    this.at += header;
    this.#utf8(v);
    const size = this.at - this.from - mark - header;
    if (size < 256) {
      this.bytes[this.from + mark] = code;
      this.bytes[this.from + mark + 1] = size;
      return;
    }
    if (header === 2) {
      this.reserve(3);
      const start = this.from + mark;
      this.bytes.copyWithin(start + 5, start + 2, this.at);
      this.at += 3;
    }
    this.bytes[this.from + mark] = code + 0x10;
    this.#word32(this.from + mark + 1, size);
  }

  /** One byte per character has been reserved, enough for ASCII. Other text needs at most three bytes per character. */
  #utf8(v: string): void {
    const encoder = utf8Encoder();
    let { read, written } = encoder.encodeInto(v, this.bytes.subarray(this.at));
    this.at += written;
    if (read === v.length) return;
    const rest = v.slice(read);
    this.reserve(3 * rest.length);
    ({ read, written } = encoder.encodeInto(rest, this.bytes.subarray(this.at)));
    this.at += written;
  }

  #octet(v: number): void {
    this.reserve(1);
    this.bytes[this.at++] = v;
  }

  #octets(first: number, second: number): void {
    this.reserve(2);
    const { bytes, at } = this;
    bytes[at] = first;
    bytes[at + 1] = second;
    this.at = at + 2;
  }

  #word(code: number, v: number): void {
    this.reserve(5);
    this.bytes[this.at] = code;
    this.#word32(this.at + 1, v);
    this.at += 5;
  }

  #long(code: number, v: bigint): void {
    this.reserve(9);
    this.bytes[this.at] = code;
    this.#word32(this.at + 1, Number(BigInt.asUintN(32, v >> 32n)));
    this.#word32(this.at + 5, Number(BigInt.asUintN(32, v)));
    this.at += 9;
  }

  #word32(at: number, v: number): void {
    const { bytes } = this;
    bytes[at] = v >>> 24;
    bytes[at + 1] = v >>> 16;
    bytes[at + 2] = v >>> 8;
    bytes[at + 3] = v;
  }

  /** Beyond one slab, allocates half more than needed: a long message in small pieces is not copied for each piece. */
  #grow(n: number): void {
    const needed = this.at - this.from + n;
    const length = needed > this.#slabBytes ? needed + (needed >>> 1) : this.#slabBytes;
    const grown = new Uint8Array(length);
    grown.set(this.bytes.subarray(this.from, this.at));
    this.at -= this.from;
    this.from = 0;
    this.bytes = grown;
  }
}

function ascii(symbol: string): string {
  if (/[\u0080-\uffff]/.test(symbol)) throw new RangeError(`a symbol must be ASCII: ${symbol}`);
  return symbol;
}

function check(type: string, v: number, max: number): void {
  if (v >>> 0 !== v || v > max) throw new RangeError(`${type} out of range: ${v}`);
}
