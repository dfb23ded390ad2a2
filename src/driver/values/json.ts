import { isError, kindOf, tagOf } from "../../core/kinds.js";
import { MessagingException } from "../exceptions.js";
import { randomHex } from "./ids.js";

/**
 * Serializes a value to JSON that Python's oslo.serialization reads. A bigint becomes an integer. As in JSON.stringify,
 * `toJSON` methods are called, undefined members are omitted, and undefined in an array becomes null.
 *
 * @throws TypeError, naming the path, for a value that contains itself and for one that JSON.stringify would silently lose:
 *   NaN and infinities, an invalid Date, a function, a symbol, and an object without members for its content, such as a Map,
 *   bytes, an Error or a Promise.
 */
export function toJson(value: object): string {
  let fault: string | undefined;
  try {
    const text = stringify(value);
    fault = faultIn(value);
    if (fault === undefined) return text;
  } catch (error) {
    fault = error instanceof RangeError ? "a value is nested too deeply for JSON" : loopIn(value, []);
    if (fault === undefined) throw error;
  }
  throw new TypeError(fault.replace(/^[. ]/, ""));
}

/** Treatment of NaN, Infinity and -Infinity in received text. Python writes them, although JSON has no such numbers. */
export type NonFiniteNumbers = "refuse" | "accept";

/**
 * Parses JSON. Integers that a number cannot represent exactly become bigints; `__proto__` is an ordinary member.
 *
 * @param source name of the thing that holds the text, for errors.
 * @throws MessagingException for invalid JSON; with the position of NaN or Infinity when these are the reason and are not
 *   accepted.
 */
export function fromJson(text: string, source: string, nonFinite: NonFiniteNumbers = "refuse"): unknown {
  try {
    return parse(text, nonFinite);
  } catch (error) {
    // Without a cause: the engine's error quotes the text, which may contain the context's token.
    throw new MessagingException(`${source} is not JSON: ${explain(error, text, nonFinite)}`);
  }
}

/** Whether a value is a JSON object: neither an array nor null. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function stringify(value: object): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return stringifyExactly(value);
  }
}

/** Supports bigints, which JSON.stringify refuses: they pass through it as marked strings. */
function stringifyExactly(value: object): string {
  const mark = newMark();
  const text = JSON.stringify(value, (_key, member: unknown) => (typeof member === "bigint" ? mark + member : member));
  return text.replace(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1");
}

function parse(text: string, nonFinite: NonFiniteNumbers): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (nonFinite === "refuse" || !(error instanceof SyntaxError)) throw error;
    return parseExactly(text);
  }
  return hasInexact(value) ? parseExactly(text) : value;
}

const NUMBER = /NaN|-?(?:Infinity|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** Supports bigints and non-finite numbers: they pass through JSON.parse as marked strings. */
function parseExactly(text: string): unknown {
  const mark = newMark();
  const marked = mapOutsideStrings(text, (piece) =>
    piece.replace(NUMBER, (token) => {
      if (NON_FINITE.test(token)) return `"${mark}${token}"`;
      if (!/^-?\d+$/.test(token) || Number.isSafeInteger(Number(token))) return token;
      if (token.length > LONGEST_INTEGER) throw new IntegerTooLong(`an integer of ${token.length} digits`);
      return `"${mark}${token}"`;
    }),
  );
  return JSON.parse(marked, (key, member: unknown) => {
    if (key.startsWith(mark)) throw new SyntaxError("a number in the place of a name");
    if (typeof member !== "string" || !member.startsWith(mark)) return member;
    const token = member.slice(mark.length);
    return NON_FINITE.test(token) ? Number(token) : BigInt(token);
  });
}

const NON_FINITE = /^(?:NaN|-?Infinity)$/;

/** Python's own limit, in digits. Parsing longer integers takes noticeable time. */
const LONGEST_INTEGER = 4300;

class IntegerTooLong extends Error {}

/** Random, so that untrusted input cannot contain it. */
function newMark(): string {
  return `int-${randomHex(32)}:`;
}

/**
 * The first value that JSON cannot hold, with its path: `.args.list[2] is a Map, which JSON cannot hold`. It walks every value
 * that is sent.
 */
function faultIn(value: unknown): string | undefined {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? undefined : " is NaN or infinite, which JSON cannot hold";
    case "object":
      return value === null ? undefined : faultInObject(value);
    case "function":
    case "symbol":
      return refused(kindOf(value));
    default:
      return undefined;
  }
}

/** `isResult`: the value is the result of `toJSON`, whose own `toJSON` is not called. */
function faultInObject(value: object, isResult = false): string | undefined {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const member: unknown = value[index];
      if (isHeld(member)) continue; // at once, for speed
      const fault = faultIn(member);
      if (fault !== undefined) return `[${index}]${fault}`;
    }
    return undefined;
  }
  if (isLost(value)) return refused(tagOf(value) === "Date" ? "an invalid Date" : kindOf(value));
  const members = value as { readonly [key: string]: unknown; readonly toJSON?: unknown };
  if (!isResult && typeof members.toJSON === "function") {
    const result: unknown = members.toJSON("");
    return typeof result === "object" && result !== null ? faultInObject(result, true) : faultIn(result);
  }
  // Faster than Object.keys, which makes an array.
  for (const key in members) {
    const member = members[key];
    if (isHeld(member) || !Object.hasOwn(members, key)) continue;
    const fault = faultIn(member);
    if (fault !== undefined) return `.${key}${fault}`;
  }
  return undefined;
}

/** Whether a value is one of those that most members are, all of which JSON holds: a string, a boolean or a finite number. */
function isHeld(value: unknown): boolean {
  const type = typeof value;
  return type === "string" || type === "boolean" || (type === "number" && Number.isFinite(value));
}

/** Whether JSON.stringify would lose the content of an object, as it writes only the result of `toJSON` or the own members. */
export function isLost(value: object): boolean {
  if (Object.getPrototypeOf(value) === Object.prototype) return false; // at once, for speed
  const tag = tagOf(value);
  if (tag === "Object") return false;
  if (tag === "Date") return Number.isNaN(Number(value));
  if (ArrayBuffer.isView(value)) return true; // also a Buffer, although it has toJSON
  if ("toJSON" in value || /^(Array|Boolean|Number|String)$/.test(tag)) return false;
  return isError(value) || Object.keys(value).length === 0;
}

function refused(kind: string): string {
  const cure = kind === "a Promise" ? "await it" : "convert it, or use a serializer such as jsonPayloadSerializer";
  return ` is ${kind}, which JSON cannot hold: ${cure}`;
}

/** The first value that contains itself, with its path. */
function loopIn(value: unknown, around: readonly unknown[]): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (around.includes(value)) return " is a circular reference, which JSON cannot hold";
  for (const [key, member] of Object.entries(value)) {
    const loop = loopIn(member, [...around, value]);
    if (loop !== undefined) return `${Array.isArray(value) ? `[${key}]` : `.${key}`}${loop}`;
  }
  return undefined;
}

function hasInexact(value: unknown): boolean {
  if (typeof value === "number") return value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER;
  if (typeof value !== "object" || value === null) return false;
  for (const member of Array.isArray(value) ? value : Object.values(value)) if (hasInexact(member)) return true;
  return false;
}

/** Reason why a text cannot be parsed, without quoting any of it. */
function explain(error: unknown, text: string, nonFinite: NonFiniteNumbers): string {
  if (error instanceof IntegerTooLong) return error.message;
  if (error instanceof RangeError) return "it is nested too deeply";
  const literal = nonFinite === "refuse" ? pythonsLiteral(text) : undefined;
  return literal ?? `${text.length} characters that cannot be parsed`;
}

function pythonsLiteral(text: string): string | undefined {
  let literal: string | undefined;
  mapOutsideStrings(text, (piece, at) => {
    const found = /-?Infinity|NaN/.exec(piece);
    if (found !== null) literal ??= `${found[0]} at character ${at + found.index} is Python's, not JSON's`;
    return piece;
  });
  return literal;
}

/** Maps every piece of the text outside of its strings. A regular expression would overflow the stack on long strings. */
function mapOutsideStrings(text: string, map: (piece: string, at: number) => string): string {
  let mapped = "";
  let at = 0;
  for (let open = text.indexOf('"'); open !== -1; open = text.indexOf('"', at)) {
    let close = text.indexOf('"', open + 1);
    while (close !== -1 && isEscaped(text, close)) close = text.indexOf('"', close + 1);
    const end = close === -1 ? text.length : close + 1;
    mapped += map(text.slice(at, open), at) + text.slice(open, end);
    at = end;
  }
  return mapped + map(text.slice(at), at);
}

function isEscaped(text: string, index: number): boolean {
  let from = index;
  while (text[from - 1] === "\\") from--;
  return (index - from) % 2 === 1;
}
