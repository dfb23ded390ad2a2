import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Target } from "../entry/node.js";
import { UsageError } from "./exit-status.js";

/** The endpoints that an ES module exports as its default: one, or an array of them. */
export async function loadEndpoints(file: string): Promise<readonly object[]> {
  const { default: exported } = await load(file);
  const endpoints: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  if (endpoints.every(isObject)) return endpoints;
  throw new UsageError(`--module ${file}: its default export must be an endpoint, or an array of them`);
}

/** Gives an endpoint that has no target this one. The endpoint itself, not a copy, which would lack its private members. */
export function withTarget(endpoint: object, target: Target): object {
  if (Reflect.get(endpoint, "target") !== undefined) return endpoint;
  if (Reflect.defineProperty(endpoint, "target", { value: target })) return endpoint;
  throw new UsageError("--namespace and --version cannot be given to a frozen endpoint: it needs a target of its own");
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
