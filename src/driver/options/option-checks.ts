import { timerMs } from "../../core/timers.js";
import { ConfigurationError, NoSuchOptError } from "../exceptions.js";
import type { Overrides } from "../target.js";
import { isJsonObject } from "../values/json.js";
import { kindOf } from "./option-types.js";

/** Returns the value to use. Throws ConfigurationError for an invalid value. */
export type OptionCheck = (key: string, value: unknown) => unknown;

/** One check for each option of `T`. */
export type OptionChecks<T> = { readonly [K in keyof T]-?: OptionCheck };

/**
 * Validated copy of the options. An option that is `undefined` is omitted.
 *
 * @throws NoSuchOptError for an unknown option, by name.
 * @throws ConfigurationError for an invalid value, naming the option.
 */
export function checked<T extends object>(options: T, checks: OptionChecks<T>): T {
  const good: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined) good[key] = checkOf(checks, key, key)(key, value);
  }
  return good as T;
}

/** Checks the members of a nested object. Errors name them by their path: `tls.ca`. */
export function members<T extends object>(checks: OptionChecks<T>): OptionCheck {
  return (key, value) => {
    if (!isJsonObject(value)) return refuse(key, value, "an object");
    const given = Object.entries(value).filter(([, member]) => member !== undefined);
    const good = given.map(([name, member]) => {
      const path = `${key}.${name}`;
      return [name, checkOf(checks, name, path)(path, member)];
    });
    return Object.fromEntries(good);
  };
}

/** The same as `checked`, for overrides: `null` clears an option. */
export function checkedOverrides<T extends object>(overrides: Overrides<T>, checks: OptionChecks<T>): Overrides<T> {
  const entries = Object.entries(overrides).filter(([, value]) => value !== undefined);
  const good = entries.map(([key, value]) => {
    const check = checkOf(checks, key, key);
    return [key, value === null ? null : check(key, value)];
  });
  return Object.fromEntries(good) as Overrides<T>;
}

/** The value after an override: `undefined` inherits, `null` clears. */
export function overridden<T>(inherited: T | undefined, override: T | null | undefined): T | undefined {
  return override === undefined ? inherited : (override ?? undefined);
}

/**
 * A positive number of milliseconds, reduced to what a timer can wait. 0 does not disable a timeout: oslo treats it as
 * omitted.
 */
export const positiveMs: OptionCheck = (key, value) => {
  if (typeof value === "number" && value > 0) return timerMs(value);
  return refuse(key, value, "a positive number of milliseconds");
};

export const callback: OptionCheck = (key, value) => {
  return typeof value === "function" ? value : refuse(key, value, "a function");
};

/** Checked by its shape: frames of a page and test DOMs have their own AbortSignal class. */
export const abortSignal: OptionCheck = (key, value) => {
  return isJsonObject(value) && "aborted" in value && "reason" in value ? value : refuse(key, value, "an AbortSignal");
};

const SERIALIZER = ["serializeEntity", "deserializeEntity", "serializeContext", "deserializeContext"] as const;

export const serializer: OptionCheck = (key, value) => {
  if (isJsonObject(value) && SERIALIZER.every((name) => typeof Reflect.get(value, name) === "function")) return value;
  return refuse(key, value, `an object with the methods ${SERIALIZER.join(", ")}`);
};

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** A logger, or null for none. */
export const logger: OptionCheck = (key, value) => {
  if (value === null) return value;
  if (isJsonObject(value) && LEVELS.every((level) => typeof Reflect.get(value, level) === "function")) return value;
  return refuse(key, value, `an object with the methods ${LEVELS.join(", ")}, or null`);
};

/** `path` names the option in errors. */
function checkOf<T extends object>(checks: OptionChecks<T>, key: string, path: string): OptionCheck {
  const check: unknown = Object.hasOwn(checks, key) ? Reflect.get(checks, key) : undefined;
  if (typeof check !== "function") throw new NoSuchOptError(path, "unknown option");
  return check as OptionCheck;
}

/** The error never shows the content of a string or an object: it may be a secret. */
function refuse(key: string, value: unknown, expected: string): never {
  throw new ConfigurationError(key, `must be ${expected}, not ${typeof value === "number" ? value : kindOf(value)}`);
}
