import type { Transport } from "../../entry/node.js";
import { isRabbit } from "./exchange.js";

const DEFAULT_MS = 30_000;

/**
 * The time limit of a cast or a notification. Over rabbit:// the driver has no default and would wait for a broker for ever:
 * the command takes that of amqp://.
 */
export function sendTimeoutMs(transport: Transport, given: number | undefined): number | undefined {
  return given ?? (isRabbit(transport) ? DEFAULT_MS : undefined);
}
