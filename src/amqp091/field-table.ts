import { type Reader, readText } from "./reader.js";

/**
 * A value of a field table. Integers are written in 32 bits if they fit, otherwise in 64; other numbers as doubles. When
 * read, 64-bit integers are bigints only where a number is not exact. A Date has a resolution of one second.
 */
export type FieldValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | FieldTable
  | readonly FieldValue[];

export interface FieldTable {
  readonly [name: string]: FieldValue;
}

/** Maximum nesting depth of the tables and arrays of a method. RabbitMQ's own have two levels. */
const MAX_DEPTH = 16;
/** Maximum number of values in the tables and arrays of a method. */
const MAX_VALUES = 4_096;

/**
 * Reads the table of a method. Tables in the headers of messages are never read as a whole: `readHeaders` looks for known
 * names.
 *
 * @throws Amqp091Error when the table is invalid, nested more than 16 deep, or has more than 4,096 values.
 */
export function readTable(reader: Reader, depth = 0): FieldTable {
  const end = enter(reader, depth);
  // A prototype would give meaning to names of the peer.
  const table: Record<string, FieldValue> = Object.create(null);
  while (reader.at < reader.end) {
    const name = reader.shortstr();
    table[name] = readValue(reader, depth);
  }
  reader.end = end;
  return table;
}

function readArray(reader: Reader, depth: number): FieldValue[] {
  const end = enter(reader, depth);
  const items: FieldValue[] = [];
  while (reader.at < reader.end) items.push(readValue(reader, depth));
  reader.end = end;
  return items;
}

/** Enters a table or an array: until `end` is restored, the bytes after it cannot be read. */
function enter(reader: Reader, depth: number): number {
  if (depth >= MAX_DEPTH) throw reader.error(`table nested more than ${MAX_DEPTH} deep`);
  const size = reader.long();
  const { end } = reader;
  const start = reader.skip(size);
  reader.at = start;
  reader.end = start + size;
  return end;
}

/** Types by RabbitMQ's table of field types, which differs from the specification's in `s`, `l` and `x`. */
function readValue(reader: Reader, depth: number): FieldValue {
  if (++reader.values > MAX_VALUES) throw reader.error(`table with more than ${MAX_VALUES} values`);
  const type = reader.octet();
  switch (type) {
    case TYPE.boolean:
      return reader.octet() !== 0;
    case TYPE.int8:
      return (reader.octet() << 24) >> 24;
    case TYPE.uint8:
      return reader.octet();
    case TYPE.int16:
    case TYPE.specInt16:
      return (reader.short() << 16) >> 16;
    case TYPE.uint16:
      return reader.short();
    case TYPE.int32:
      return reader.long() | 0;
    case TYPE.uint32:
      return reader.long();
    case TYPE.int64:
    case TYPE.specInt64:
      return exact(dataView(reader, 8).getBigInt64(0));
    case TYPE.float:
      return dataView(reader, 4).getFloat32(0);
    case TYPE.double:
      return dataView(reader, 8).getFloat64(0);
    case TYPE.decimal: {
      const scale = reader.octet();
      return (reader.long() | 0) / 10 ** scale;
    }
    case TYPE.longstr: {
      const { byteLength } = reader.longstr();
      return readText(reader.bytes, reader.at - byteLength, byteLength);
    }
    case TYPE.bytes:
      return reader.longstr();
    case TYPE.timestamp:
      return new Date(Number(dataView(reader, 8).getBigUint64(0)) * 1000);
    case TYPE.array:
      return readArray(reader, depth + 1);
    case TYPE.table:
      return readTable(reader, depth + 1);
    case TYPE.void:
      return null;
    default:
      throw reader.error(`unknown field type 0x${type.toString(16).padStart(2, "0")}`);
  }
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function dataView(reader: Reader, size: number): DataView {
  const at = reader.skip(size);
  return new DataView(reader.bytes.buffer, reader.bytes.byteOffset + at, size);
}

/** Letters of the field types. */
export const TYPE = {
  boolean: 0x74,
  int8: 0x62,
  uint8: 0x42,
  int16: 0x73,
  specInt16: 0x55,
  uint16: 0x75,
  int32: 0x49,
  uint32: 0x69,
  int64: 0x6c,
  specInt64: 0x4c,
  float: 0x66,
  double: 0x64,
  decimal: 0x44,
  longstr: 0x53,
  bytes: 0x78,
  array: 0x41,
  timestamp: 0x54,
  table: 0x46,
  void: 0x56,
} as const;
