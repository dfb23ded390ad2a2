import type { Writer } from "../core/types/writer.js";
import {
  writeLong,
  writeLonglong,
  writeLongstr,
  writeOctet,
  writeShort,
  writeShortstr,
  writeTable,
} from "./encoding.js";
import { type FieldTable, readTable } from "./field-table.js";
import { beginFrame, endFrame, METHOD, removeFrame } from "./frames.js";
import {
  type Fields,
  type FieldType,
  type Method,
  type MethodName,
  methodByCode,
  methodByName,
  type SentFields,
} from "./methods.js";
import type { Reader } from "./reader.js";
import { COMMAND_INVALID, NOT_IMPLEMENTED } from "./reply-codes.js";
import { violation } from "./violation.js";

type Value = number | boolean | string | Uint8Array | FieldTable;

const NOTHING = new Uint8Array(0);

/**
 * Writes a method frame.
 *
 * @throws RangeError when a field or the frame is too large. Nothing is written then.
 */
export function writeMethod<M extends MethodName>(
  writer: Writer,
  channel: number,
  name: M,
  fields: SentFields<M>,
  maxFrameBytes: number,
): void {
  const method = methodByName(name);
  const mark = beginFrame(writer, METHOD, channel);
  try {
    writeShort(writer, "class", method.classId);
    writeShort(writer, "method", method.methodId);
    writeFields(writer, method, fields as Readonly<Record<string, Value | undefined>>);
    endFrame(writer, mark);
    const size = writer.at - writer.from - mark;
    if (size > maxFrameBytes) throw new RangeError(`${name} of ${size} bytes, at most ${maxFrameBytes}`);
  } catch (thrown) {
    removeFrame(writer, mark);
    throw thrown;
  }
}

function writeFields(writer: Writer, { fields }: Method, values: Readonly<Record<string, Value | undefined>>): void {
  /** Number of bits in the present octet. */
  let bits = 0;
  for (const [name, type] of fields) {
    const value = values[name];
    if (type !== "bit") {
      bits = 0;
      writeField(writer, name, type, value);
      continue;
    }
    // Bits that follow each other share octets, the first one is the lowest (4.2.5.2).
    if (bits % 8 === 0) writeOctet(writer, name, 0);
    if (value === true) {
      const at = writer.at - 1;
      writer.bytes[at] = (writer.bytes[at] as number) | (1 << (bits % 8));
    }
    bits++;
  }
}

function writeField(writer: Writer, name: string, type: Exclude<FieldType, "bit">, value: Value | undefined): void {
  switch (type) {
    case "octet":
      return writeOctet(writer, name, (value ?? 0) as number);
    case "short":
      return writeShort(writer, name, (value ?? 0) as number);
    case "long":
      return writeLong(writer, name, (value ?? 0) as number);
    case "longlong":
      return writeLonglong(writer, name, (value ?? 0) as number);
    case "shortstr":
      return writeShortstr(writer, name, (value ?? "") as string);
    case "longstr":
      return writeLongstr(writer, (value ?? NOTHING) as Uint8Array);
    case "table":
      return writeTable(writer, name, (value ?? {}) as FieldTable);
    default:
      return type satisfies never;
  }
}

/** A method that has arrived. */
export interface ReceivedMethod {
  readonly method: Method;
  readonly fields: object;
}

/**
 * Reads the payload of a method frame.
 *
 * @throws Amqp091Error when the method is unknown or a field invalid.
 */
export function readMethod(reader: Reader): ReceivedMethod {
  const classId = reader.short();
  const methodId = reader.short();
  const method = methodByCode(classId, methodId);
  if (method === undefined) {
    throw violation(NOT_IMPLEMENTED, `NOT_IMPLEMENTED - unknown method ${methodId} of class ${classId}`);
  }
  const fields: Record<string, Value> = {};
  let bits = 0;
  let octet = 0;
  for (const [name, type] of method.fields) {
    if (type !== "bit") {
      bits = 0;
      fields[name] = readField(reader, type);
      continue;
    }
    if (bits % 8 === 0) octet = reader.octet();
    fields[name] = (octet & (1 << (bits % 8))) !== 0;
    bits++;
  }
  reader.finish();
  return { method, fields };
}

function readField(reader: Reader, type: Exclude<FieldType, "bit">): Value {
  switch (type) {
    case "table":
      return readTable(reader);
    default:
      return reader[type]();
  }
}

/** The fields of a received method that is known to be `name`. */
export function fieldsOf<M extends MethodName>({ method, fields }: ReceivedMethod, name: M): Fields<M> {
  if (method.name === name) return fields as Fields<M>;
  throw violation(COMMAND_INVALID, `COMMAND_INVALID - ${method.name} where ${name} was expected`);
}
