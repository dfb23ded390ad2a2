import type { Scenario } from "../scenario.js";
import { CONNECTION } from "./connection.js";
import { NOTIFICATIONS } from "./notifications.js";
import { RPC } from "./rpc.js";

const SCENARIOS: readonly Scenario[] = [...RPC, ...NOTIFICATIONS, ...CONNECTION];

/** What is shown in every runtime that uses this URL scheme. */
export function scenariosBy(scheme: string): readonly Scenario[] {
  return SCENARIOS.filter(({ schemes }) => schemes?.includes(scheme) ?? true);
}
