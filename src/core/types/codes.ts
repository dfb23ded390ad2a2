/**
 * AMQP's primitive types by constructor byte (types 1.6): the name for messages, and a width, which is that of the value
 * where it is fixed, and of the size field where it is not (0xa0 and above).
 */
const TYPES: readonly (readonly [code: number, name: string, width: number])[] = [
  [0x40, "null", 0],
  [0x41, "true", 0],
  [0x42, "false", 0],
  [0x43, "uint0", 0],
  [0x44, "ulong0", 0],
  [0x45, "list0", 0],
  [0x50, "ubyte", 1],
  [0x51, "byte", 1],
  [0x52, "smalluint", 1],
  [0x53, "smallulong", 1],
  [0x54, "smallint", 1],
  [0x55, "smalllong", 1],
  [0x56, "boolean", 1],
  [0x60, "ushort", 2],
  [0x61, "short", 2],
  [0x70, "uint", 4],
  [0x71, "int", 4],
  [0x72, "float", 4],
  [0x73, "char", 4],
  [0x74, "decimal32", 4],
  [0x80, "ulong", 8],
  [0x81, "long", 8],
  [0x82, "double", 8],
  [0x83, "timestamp", 8],
  [0x84, "decimal64", 8],
  [0x94, "decimal128", 16],
  [0x98, "uuid", 16],
  [0xa0, "vbin8", 1],
  [0xa1, "str8", 1],
  [0xa3, "sym8", 1],
  [0xb0, "vbin32", 4],
  [0xb1, "str32", 4],
  [0xb3, "sym32", 4],
  [0xc0, "list8", 1],
  [0xc1, "map8", 1],
  [0xd0, "list32", 4],
  [0xd1, "map32", 4],
  [0xe0, "array8", 1],
  [0xf0, "array32", 4],
];

const NAMES: ReadonlyMap<number, string> = new Map(TYPES.map(([code, name]) => [code, name]));
const WIDTHS: ReadonlyMap<number, number> = new Map(TYPES.map(([code, , width]) => [code, width]));

/** `str8`, `described value`, `unknown type 0x57`. */
export function typeName(code: number): string {
  if (code === 0x00) return "described value";
  return NAMES.get(code) ?? `unknown type 0x${code.toString(16).padStart(2, "0")}`;
}

/** Undefined for a described value and for codes that AMQP does not have. */
export function typeWidth(code: number): number | undefined {
  return WIDTHS.get(code);
}
