import { isError, tagOf } from "../../core/kinds.js";
import { isLost } from "./json.js";

/** Depth to which instances within instances are converted. */
const MAX_DEPTH = 3;

/** Depth to which values of any kind are converted. */
const MAX_NESTING = 1_000;

/**
 * Converts a value into JSON values, like oslo.serialization's `jsonutils.to_primitive(value, convert_instances=True)` with
 * JavaScript's types; `jsonPayloadSerializer` documents the conversions. Only instances count as levels, not plain objects
 * and lists. A value without a JSON form, such as a Promise or NaN, is returned unchanged: the encoder refuses it with its
 * path.
 *
 * @throws TypeError for bytes that are not UTF-8, a key of a Map that is an object, and values that contain themselves.
 */
export function toPrimitive(value: unknown, level = 0, nesting = 0): unknown {
  if (typeof value === "function") return `<function ${value.name}>`;
  if (typeof value === "symbol") return String(value);
  if (typeof value !== "object" || value === null) return value;
  const tag = tagOf(value);
  if (/^(Uint8Array|ArrayBuffer|DataView)$/.test(tag)) return textOf(value as ArrayBuffer);
  if (tag === "Date") return timeOf(value as Date);
  if (isError(value) || tag === "Generator") return String(value); // generators may be infinite, Python iterates none either
  if (level > MAX_DEPTH) return null;
  if (nesting > MAX_NESTING) throw new TypeError("a value contains itself, or is nested too deeply");
  const within = (member: unknown): unknown => toPrimitive(member, level, nesting + 1);
  if ("toJSON" in value && typeof value.toJSON === "function") return toPrimitive(value.toJSON(), level + 1, nesting);
  if (isIterable(value)) {
    if (tag !== "Map") return Array.from(value, within);
    const entries = value as Iterable<[key: unknown, member: unknown]>;
    return Object.fromEntries(Array.from(entries, ([key, member]) => [textKey(within(key)), within(member)]));
  }
  if (isLost(value)) return value;
  if (!isPlain(value)) return toPrimitive({ ...value }, level + 1, nesting);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, within(member)]));
}

function textOf(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new TypeError(`${bytes.byteLength} bytes are not UTF-8 text`);
  }
}

/** ISO 8601 with six fractional digits, as Python writes it; a Date has three. */
function timeOf(date: Date): unknown {
  return isLost(date) ? date : date.toISOString().replace("Z", "000");
}

/** A key as Python's json writes it. */
function textKey(key: unknown): string {
  if (typeof key === "object" && key !== null) throw new TypeError("a key of a Map is an object");
  return String(key);
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value && typeof value[Symbol.iterator] === "function";
}

/** Whether the object is plain, in this realm or another. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
