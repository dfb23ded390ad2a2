import type { Scenario } from "../scenario.js";
import { RPC } from "./rpc.js";

/** What is shown in every runtime. */
export const SCENARIOS: readonly Scenario[] = [...RPC];
