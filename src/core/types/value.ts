import {
  ARRAY8,
  ARRAY32,
  BOOLEAN,
  BYTE,
  CHAR,
  DECIMAL32,
  DECIMAL64,
  DECIMAL128,
  DESCRIBED,
  DOUBLE,
  FALSE,
  FLOAT,
  INT,
  LIST0,
  LIST8,
  LIST32,
  LONG,
  MAP8,
  MAP32,
  NULL,
  SHORT,
  SMALLINT,
  SMALLLONG,
  SMALLUINT,
  SMALLULONG,
  STR8,
  STR32,
  SYM8,
  SYM32,
  TIMESTAMP,
  TRUE,
  typeName,
  typeWidth,
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
import type { Cursor } from "./cursor.js";
import { Uuid } from "./uuid.js";

/** Maximum nesting depth of lists, maps, arrays and described values. */
const MAX_DEPTH = 32;
/**
 * Maximum number of values in the lists, maps and arrays of one message: 3 bytes of untrusted input can take 200 bytes of
 * memory.
 */
const MAX_VALUES = 262_144;

/** A value with a descriptor that defines its meaning (types 1.2). */
export class Described {
  readonly descriptor: bigint | string;
  readonly value: unknown;

  constructor(descriptor: bigint | string, value: unknown) {
    this.descriptor = descriptor;
    this.value = value;
  }
}

/** Reads the value after its constructor byte `code`. `Reader.value` describes the result for each type. */
export function readValue(cursor: Cursor, code: number, depth = 0): unknown {
  switch (code) {
    case DESCRIBED:
      checkDepth(cursor, code, depth);
      return new Described(cursor.descriptor(), readValue(cursor, cursor.code(), depth + 1));
    case LIST0:
      return [];
    case LIST8:
    case LIST32:
      return readList(cursor, code, depth);
    case MAP8:
    case MAP32:
      return readMap(cursor, code, depth);
    case ARRAY8:
    case ARRAY32:
      return readArray(cursor, code, depth);
    default:
      return readScalar(cursor, code);
  }
}

/** Skips the value after its constructor byte `code`. */
export function skipValue(cursor: Cursor, code: number, depth = 0): void {
  const width = typeWidth(code);
  if (width === undefined) {
    if (code !== DESCRIBED) throw cursor.error(typeName(code));
    checkDepth(cursor, code, depth);
    cursor.descriptor();
    skipValue(cursor, cursor.code(), depth + 1);
  } else if (code < VBIN8) {
    cursor.pass(code, width);
  } else if (code < LIST8) {
    cursor.pass(code, width === 1 ? cursor.u8(code) : cursor.u32(code));
  } else {
    const { end } = cursor;
    const count = enter(cursor, code, depth);
    const elements = code >= ARRAY8 ? readElementType(cursor, code, count) : undefined;
    for (let i = 0; i < count; i++) skipValue(cursor, elements?.code ?? cursor.code(), depth + 1);
    leave(cursor, code, end);
  }
}

function readList(cursor: Cursor, code: number, depth: number): unknown[] {
  const { end } = cursor;
  const items: unknown[] = [];
  const count = enter(cursor, code, depth);
  checkBudget(cursor, count);
  for (let i = 0; i < count; i++) items.push(readValue(cursor, cursor.code(), depth + 1));
  leave(cursor, code, end);
  return items;
}

function readMap(cursor: Cursor, code: number, depth: number): Map<unknown, unknown> {
  const { end } = cursor;
  const map = new Map<unknown, unknown>();
  const count = enter(cursor, code, depth);
  checkBudget(cursor, count);
  for (let i = 0; i < count; i += 2) {
    const key = readValue(cursor, cursor.code(), depth + 1);
    map.set(key, readValue(cursor, cursor.code(), depth + 1));
  }
  if (map.size * 2 !== count) throw cursor.error(`${typeName(code)} with a duplicate key`);
  leave(cursor, code, end);
  return map;
}

function readArray(cursor: Cursor, code: number, depth: number): unknown[] {
  const { end } = cursor;
  const items: unknown[] = [];
  const count = enter(cursor, code, depth);
  const { descriptor, code: element } = readElementType(cursor, code, count);
  checkBudget(cursor, count);
  for (let i = 0; i < count; i++) {
    const item = readValue(cursor, element, depth + 1);
    items.push(descriptor === undefined ? item : new Described(descriptor, item));
  }
  leave(cursor, code, end);
  return items;
}

function readScalar(cursor: Cursor, code: number): unknown {
  switch (code) {
    // Strings first: they are the bodies of most messages.
    case STR8:
    case SYM8:
      return cursor.text(code, cursor.u8(code));
    case STR32:
    case SYM32:
      return cursor.text(code, cursor.u32(code));
    case NULL:
      return null;
    case TRUE:
      return true;
    case FALSE:
      return false;
    case UINT0:
      return 0;
    case ULONG0:
      return 0n;
    case UBYTE:
    case SMALLUINT:
      return cursor.u8(code);
    case BYTE:
    case SMALLINT:
      return (cursor.u8(code) << 24) >> 24;
    case SMALLULONG:
      return BigInt(cursor.u8(code));
    case SMALLLONG:
      return BigInt((cursor.u8(code) << 24) >> 24);
    case BOOLEAN:
      return cursor.truth(code);
    case USHORT:
      return cursor.u16(code);
    case SHORT:
      return (cursor.u16(code) << 16) >> 16;
    case UINT:
      return cursor.u32(code);
    case INT:
      return cursor.u32(code) | 0;
    case FLOAT:
      return viewOf(cursor.view(code, 4)).getFloat32(0);
    case CHAR:
      return readChar(cursor, code);
    case ULONG:
      return cursor.u64(code);
    case LONG:
    case TIMESTAMP:
      return BigInt.asIntN(64, cursor.u64(code));
    case DOUBLE:
      return viewOf(cursor.view(code, 8)).getFloat64(0);
    case DECIMAL32:
      return cursor.view(code, 4);
    case DECIMAL64:
      return cursor.view(code, 8);
    case DECIMAL128:
      return cursor.view(code, 16);
    case UUID:
      return new Uuid(cursor.view(code, 16));
    case VBIN8:
      return cursor.view(code, cursor.u8(code));
    case VBIN32:
      return cursor.view(code, cursor.u32(code));
    default:
      throw cursor.error(typeName(code));
  }
}

function readChar(cursor: Cursor, code: number): string {
  const point = cursor.u32(code);
  if (point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff)) {
    throw cursor.error(`invalid char 0x${point.toString(16)}`);
  }
  return String.fromCodePoint(point);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function checkDepth(cursor: Cursor, code: number, depth: number): void {
  if (depth >= MAX_DEPTH) throw cursor.error(`${typeName(code)} nested more than ${MAX_DEPTH} deep`);
}

/** Enters a list, map or array. Until `leave`, bytes after it cannot be read. */
function enter(cursor: Cursor, code: number, depth: number): number {
  checkDepth(cursor, code, depth);
  const count = cursor.enter(code);
  cursor.end = cursor.listEnd;
  if ((code === MAP8 || code === MAP32) && count % 2 !== 0)
    throw cursor.error(`${typeName(code)} with an odd number of values (${count})`);
  return count;
}

function checkBudget(cursor: Cursor, count: number): void {
  cursor.values += count;
  if (cursor.values > MAX_VALUES) throw cursor.error(`more than ${MAX_VALUES} values`);
}

function leave(cursor: Cursor, code: number, end: number): void {
  if (cursor.at !== cursor.end) throw cursor.error(`${typeName(code)} with ${cursor.end - cursor.at} extra bytes`);
  cursor.end = end;
}

/**
 * Reads the constructor of an array's elements. Elements of zero width are refused, because the array's size would not
 * limit their count.
 */
function readElementType(
  cursor: Cursor,
  array: number,
  count: number,
): { code: number; descriptor: bigint | string | undefined } {
  let code = cursor.code();
  const descriptor = code === DESCRIBED ? cursor.descriptor() : undefined;
  if (descriptor !== undefined) code = cursor.code();
  const width = typeWidth(code);
  if (width === undefined) throw cursor.error(`${typeName(array)} of ${typeName(code)}`);
  const left = cursor.end - cursor.at;
  if (count > 0 && (width === 0 || count * width > left)) {
    throw cursor.error(`${typeName(array)} of ${count} ${typeName(code)} values in ${left} bytes`);
  }
  return { code, descriptor };
}
