import { InvalidArgumentError } from "commander";
import { toError } from "../../core/errors.js";
import { timerMs } from "../../core/timers.js";
import { fromJson } from "../../driver/values/json.js";
import { UsageError } from "../exit-status.js";

/** Parses a positive number of seconds. Returns whole milliseconds, at most as many as a timer can wait. */
export function seconds(text: string): number {
  const ms = Number(text) * 1_000;
  if (text.trim() === "" || !Number.isFinite(ms) || ms <= 0)
    throw new InvalidArgumentError("Must be a positive number of seconds");
  return timerMs(Math.ceil(ms)); // AbortSignal.timeout refuses fractions
}

export function port(text: string): number {
  return wholeNumber(text, 0, 65_535);
}

/** Checks a host name or IP address to listen on; recipes write it as it is. */
export function host(text: string): string {
  if (!/^[\w.:-]+$/.test(text)) throw new InvalidArgumentError("Must be a host name or an IP address");
  return text;
}

/** A host name or IP address, IPv6 without brackets, and a port. */
export interface HostAndPort {
  hostname: string;
  port: number;
}

/** Parses `host:port` or `[IPv6]:port` to listen on. Port 0 means any free port. */
export function listenAddress(text: string): HostAndPort {
  return hostAndPort(text, 0, "127.0.0.1:15673 or [::1]:15673");
}

/** Parses `host:port` or `[IPv6]:port` to connect to. */
export function targetAddress(text: string): HostAndPort {
  return hostAndPort(text, 1, "rabbit.example.org:5672 or [::1]:5672");
}

/** Parses oslo's `retry`. */
export function retries(text: string): number {
  return wholeNumber(text, -1, Number.MAX_SAFE_INTEGER);
}

export function count(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER);
}

/** Checks a version: `major.minor`, or `major.minor.revision`. */
export function version(text: string): string {
  if (!/^\d+\.\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError("Must be two or three numbers, as in 1.0");
  return text;
}

/** Collects the values of an option that may be repeated. */
export function several(text: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), text];
}

/**
 * Splits a text at the first separator.
 *
 * @throws UsageError, with this message, if the separator is missing or first. The text is not quoted: it may hold a secret.
 */
export function pair(text: string, separator: string, message: string): [left: string, right: string] {
  const at = text.indexOf(separator);
  if (at < 1) throw new UsageError(message);
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Parses a JSON value. Large integers become bigints.
 *
 * @throws UsageError if the text is not JSON. The message does not quote the text, which may hold a secret.
 */
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

/** Parses the value of `--context`. */
export function context(text: string): Record<string, unknown> {
  return jsonObject("--context", text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hostAndPort(text: string, minPort: number, examples: string): HostAndPort {
  const { name, ipv6, port } = /^(?:(?<name>[\w.-]+)|\[(?<ipv6>[\da-f:.]+)\]):(?<port>\d+)$/i.exec(text)?.groups ?? {};
  const hostname = name ?? ipv6;
  if (hostname === undefined || port === undefined)
    throw new InvalidArgumentError(`Must be HOST:PORT, as in ${examples}`);
  return { hostname, port: wholeNumber(port, minPort, 65_535) };
}

function wholeNumber(text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `, at least ${min}` : ` from ${min} to ${max}`;
    throw new InvalidArgumentError(`Must be an integer${range}`);
  }
  return value;
}
