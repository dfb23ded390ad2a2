import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Target } from "../entry/node.js";
import { UsageError } from "./exit-status.js";

/**
 * The endpoints that an ES module exports as its default: one, or an array of them.
 *
 * @throws UsageError if the module cannot be loaded, or its default export is something else.
 */
export async function loadEndpoints(file: string): Promise<readonly object[]> {
  const { default: exported } = await load(file);
  const endpoints: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  if (endpoints.every(isObject)) return endpoints;
  throw new UsageError(`--module ${file}: its default export must be an endpoint, or an array of them`);
}

/**
 * Sets the target of an endpoint that has none, and returns the endpoint: a copy would lack its private members.
 *
 * @throws UsageError if the endpoint has no target and is frozen.
 */
export function withTarget(endpoint: object, target: Target): object {
  if (Reflect.get(endpoint, "target") !== undefined) return endpoint;
  if (Reflect.defineProperty(endpoint, "target", { value: target })) return endpoint;
  throw new UsageError("--namespace and --version cannot be applied to a frozen endpoint: give it a target");
}

async function load(file: string): Promise<{ default?: unknown }> {
  try {
    return await import(pathToFileURL(resolve(file)).href);
  } catch (cause) {
    throw new UsageError(`--module ${file} could not be loaded`, { cause });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
