import { toError } from "../../../src/core/errors.js";

const LONGEST_TEXT = 4_000;

/** Returns a value as JSON, shortened when it is long. A bigint, which JSON.stringify rejects, becomes a string. */
export function jsonText(value: unknown, indent?: number): string {
  const asText = (_key: string, member: unknown): unknown => (typeof member === "bigint" ? String(member) : member);
  return cut(JSON.stringify(value, asText, indent) ?? "nothing");
}

/**
 * Parses typed JSON.
 *
 * @param subject Start of the error message, with its verb: "the payload is".
 * @throws SyntaxError when the text is not JSON.
 */
export function jsonIn(text: string, subject: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`${subject} not valid JSON: ${toError(error).message}`);
  }
}

/** Shortens a text to 4,000 characters and adds its length: untrusted input may be long. */
export function cut(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  return `${text.slice(0, LONGEST_TEXT)}... (${text.length.toLocaleString("en")} characters)`;
}
