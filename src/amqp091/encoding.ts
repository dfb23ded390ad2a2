import { utf8Encoder } from "../core/types/utf8.js";
import type { Writer } from "../core/types/writer.js";
import { type FieldTable, type FieldValue, TYPE } from "./field-table.js";

/** Longest short string, in bytes of UTF-8. */
const SHORTSTR_BYTES = 255;
/** Maximum nesting depth of the tables that are written. */
const MAX_DEPTH = 16;

/*
 * Each function writes one field of a method or a content header. `field` is its name, for error messages. They throw
 * RangeError when the value does not fit; the caller then removes the frame that it began.
 */

export function writeOctet(writer: Writer, field: string, value: number): void {
  check(field, value, 0xff);
  writer.reserve(1);
  writer.bytes[writer.at++] = value;
}

export function writeShort(writer: Writer, field: string, value: number): void {
  check(field, value, 0xffff);
  writer.reserve(2);
  writer.bytes[writer.at++] = value >>> 8;
  writer.bytes[writer.at++] = value;
}

export function writeLong(writer: Writer, field: string, value: number): void {
  check(field, value, 0xffff_ffff);
  writer.reserve(4);
  setLong(writer.bytes, writer.at, value);
  writer.at += 4;
}

export function writeLonglong(writer: Writer, field: string, value: number): void {
  check(field, value, Number.MAX_SAFE_INTEGER);
  writer.reserve(8);
  setLong(writer.bytes, writer.at, Math.floor(value / 0x1_0000_0000));
  setLong(writer.bytes, writer.at + 4, value);
  writer.at += 8;
}

export function writeShortstr(writer: Writer, field: string, text: string): void {
  const { length } = text;
  // 3 bytes a UTF-16 unit at most. Text that cannot fit is not encoded.
  writer.reserve(1 + 3 * Math.min(length, SHORTSTR_BYTES + 1));
  const { bytes, at } = writer;
  let size = 0;
  while (size < length && size <= SHORTSTR_BYTES) {
    const unit = text.charCodeAt(size);
    if (unit > 0x7f) break;
    bytes[at + 1 + size++] = unit;
  }
  if (size < length)
    size = length > SHORTSTR_BYTES ? utf8Length(text) : utf8Encoder().encodeInto(text, bytes.subarray(at + 1)).written;
  if (size > SHORTSTR_BYTES) {
    throw new RangeError(
      `${field} of ${size} bytes, at most ${SHORTSTR_BYTES}: ${JSON.stringify(text.slice(0, 64))}...`,
    );
  }
  bytes[at] = size;
  writer.at = at + 1 + size;
}

export function writeLongstr(writer: Writer, bytes: Uint8Array): void {
  writeLong(writer, "length", bytes.length);
  writer.append(bytes);
}

/** @throws RangeError also for a table nested more than 16 deep, and TypeError for a value that a table cannot contain. */
export function writeTable(writer: Writer, field: string, table: FieldTable, depth = 0): void {
  const mark = beginSized(writer);
  writeEntries(writer, field, table, depth);
  endSized(writer, mark);
}

/** Writes the entries of a table, without their size. */
export function writeEntries(writer: Writer, field: string, table: FieldTable, depth = 0): void {
  if (depth >= MAX_DEPTH) throw new RangeError(`${field} nested more than ${MAX_DEPTH} deep`);
  for (const name of Object.keys(table)) {
    writeShortstr(writer, field, name);
    writeValue(writer, `${field}[${JSON.stringify(name)}]`, table[name], depth);
  }
}

/** Integers have the types that py-amqp writes: RabbitMQ compares the arguments of a queue that exists with their types. */
function writeValue(writer: Writer, field: string, value: FieldValue | undefined, depth: number): void {
  if (typeof value === "string") {
    writeType(writer, TYPE.longstr);
    writeLongstr(writer, utf8Encoder().encode(value));
  } else if (typeof value === "boolean") {
    writeType(writer, TYPE.boolean);
    writeType(writer, value ? 1 : 0);
  } else if (typeof value === "bigint" || typeof value === "number") {
    writeNumber(writer, field, value);
  } else if (value === null) {
    writeType(writer, TYPE.void);
  } else if (value instanceof Uint8Array) {
    writeType(writer, TYPE.bytes);
    writeLongstr(writer, value);
  } else if (value instanceof Date) {
    writeType(writer, TYPE.timestamp);
    writeLonglong(writer, field, Math.floor(value.getTime() / 1000));
  } else if (isArray(value)) {
    writeType(writer, TYPE.array);
    const mark = beginSized(writer);
    if (depth >= MAX_DEPTH) throw new RangeError(`${field} nested more than ${MAX_DEPTH} deep`);
    for (const item of value) writeValue(writer, field, item, depth + 1);
    endSized(writer, mark);
  } else if (typeof value === "object") {
    writeType(writer, TYPE.table);
    writeTable(writer, field, value, depth + 1);
  } else {
    throw new TypeError(`${field} cannot be ${typeof value}`);
  }
}

function writeNumber(writer: Writer, field: string, value: number | bigint): void {
  if (typeof value === "number" && (value | 0) === value) {
    writeType(writer, TYPE.int32);
    writeLong(writer, field, value >>> 0);
    return;
  }
  const integer = typeof value === "bigint" ? value : Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (integer !== undefined && integer !== BigInt.asIntN(64, integer)) throw outOfRange(field, value);
  writeType(writer, integer === undefined ? TYPE.double : TYPE.int64);
  writer.reserve(8);
  const view = new DataView(writer.bytes.buffer, writer.bytes.byteOffset + writer.at, 8);
  if (integer === undefined) view.setFloat64(0, Number(value));
  else view.setBigInt64(0, integer);
  writer.at += 8;
}

function isArray(value: unknown): value is readonly FieldValue[] {
  return Array.isArray(value);
}

function writeType(writer: Writer, octet: number): void {
  writer.reserve(1);
  writer.bytes[writer.at++] = octet;
}

/** Begins bytes with their size before them. Returns the mark for `endSized`. */
function beginSized(writer: Writer): number {
  writer.reserve(4);
  const mark = writer.at - writer.from;
  writer.at += 4;
  return mark;
}

function endSized(writer: Writer, mark: number): void {
  const start = writer.from + mark;
  setLong(writer.bytes, start, writer.at - start - 4);
}

export function setLong(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function utf8Length(text: string): number {
  return utf8Encoder().encode(text).length;
}

function check(field: string, value: number, max: number): void {
  if (!(Number.isSafeInteger(value) && value >= 0 && value <= max)) throw outOfRange(field, value);
}

function outOfRange(field: string, value: number | bigint): RangeError {
  return new RangeError(`${field} out of range: ${value}`);
}
