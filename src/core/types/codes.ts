/** Constructor byte of a described value, followed by a descriptor and a value (types 1.2). */
export const DESCRIBED = 0x00;

// Constructor bytes of the primitive types (types 1.6).
export const NULL = 0x40;
export const TRUE = 0x41;
export const FALSE = 0x42;
export const UINT0 = 0x43;
export const ULONG0 = 0x44;
export const LIST0 = 0x45;
export const UBYTE = 0x50;
export const BYTE = 0x51;
export const SMALLUINT = 0x52;
export const SMALLULONG = 0x53;
export const SMALLINT = 0x54;
export const SMALLLONG = 0x55;
export const BOOLEAN = 0x56;
export const USHORT = 0x60;
export const SHORT = 0x61;
export const UINT = 0x70;
export const INT = 0x71;
export const FLOAT = 0x72;
export const CHAR = 0x73;
export const DECIMAL32 = 0x74;
export const ULONG = 0x80;
export const LONG = 0x81;
export const DOUBLE = 0x82;
export const TIMESTAMP = 0x83;
export const DECIMAL64 = 0x84;
export const DECIMAL128 = 0x94;
export const UUID = 0x98;
export const VBIN8 = 0xa0;
export const STR8 = 0xa1;
export const SYM8 = 0xa3;
export const VBIN32 = 0xb0;
export const STR32 = 0xb1;
export const SYM32 = 0xb3;
export const LIST8 = 0xc0;
export const MAP8 = 0xc1;
export const LIST32 = 0xd0;
export const MAP32 = 0xd1;
export const ARRAY8 = 0xe0;
export const ARRAY32 = 0xf0;

/**
 * Constructor byte, name for error messages and width in bytes of AMQP's primitive types (types 1.6). The width is that
 * of the value, or of the size field for types of variable width (vbin8, 0xa0, and above).
 */
const TYPES: readonly (readonly [code: number, name: string, width: number])[] = [
  [NULL, "null", 0],
  [TRUE, "true", 0],
  [FALSE, "false", 0],
  [UINT0, "uint0", 0],
  [ULONG0, "ulong0", 0],
  [LIST0, "list0", 0],
  [UBYTE, "ubyte", 1],
  [BYTE, "byte", 1],
  [SMALLUINT, "smalluint", 1],
  [SMALLULONG, "smallulong", 1],
  [SMALLINT, "smallint", 1],
  [SMALLLONG, "smalllong", 1],
  [BOOLEAN, "boolean", 1],
  [USHORT, "ushort", 2],
  [SHORT, "short", 2],
  [UINT, "uint", 4],
  [INT, "int", 4],
  [FLOAT, "float", 4],
  [CHAR, "char", 4],
  [DECIMAL32, "decimal32", 4],
  [ULONG, "ulong", 8],
  [LONG, "long", 8],
  [DOUBLE, "double", 8],
  [TIMESTAMP, "timestamp", 8],
  [DECIMAL64, "decimal64", 8],
  [DECIMAL128, "decimal128", 16],
  [UUID, "uuid", 16],
  [VBIN8, "vbin8", 1],
  [STR8, "str8", 1],
  [SYM8, "sym8", 1],
  [VBIN32, "vbin32", 4],
  [STR32, "str32", 4],
  [SYM32, "sym32", 4],
  [LIST8, "list8", 1],
  [MAP8, "map8", 1],
  [LIST32, "list32", 4],
  [MAP32, "map32", 4],
  [ARRAY8, "array8", 1],
  [ARRAY32, "array32", 4],
];

const NAMES: ReadonlyMap<number, string> = new Map(TYPES.map(([code, name]) => [code, name]));
const WIDTHS: ReadonlyMap<number, number> = new Map(TYPES.map(([code, , width]) => [code, width]));

/** Name of a type for error messages: `str8`, `described value` or `unknown type 0x57`. */
export function typeName(code: number): string {
  if (code === DESCRIBED) return "described value";
  return NAMES.get(code) ?? `unknown type 0x${code.toString(16).padStart(2, "0")}`;
}

/** Width of a primitive type in bytes; undefined for a described value and for codes that AMQP does not define. */
export function typeWidth(code: number): number | undefined {
  return WIDTHS.get(code);
}
