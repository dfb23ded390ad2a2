import { toError } from "../../../src/core/errors.js";

const LONGEST_TEXT = 4_000;

/** A value as people read it: JSON, cut when it is long. A bigint, which JSON.stringify refuses, shows as text. */
export function jsonText(value: unknown, indent?: number): string {
  const asText = (_key: string, member: unknown): unknown => (typeof member === "bigint" ? String(member) : member);
  return cut(JSON.stringify(value, asText, indent) ?? "nothing");
}

/** What was typed as JSON. @throws SyntaxError, which says `what` is none. */
export function jsonIn(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`${what} no JSON: ${toError(error).message}`);
  }
}

/** What strangers wrote may be long. */
export function cut(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  return `${text.slice(0, LONGEST_TEXT)}... (${text.length.toLocaleString("en")} characters)`;
}
