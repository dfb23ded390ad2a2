import { MessagingException } from "../exceptions.js";
import { randomHex } from "./ids.js";

/**
 * JSON as Python's oslo.serialization reads it: a bigint travels as an integer, undefined members vanish, as in JSON.
 *
 * @throws TypeError for NaN and Infinity, which JSON.stringify would silently turn into null, naming where they are; and
 * for a value that contains itself.
 */
export function toJson(value: object): string {
  const text = stringify(value);
  // A walk costs a fifth of what stringify does, and most values hold neither null nor NaN.
  if (text.includes("null")) {
    const path = pathOf(value, isNotFinite);
    if (path !== undefined)
      throw new TypeError(`${path.replace(/^\./, "")} is NaN or infinite, which JSON cannot hold`);
  }
  return text;
}

/** What becomes of NaN, Infinity and -Infinity in a text that comes in: Python writes them, and JSON does not have them. */
export type NonFiniteNumbers = "refuse" | "accept";

/**
 * Reads JSON. Integers that a number cannot hold exactly become bigints; `__proto__` is a member like any other.
 *
 * @param what the thing that holds the text, for errors.
 * @throws MessagingException saying where NaN or Infinity stands, when that is what is wrong and they are not accepted.
 */
export function fromJson(text: string, what: string, nonFinite: NonFiniteNumbers = "refuse"): unknown {
  try {
    return parse(text, nonFinite);
  } catch (error) {
    // Not the cause: the engine's text quotes the message, and that may hold the context's token.
    throw new MessagingException(`${what} is not JSON: ${explain(error, text, nonFinite)}`);
  }
}

/** What JSON calls an object: no array, not null. */
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

/** With bigints, which JSON.stringify refuses: they go through it as marked strings. */
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
  return pathOf(value, isInexact) === undefined ? value : parseExactly(text);
}

const NUMBER = /NaN|-?(?:Infinity|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** With bigints: integers that a number cannot hold, and numbers that are none, go through JSON.parse as marked strings. */
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

/** Python's own limit; reading longer ones takes noticeable time. */
const LONGEST_INTEGER = 4300;

class IntegerTooLong extends Error {}

/** Random, so that untrusted input cannot contain it. */
function newMark(): string {
  return `int-${randomHex(32)}:`;
}

function isNotFinite(number: number): boolean {
  return !Number.isFinite(number);
}

function isInexact(number: number): boolean {
  return number > Number.MAX_SAFE_INTEGER || number < Number.MIN_SAFE_INTEGER;
}

/** Where in what JSON makes of `value` such a number is: `.args.list[2]`. */
function pathOf(value: unknown, isIt: (number: number) => boolean): string | undefined {
  if (typeof value === "number") return isIt(value) ? "" : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const path = pathOf(value[index], isIt);
      if (path !== undefined) return `[${index}]${path}`;
    }
    return undefined;
  }
  const members = value as { readonly [key: string]: unknown; readonly toJSON?: unknown };
  if (typeof members.toJSON === "function") return pathOf(members.toJSON(""), isIt);
  for (const key of Object.keys(members)) {
    const path = pathOf(members[key], isIt);
    if (path !== undefined) return `.${key}${path}`;
  }
  return undefined;
}

/** What is wrong with a text that could not be read, in words that quote none of it. */
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

/** The text with every piece between its strings mapped. By hand: a regular expression overflows on long strings. */
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
