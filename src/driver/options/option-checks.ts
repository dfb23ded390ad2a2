import { LONGEST_TIMER_MS } from "../../core/timers.js";
import { ConfigurationError, NoSuchOptError } from "../exceptions.js";
import type { Overrides } from "../target.js";
import { isJsonObject } from "../values/json.js";

/** Gives back a good value, throws ConfigurationError for a bad one. */
export type OptionCheck = (key: string, value: unknown) => unknown;

/** One check for every option of `T`. */
export type OptionChecks<T> = { readonly [K in keyof T]-?: OptionCheck };

/**
 * Options at the door, as they can be used. One that is `undefined` is absent.
 *
 * @throws NoSuchOptError for one that does not exist, ConfigurationError for a bad value: both name it.
 */
export function checked<T extends object>(options: T, checks: OptionChecks<T>): T {
  const good: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined) good[key] = checkOf(checks, key, key)(key, value);
  }
  return good as T;
}

/** Of an object within the options, whose members errors call `tls.ca`. */
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

/** The same for overrides, where `null` clears. */
export function checkedOverrides<T extends object>(overrides: Overrides<T>, checks: OptionChecks<T>): Overrides<T> {
  const entries = Object.entries(overrides).filter(([, value]) => value !== undefined);
  const good = entries.map(([key, value]) => {
    const check = checkOf(checks, key, key);
    return [key, value === null ? null : check(key, value)];
  });
  return Object.fromEntries(good) as Overrides<T>;
}

/** The value after an override: absent inherits, `null` clears. */
export function overridden<T>(inherited: T | undefined, override: T | null | undefined): T | undefined {
  return override === undefined ? inherited : (override ?? undefined);
}

/** Milliseconds above 0. 0 is no way to say "none": oslo took it for "not given". */
export const positiveMs: OptionCheck = (key, value) => {
  if (typeof value === "number" && value > 0) return Math.min(value, LONGEST_TIMER_MS);
  return refuse(key, value, "a number of milliseconds above 0");
};

export const callback: OptionCheck = (key, value) => {
  return typeof value === "function" ? value : refuse(key, value, "a function");
};

/** By its shape: the frames of a page and the DOM of a test have classes of their own. */
export const abortSignal: OptionCheck = (key, value) => {
  return isJsonObject(value) && "aborted" in value && "reason" in value ? value : refuse(key, value, "an AbortSignal");
};

const SERIALIZER = ["serializeEntity", "deserializeEntity", "serializeContext", "deserializeContext"] as const;

export const serializer: OptionCheck = (key, value) => {
  if (isJsonObject(value) && SERIALIZER.every((name) => typeof Reflect.get(value, name) === "function")) return value;
  return refuse(key, value, `an object with the methods ${SERIALIZER.join(", ")}`);
};

/** `path`: what errors call it. */
function checkOf<T extends object>(checks: OptionChecks<T>, key: string, path: string): OptionCheck {
  const check: unknown = Object.hasOwn(checks, key) ? Reflect.get(checks, key) : undefined;
  if (typeof check !== "function") throw new NoSuchOptError(path, "there is no such option");
  return check as OptionCheck;
}

/** Shows no content of an object: it might hold a secret. */
function refuse(key: string, value: unknown, wanted: string): never {
  const shown = value === null || typeof value === "number" ? String(value) : `a ${typeof value}`;
  throw new ConfigurationError(key, `must be ${wanted}, not ${shown}`);
}
