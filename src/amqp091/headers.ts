import { TYPE } from "./field-table.js";
import { type Reader, readText } from "./reader.js";

/** The headers of a message that are read. */
export interface KnownHeaders {
  /** `compression`: name of the encoding of the body. */
  compression: string | undefined;
  /** `x-stream-offset`: position of the message in its stream. */
  streamOffset: number | undefined;
}

/** Size of the value by field type; -1: four bytes of size, then as many bytes. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [TYPE.boolean, 1],
  [TYPE.int8, 1],
  [TYPE.uint8, 1],
  [TYPE.int16, 2],
  [TYPE.specInt16, 2],
  [TYPE.uint16, 2],
  [TYPE.int32, 4],
  [TYPE.uint32, 4],
  [TYPE.int64, 8],
  [TYPE.specInt64, 8],
  [TYPE.float, 4],
  [TYPE.double, 8],
  [TYPE.decimal, 5],
  [TYPE.timestamp, 8],
  [TYPE.void, 0],
  [TYPE.longstr, -1],
  [TYPE.bytes, -1],
  [TYPE.array, -1],
  [TYPE.table, -1],
]);

const COMPRESSION = "compression";
const STREAM_OFFSET = "x-stream-offset";

/**
 * Reads the known headers from a table of untrusted input. The table is read flat: values of other headers are skipped by
 * their size, so tables nested in them are never entered. A header of an unknown type ends the reading: the headers after
 * it are ignored.
 *
 * @throws Amqp091Error when a size exceeds the table.
 */
export function readHeaders(reader: Reader, into: KnownHeaders): void {
  const size = reader.long();
  const start = reader.skip(size);
  const end = reader.at;
  const outer = reader.end;
  reader.at = start;
  reader.end = end;
  while (reader.at < end && readHeader(reader, into)) {}
  reader.at = end;
  reader.end = outer;
}

/** Returns false for a header of an unknown type. */
function readHeader(reader: Reader, into: KnownHeaders): boolean {
  const nameSize = reader.octet();
  const nameAt = reader.skip(nameSize);
  const type = reader.octet();
  let size = SIZES.get(type);
  if (size === undefined) return false;
  if (size < 0) size = reader.long();
  const at = reader.skip(size);
  if (type === TYPE.longstr && nameSize === COMPRESSION.length) {
    if (readText(reader.bytes, nameAt, nameSize) === COMPRESSION) into.compression = readText(reader.bytes, at, size);
  } else if (nameSize === STREAM_OFFSET.length && readText(reader.bytes, nameAt, nameSize) === STREAM_OFFSET) {
    into.streamOffset = readOffset(reader, type, at);
  }
  return true;
}

/** RabbitMQ writes 64 bits. Offsets above 2^53 are not exact. */
function readOffset({ bytes }: Reader, type: number, at: number): number | undefined {
  if (type === TYPE.int32) return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getInt32(0);
  if (type !== TYPE.int64 && type !== TYPE.specInt64) return undefined;
  return Number(new DataView(bytes.buffer, bytes.byteOffset + at, 8).getBigInt64(0));
}
