/** Depth to which instances within instances are converted. */
const MAX_DEPTH = 3;

/** Depth to which values of any kind are converted. */
const MAX_NESTING = 1_000;

/**
 * Converts a value into JSON values, like oslo.serialization's `jsonutils.to_primitive(value, convert_instances=True)` with
 * JavaScript's types; `jsonPayloadSerializer` documents the conversions. Only instances count as levels, not plain objects
 * and lists.
 *
 * @throws TypeError for a value that has no JSON form.
 */
export function toPrimitive(value: unknown, level = 0, nesting = 0): unknown {
  if (typeof value === "function") return `<function ${value.name}>`;
  if (typeof value === "symbol") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return textOf(value);
  if (value instanceof Date) return timeOf(value);
  if (value instanceof Error || isGenerator(value)) return String(value);
  if (level > MAX_DEPTH) return null;
  if (nesting > MAX_NESTING) throw new TypeError("a value contains itself, or is nested too deeply");
  const within = (member: unknown): unknown => toPrimitive(member, level, nesting + 1);
  if ("toJSON" in value && typeof value.toJSON === "function") return toPrimitive(value.toJSON(), level + 1, nesting);
  if (value instanceof Map)
    return Object.fromEntries(Array.from(value, ([key, member]) => [textKey(within(key)), within(member)]));
  if (isIterable(value)) return Array.from(value, within);
  if (!isPlain(value)) return toPrimitive({ ...value }, level + 1, nesting);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, within(member)]));
}

function textOf(bytes: Uint8Array | ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new TypeError(`${bytes.byteLength} bytes are not UTF-8 text`);
  }
}

/** ISO 8601 with six fractional digits, as Python writes it; a Date has three. */
function timeOf(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new TypeError("a Date is invalid");
  return date.toISOString().replace("Z", "000");
}

/** A key as Python's json writes it. */
function textKey(key: unknown): string {
  if (typeof key === "object" && key !== null) throw new TypeError("a key of a Map is an object");
  return String(key);
}

/** Generators may be infinite; Python does not iterate them either. */
function isGenerator(value: object): boolean {
  return Object.prototype.toString.call(value) === "[object Generator]";
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value && typeof value[Symbol.iterator] === "function";
}

/** Whether the object is plain, in this realm or another. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
