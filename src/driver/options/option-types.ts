import { kindOf } from "../../core/kinds.js";
import { timerMs } from "../../core/timers.js";
import { isWellFormed } from "../../core/well-formed.js";
import { ConfigurationError } from "../exceptions.js";

/** Reads the values of one kind of option: `parse` as text in a URL or a file, `check` in code. Both throw ConfigurationError. */
export interface OptionType<T> {
  /** Description of a valid text, for errors and for the documentation. */
  readonly text: string;
  parse(key: string, text: string): T;
  check(key: string, value: unknown): T;
}

/** Credits travel as an AMQP uint. */
const LARGEST_UINT = 2 ** 32 - 1;

export const string: OptionType<string> = {
  text: "text",
  parse: (_key, text) => text,
  check(key, value) {
    if (typeof value !== "string") return refuse(key, value, "a string");
    return isWellFormed(value) ? value : refuse(key, value, "text without half a surrogate pair");
  },
};

/** Accepts the words of oslo.config. */
export const boolean: OptionType<boolean> = {
  text: "true or false",
  parse(key, text) {
    const word = text.toLowerCase();
    if (["true", "1", "yes", "on", "t", "y"].includes(word)) return true;
    if (["false", "0", "no", "off", "f", "n"].includes(word)) return false;
    return refuse(key, text, "true or false");
  },
  check: (key, value) => (typeof value === "boolean" ? value : refuse(key, value, "true or false")),
};

export function integer(min: number): OptionType<number> {
  const text = `a whole number from ${min} to ${LARGEST_UINT}`;
  const check = (key: string, value: unknown): number => {
    if (Number.isInteger(value) && Number(value) >= min && Number(value) <= LARGEST_UINT) return Number(value);
    return refuse(key, value, text);
  };
  return {
    text,
    parse: (key, written) => check(key, /^\s*[+-]?\d+\s*$/.test(written) ? Number(written) : written),
    check,
  };
}

/** Whole seconds in text, milliseconds in code. Values above the limit of timers are reduced to it. */
export function seconds(min: number): OptionType<number> {
  const text = `a whole number of seconds, at least ${min}`;
  return {
    text,
    parse(key, written) {
      const value = Number(written);
      if (!/^\s*\+?\d+\s*$/.test(written) || value < min) return refuse(key, written, text);
      return timerMs(value * 1000);
    },
    check(key, value) {
      if (typeof value === "number" && value >= min * 1000) return timerMs(value);
      return refuse(key, value, `a number of milliseconds, at least ${min * 1000}`);
    },
  };
}

export function oneOf<T extends string>(...words: readonly T[]): OptionType<T> {
  const text = `one of ${words.join(", ")}`;
  const check = (key: string, value: unknown): T => words.find((word) => word === value) ?? refuse(key, value, text);
  return { text, parse: (key, written) => check(key, written.toLowerCase()), check };
}

/** Several values of one type: an array in code; text separated by `separator`. */
export function list<T>(item: OptionType<T>, separator: string): OptionType<readonly T[]> {
  return {
    text: `${item.text}; several are separated by "${separator}"`,
    parse(key, text) {
      const items = text.split(separator).map((part) => part.trim());
      return items.filter((part) => part !== "").map((part) => item.parse(key, part));
    },
    check(key, value) {
      return Array.isArray(value) ? value.map((part) => item.check(key, part)) : refuse(key, value, "an array");
    },
  };
}

/** The error shows text and numbers, but no content of an object. */
function refuse(key: string, value: unknown, expected: string): never {
  const shown = typeof value === "string" ? JSON.stringify(value) : typeof value === "number" ? value : kindOf(value);
  throw new ConfigurationError(key, `must be ${expected}, not ${shown}`);
}
