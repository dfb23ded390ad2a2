import { toError } from "../../core/errors.js";
import { originOf } from "../../transports/node/origins.js";
import { UsageError } from "../exit-status.js";

/** @throws UsageError for a text that is not the origin of a page. */
export function origin(text: string): string {
  try {
    return originOf(text);
  } catch (cause) {
    throw new UsageError(`--origin: ${toError(cause).message}`, { cause });
  }
}

/** @throws UsageError, naming the option, if its port cannot be bound. */
export async function bound<T>(option: string, listening: Promise<T>): Promise<T> {
  try {
    return await listening;
  } catch (cause) {
    throw new UsageError(`${option}: ${toError(cause).message}`, { cause });
  }
}

/** An address at which clients on this machine reach a listener. */
export function localHost(host: string): string {
  return LOOPBACK_OF.get(host) ?? host;
}

/** Addresses that reach a server on every interface. */
const LOOPBACK_OF: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);
