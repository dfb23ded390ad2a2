import type { Environment, Scenario } from "@/test/fixtures/runtimes/scenario.js";
import { CONNECTION } from "./connection.js";
import { NOTIFICATIONS } from "./notifications.js";
import { RPC } from "./rpc.js";

const SCENARIOS: readonly Scenario[] = [...RPC, ...NOTIFICATIONS, ...CONNECTION];

/** Calls and notifications, both ways: for a runtime that runs the other scenarios elsewhere, such as the workers of a browser. */
export const BRIEFLY: readonly string[] = [
  "a Python server answers a call with any JSON value, and gets its context",
  "a server in this runtime answers a Python client with any JSON value, and gets its context",
  "notifications of every priority reach Python's method of that name, by both drivers",
  "Python's notifications of every priority reach the method of that name, by both drivers",
];

/** Scenarios of every runtime that uses this protocol and URL scheme, or those with these names. */
export function scenariosFor({
  protocol,
  scheme,
  only,
}: Pick<Environment, "protocol" | "scheme" | "only">): readonly Scenario[] {
  const all = SCENARIOS.filter(
    (scenario) => (scenario.protocol ?? protocol) === protocol && (scenario.schemes?.includes(scheme) ?? true),
  );
  return only === undefined ? all : only.map((name) => named(name, all));
}

function named(name: string, all: readonly Scenario[]): Scenario {
  const scenario = all.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`unknown scenario "${name}"`);
  return scenario;
}
