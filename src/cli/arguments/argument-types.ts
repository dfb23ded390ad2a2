import { InvalidArgumentError } from "commander";
import { toError } from "../../core/errors.js";
import { LONGEST_TIMER_MS } from "../../core/timers.js";
import { fromJson } from "../../driver/values/json.js";
import { UsageError } from "../exit-status.js";

/** Seconds above 0, as milliseconds. More than a timer can wait is cut to that. */
export function seconds(text: string): number {
  const ms = Number(text) * 1_000;
  if (text.trim() === "" || !Number.isFinite(ms) || ms <= 0)
    throw new InvalidArgumentError("It must be seconds, above 0.");
  return Math.min(ms, LONGEST_TIMER_MS);
}

export function port(text: string): number {
  return wholeNumber(text, 0, 65_535);
}

/** A name or an address to listen on, which goes into configurations as it is. */
export function host(text: string): string {
  if (!/^[\w.:-]+$/.test(text)) throw new InvalidArgumentError("It must be a host name or an IP address.");
  return text;
}

/** oslo's `retry`. */
export function retries(text: string): number {
  return wholeNumber(text, -1, Number.MAX_SAFE_INTEGER);
}

export function count(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER);
}

/** `major.minor`, or `major.minor.revision`. */
export function version(text: string): string {
  if (!/^\d+\.\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError("It must be two or three numbers, as in 1.0.");
  return text;
}

/** For an option that may be given several times. */
export function several(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** Any JSON value. Large integers become bigints. Nothing of the text is shown when it is wrong: it may hold a secret. */
export function jsonValue(name: string, text: string): unknown {
  try {
    return fromJson(text, name);
  } catch (error) {
    throw new UsageError(toError(error).message);
  }
}

export function jsonObject(name: string, text: string): Record<string, unknown> {
  const value = jsonValue(name, text);
  if (!isObject(value)) throw new UsageError(`${name} must be a JSON object`);
  return value;
}

/** For `--context`. */
export function context(text: string): Record<string, unknown> {
  return jsonObject("--context", text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wholeNumber(text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most) {
    throw new InvalidArgumentError(`It must be a whole number, at least ${least}.`);
  }
  return value;
}
