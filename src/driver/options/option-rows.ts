import { NoSuchOptError } from "../exceptions.js";
import type { OptionType } from "./option-types.js";

/** An option: its name in oslo and its default as oslo writes it. `default` is undefined for an option without a default. */
export interface Row<T> {
  readonly name: string;
  readonly type: OptionType<T>;
  readonly default: string | undefined;
}

/** An option for URLs and files only. `inCode` is the transport option that replaces it in code. */
export interface TextRow<T> extends Row<T> {
  readonly inCode: string;
}

/** An option of URLs and files that has no effect. Code does not have it. */
export interface IgnoredRow<T> extends Row<T> {
  /** Reason to have no effect, for the warning about any other value than the default. */
  readonly ignored: string;
}

export type ValueOf<R> = R extends Row<infer T> ? T : never;

/** The rows of a table, by their names in code. */
export type Rows = readonly (readonly [
  key: string,
  row: Row<unknown> & Partial<TextRow<unknown>> & Partial<IgnoredRow<unknown>>,
])[];

/** Throws NoSuchOptError for an unknown name. */
export type OnUnknown = (name: string, known: readonly string[]) => never;

export function option<T>(name: string, type: OptionType<T>, fallback: string): Row<T> {
  return { name, type, default: fallback };
}

/** An option without a default. Empty text omits it. */
export function optional<T>(name: string, type: OptionType<T>): Row<T | undefined> {
  const parse = (key: string, text: string): T | undefined => (text === "" ? undefined : type.parse(key, text));
  return { name, type: { ...type, parse }, default: undefined };
}

export function textOnly<T>(row: Row<T>, inCode: string): TextRow<T> {
  return { ...row, inCode };
}

/** Every option with its default, by its name in code. */
export function defaultsOf(rows: Rows): object {
  return Object.fromEntries(
    rows.map(([key, { name, type, default: text }]) => [key, text === undefined ? undefined : type.parse(name, text)]),
  );
}

/**
 * Parses options by oslo's names.
 *
 * @throws NoSuchOptError for an unknown name.
 * @throws ConfigurationError for an invalid value.
 */
export function parseTexts(rows: Rows, texts: Readonly<Record<string, string>>, unknown: OnUnknown): object {
  const parsed = Object.entries(texts).map(([name, text]) => {
    const [key, { type }] = rows.find(([, row]) => row.name === name) ?? unknown(name, namesOf(rows));
    return [key, type.parse(name, text)];
  });
  return Object.fromEntries(parsed);
}

/**
 * Checks options given in code. Callers in JavaScript may pass unknown names and invalid values.
 *
 * @throws as parseTexts.
 */
export function checkValues(rows: Rows, options: object, unknown: OnUnknown): object {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const checked = given.map(([name, value]) => {
    const [key, { type, inCode }] = rows.find(([key]) => key === name) ?? unknown(name, keysOf(rows));
    if (inCode !== undefined) throw new NoSuchOptError(name, `is for URLs and files: in code use ${inCode}`);
    return [key, type.check(name, value)];
  });
  return Object.fromEntries(checked);
}

function namesOf(rows: Rows): readonly string[] {
  return rows.map(([, { name }]) => name);
}

function keysOf(rows: Rows): readonly string[] {
  return rows.map(([key]) => key);
}
