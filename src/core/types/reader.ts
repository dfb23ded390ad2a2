import {
  BOOLEAN,
  DESCRIBED,
  FALSE,
  LIST0,
  LIST8,
  LIST32,
  NULL,
  SMALLUINT,
  SMALLULONG,
  STR8,
  STR32,
  SYM8,
  SYM32,
  TIMESTAMP,
  TRUE,
  typeName,
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
import { Cursor } from "./cursor.js";
import { Uuid } from "./uuid.js";
import { readValue, skipValue } from "./value.js";

/**
 * Reads AMQP values from untrusted input. Methods named after a type return undefined for null. After an error a reader
 * must be `reset` before it is used again.
 *
 * @throws ProtocolError from all methods, for invalid input and for a value of another type. It names type, size and
 * offset.
 */
export class Reader extends Cursor {
  reset(bytes: Uint8Array, at: number, end: number): this {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.start = at;
    this.values = 0;
    return this;
  }

  /**
   * Reads a value of any type. Integers of up to 32 bits and floats become numbers; long, ulong and timestamp (ms since
   * 1970) become bigints; char, string and symbol become strings; uuid a Uuid; binary and decimals views of `bytes`;
   * lists and arrays arrays; maps Maps; a described value a Described. Limits: 32 levels, and 262,144 values until the
   * next `reset`.
   */
  value(): unknown {
    return readValue(this, this.code());
  }

  /** Skips a value of any type. Checks types, sizes, counts and depth, but not the contents. */
  skip(): void {
    skipValue(this, this.code());
  }

  /** Enters a list and returns the number of its values. `leaveList` checks them against the size of the list. */
  list(): number {
    const code = this.code();
    if (code === LIST8 || code === LIST32) return this.enter(code);
    if (code !== LIST0) throw this.#wrong("list", code);
    this.listEnd = this.at;
    return 0;
  }

  /** Skips the last `left` values of a list and checks that it ends at `end`, the value of `listEnd` after `list()`. */
  leaveList(left: number, end: number): void {
    for (let i = 0; i < left; i++) this.skip();
    const extra = this.at - end;
    if (extra === 0) return;
    throw this.error(`list whose values take ${Math.abs(extra)} bytes ${extra > 0 ? "more" : "less"} than its size`);
  }

  /** Enters a described value and returns its descriptor as a number, also for a symbol that AMQP defines. */
  described(): number {
    const code = this.code();
    if (code !== DESCRIBED) throw this.#wrong("described value", code);
    return this.knownDescriptor();
  }

  boolean(): boolean | undefined {
    const code = this.code();
    if (code === TRUE) return true;
    if (code === FALSE) return false;
    return code === BOOLEAN ? this.truth(code) : this.#null("boolean", code);
  }

  ubyte(): number | undefined {
    const code = this.code();
    return code === UBYTE ? this.u8(code) : this.#null("ubyte", code);
  }

  ushort(): number | undefined {
    const code = this.code();
    return code === USHORT ? this.u16(code) : this.#null("ushort", code);
  }

  uint(): number | undefined {
    const code = this.code();
    if (code === SMALLUINT) return this.u8(code);
    if (code === UINT0) return 0;
    return code === UINT ? this.u32(code) : this.#null("uint", code);
  }

  ulong(): bigint | undefined {
    const code = this.code();
    if (code === ULONG0) return 0n;
    if (code === SMALLULONG) return BigInt(this.u8(code));
    return code === ULONG ? this.u64(code) : this.#null("ulong", code);
  }

  /** Milliseconds since 1970. */
  timestamp(): bigint | undefined {
    const code = this.code();
    return code === TIMESTAMP ? BigInt.asIntN(64, this.u64(code)) : this.#null("timestamp", code);
  }

  uuid(): Uuid | undefined {
    const code = this.code();
    return code === UUID ? new Uuid(this.view(code, 16)) : this.#null("uuid", code);
  }

  /** A string or a symbol: peers mistake one for the other, and other clients accept both. */
  string(): string | undefined {
    const code = this.code();
    if (code === STR8 || code === SYM8) return this.text(code, this.u8(code));
    return code === STR32 || code === SYM32 ? this.text(code, this.u32(code)) : this.#null("string", code);
  }

  /** A view of `bytes`, not a copy. */
  binary(): Uint8Array | undefined {
    const code = this.code();
    if (code === VBIN8) return this.view(code, this.u8(code));
    return code === VBIN32 ? this.view(code, this.u32(code)) : this.#null("binary", code);
  }

  /** Reads a field of multiple symbols, or strings: an array, a single one, or null for none (types 1.4). */
  symbols(): string[] {
    const code = this.code();
    const { at } = this;
    const value = readValue(this, code) ?? [];
    const items = Array.isArray(value) ? value : [value];
    if (items.every((item) => typeof item === "string")) return items;
    throw this.error(`${typeName(code)} where symbols were expected`, at - 1);
  }

  #null(expected: string, code: number): undefined {
    if (code !== NULL) throw this.#wrong(expected, code);
    return undefined;
  }

  #wrong(expected: string, code: number): Error {
    return this.error(`${typeName(code)} where ${expected} was expected`, this.at - 1);
  }
}
