import type { Scenario } from "@/test/fixtures/runtimes/scenario.js";
import { CONNECTION } from "./connection.js";
import { NOTIFICATIONS } from "./notifications.js";
import { RPC } from "./rpc.js";

const SCENARIOS: readonly Scenario[] = [...RPC, ...NOTIFICATIONS, ...CONNECTION];

/** One call, and notifications: where nothing else is to be expected than what all of them have shown beside it. */
export const BRIEFLY: readonly string[] = [
  "a call is answered by Python with any JSON, and its context arrives",
  "notifications of every priority reach Python as such, by both drivers",
];

/** What is shown in every runtime that uses this URL scheme, or of that what has these names. */
export function scenariosBy(scheme: string, only?: readonly string[]): readonly Scenario[] {
  const all = SCENARIOS.filter(({ schemes }) => schemes?.includes(scheme) ?? true);
  return only === undefined ? all : only.map((name) => named(name, all));
}

function named(name: string, all: readonly Scenario[]): Scenario {
  const scenario = all.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario "${name}"`);
  return scenario;
}
