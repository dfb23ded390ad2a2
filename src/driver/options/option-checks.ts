import { isRecord, kindOf } from "../../core/kinds.js";
import { similarName } from "../../core/member-names.js";
import { timerMs } from "../../core/timers.js";
import { ConfigurationError, NoSuchOptError } from "../exceptions.js";
import type { Overrides } from "../target.js";
import { isJsonObject } from "../values/json.js";

/** Returns the value to use. Throws ConfigurationError for an invalid value. */
export type OptionCheck = (key: string, value: unknown) => unknown;

/** One check for each option of `T`. */
export type OptionChecks<T> = { readonly [K in keyof T]-?: OptionCheck };

/**
 * Validated copy of the options. An option that is `undefined` is omitted.
 *
 * @throws NoSuchOptError for an unknown option, by name, with a similar one.
 * @throws ConfigurationError for an invalid value, naming the option, and for options that are not an object.
 */
export function checked<T extends object>(options: T, checks: OptionChecks<T>): T {
  const good: Record<string, unknown> = {};
  for (const [key, value] of membersOf("options", options, checks)) {
    if (value !== undefined) good[key] = checkOf(checks, key, key)(key, value);
  }
  return good as T;
}

/** Checks the members of a nested object. Errors name them by their path: `tls.ca`. */
export function members<T extends object>(checks: OptionChecks<T>): OptionCheck {
  return (key, value) => {
    const given = membersOf(key, value, checks).filter(([, member]) => member !== undefined);
    const good = given.map(([name, member]) => {
      const path = `${key}.${name}`;
      return [name, checkOf(checks, name, path)(path, member)];
    });
    return Object.fromEntries(good);
  };
}

/** The same as `checked`, for overrides: `null` clears an option. */
export function checkedOverrides<T extends object>(overrides: Overrides<T>, checks: OptionChecks<T>): Overrides<T> {
  const entries = membersOf("overrides", overrides, checks).filter(([, value]) => value !== undefined);
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

const GETTERS = { rpc: "getRpcTransport", notify: "getNotificationTransport" };

/**
 * Checks the kind of a transport.
 *
 * @throws TypeError for any other value, naming the getter to use.
 */
export function checkTransport(transport: unknown, service: keyof typeof GETTERS): void {
  const given: unknown = Object(transport).service;
  if (given === service) return;
  const other = Object.hasOwn(GETTERS, String(given)) ? GETTERS[given as keyof typeof GETTERS] : kindOf(transport);
  throw new TypeError(`the transport must come from ${GETTERS[service]}, not ${other}`);
}

/**
 * Checks that endpoints are an array of objects. A class is an endpoint only if it has static methods.
 *
 * @throws TypeError that names the first other value.
 */
export function checkEndpoints(endpoints: unknown): void {
  if (!Array.isArray(endpoints))
    throw new TypeError(`the endpoints must be an array of them, not ${kindOf(endpoints)}`);
  for (const [index, endpoint] of endpoints.entries()) {
    const isClass = typeof endpoint === "function";
    const members: unknown[] = isClass ? Object.values(Object.getOwnPropertyDescriptors(endpoint)) : [];
    const kind = kindOf(endpoint);
    const isPromise = kind === "a Promise";
    if ((isJsonObject(endpoint) && !isPromise) || members.some((member) => typeof Object(member).value === "function"))
      continue;
    const cure = isClass ? ": use an instance of the class" : isPromise ? ": await it" : "";
    throw new TypeError(`endpoint ${index} must be an object with methods, not ${kind}${cure}`);
  }
}

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

function membersOf(key: string, value: unknown, checks: object): [key: string, value: unknown][] {
  return isRecord(value)
    ? Object.entries(value)
    : refuse(key, value, `an object { ${Object.keys(checks).join(", ")} }`);
}

/** `path` names the option in errors. */
function checkOf<T extends object>(checks: OptionChecks<T>, key: string, path: string): OptionCheck {
  const names = Object.keys(checks);
  const check: unknown = Object.hasOwn(checks, key) ? Reflect.get(checks, key) : undefined;
  if (typeof check !== "function")
    throw new NoSuchOptError(
      path,
      `unknown option${similarName(key, names) || `, the options are ${names.join(", ")}`}`,
    );
  return check as OptionCheck;
}

/** The error never shows the content of a string or an object: it may be a secret. */
function refuse(key: string, value: unknown, expected: string): never {
  throw new ConfigurationError(key, `must be ${expected}, not ${typeof value === "number" ? value : kindOf(value)}`);
}
