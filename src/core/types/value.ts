import { typeName, typeWidth } from "./codes.js";
import type { Cursor } from "./cursor.js";
import { Uuid } from "./uuid.js";

/** How deep lists, maps, arrays and described values may be nested. */
const MAX_DEPTH = 32;
/** Values in lists, maps and arrays of one message: three bytes of a stranger can cost two hundred of ours. */
const MAX_VALUES = 262_144;

/** A value with a descriptor that says what it means (types 1.2). */
export class Described {
  readonly descriptor: bigint | string;
  readonly value: unknown;

  constructor(descriptor: bigint | string, value: unknown) {
    this.descriptor = descriptor;
    this.value = value;
  }
}

/** Reads the value whose constructor byte has just been read; `Reader.value` says what becomes of which type. */
export function readValue(cursor: Cursor, code: number, depth = 0): unknown {
  switch (code) {
    case 0x00:
      checkDepth(cursor, code, depth);
      return new Described(cursor.descriptor(), readValue(cursor, cursor.code(), depth + 1));
    case 0x45:
      return [];
    case 0xc0:
    case 0xd0:
      return readList(cursor, code, depth);
    case 0xc1:
    case 0xd1:
      return readMap(cursor, code, depth);
    case 0xe0:
    case 0xf0:
      return readArray(cursor, code, depth);
    default:
      return readScalar(cursor, code);
  }
}

/** Passes over the value whose constructor byte has just been read. */
export function skipValue(cursor: Cursor, code: number, depth = 0): void {
  const width = typeWidth(code);
  if (width === undefined) {
    if (code !== 0x00) throw cursor.error(typeName(code));
    checkDepth(cursor, code, depth);
    cursor.descriptor();
    skipValue(cursor, cursor.code(), depth + 1);
  } else if (code < 0xa0) {
    cursor.pass(code, width);
  } else if (code < 0xc0) {
    cursor.pass(code, width === 1 ? cursor.u8(code) : cursor.u32(code));
  } else {
    const { end } = cursor;
    const count = enter(cursor, code, depth);
    const elements = code >= 0xe0 ? readElementType(cursor, code, count) : undefined;
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
  if (map.size * 2 !== count) throw cursor.error(`${typeName(code)} with a key twice`);
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
    case 0x40:
      return null;
    case 0x41:
      return true;
    case 0x42:
      return false;
    case 0x43:
      return 0;
    case 0x44:
      return 0n;
    case 0x50:
    case 0x52:
      return cursor.u8(code);
    case 0x51:
    case 0x54:
      return (cursor.u8(code) << 24) >> 24;
    case 0x53:
      return BigInt(cursor.u8(code));
    case 0x55:
      return BigInt((cursor.u8(code) << 24) >> 24);
    case 0x56:
      return cursor.truth(code);
    case 0x60:
      return cursor.u16(code);
    case 0x61:
      return (cursor.u16(code) << 16) >> 16;
    case 0x70:
      return cursor.u32(code);
    case 0x71:
      return cursor.u32(code) | 0;
    case 0x72:
      return viewOf(cursor.view(code, 4)).getFloat32(0);
    case 0x73:
      return readChar(cursor, code);
    case 0x80:
      return cursor.u64(code);
    case 0x81:
    case 0x83:
      return BigInt.asIntN(64, cursor.u64(code));
    case 0x82:
      return viewOf(cursor.view(code, 8)).getFloat64(0);
    case 0x74:
      return cursor.view(code, 4);
    case 0x84:
      return cursor.view(code, 8);
    case 0x94:
      return cursor.view(code, 16);
    case 0x98:
      return new Uuid(cursor.view(code, 16));
    case 0xa0:
      return cursor.view(code, cursor.u8(code));
    case 0xb0:
      return cursor.view(code, cursor.u32(code));
    case 0xa1:
    case 0xa3:
      return cursor.text(code, cursor.u8(code));
    case 0xb1:
    case 0xb3:
      return cursor.text(code, cursor.u32(code));
    default:
      throw cursor.error(typeName(code));
  }
}

function readChar(cursor: Cursor, code: number): string {
  const point = cursor.u32(code);
  if (point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff)) {
    throw cursor.error(`char of 0x${point.toString(16)}, which is no character`);
  }
  return String.fromCodePoint(point);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function checkDepth(cursor: Cursor, code: number, depth: number): void {
  if (depth >= MAX_DEPTH) throw cursor.error(`${typeName(code)} nested more than ${MAX_DEPTH} deep`);
}

/** Until `leave`, nothing behind the list, map or array can be read. */
function enter(cursor: Cursor, code: number, depth: number): number {
  checkDepth(cursor, code, depth);
  const count = cursor.enter(code);
  cursor.end = cursor.listEnd;
  if ((code === 0xc1 || code === 0xd1) && count % 2 !== 0)
    throw cursor.error(`${typeName(code)} of ${count} values, an odd number`);
  return count;
}

function checkBudget(cursor: Cursor, count: number): void {
  cursor.values += count;
  if (cursor.values > MAX_VALUES) throw cursor.error(`more than ${MAX_VALUES} values`);
}

function leave(cursor: Cursor, code: number, end: number): void {
  if (cursor.at !== cursor.end) throw cursor.error(`${typeName(code)} with ${cursor.end - cursor.at} bytes too many`);
  cursor.end = end;
}

/** The one constructor of an array's elements. Elements without bytes of their own could be any number of them: refused. */
function readElementType(
  cursor: Cursor,
  array: number,
  count: number,
): { code: number; descriptor: bigint | string | undefined } {
  let code = cursor.code();
  const descriptor = code === 0x00 ? cursor.descriptor() : undefined;
  if (descriptor !== undefined) code = cursor.code();
  const width = typeWidth(code);
  if (width === undefined) throw cursor.error(`${typeName(array)} of ${typeName(code)}`);
  const left = cursor.end - cursor.at;
  if (count > 0 && (width === 0 || count * width > left)) {
    throw cursor.error(`${typeName(array)} of ${count} times ${typeName(code)} in ${left} bytes`);
  }
  return { code, descriptor };
}
