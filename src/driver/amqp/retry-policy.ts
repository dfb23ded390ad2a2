import type { RetryPolicy } from "../../core/connection/supervisor.js";
import type { ResolvedOptions } from "../options/option-table.js";

type RetryOptions = Pick<
  ResolvedOptions,
  "connectionRetryIntervalMs" | "connectionRetryBackoff" | "connectionRetryIntervalMaxMs"
>;

/**
 * A pause after each failed attempt, multiplied by the back-off after each further one
 * (oslo_messaging/_drivers/amqp1_driver/controller.py). One difference from oslo: half of each pause is random, because clients
 * that are disconnected together must not reconnect together.
 */
export function retryPolicy(options: RetryOptions): RetryPolicy {
  const { connectionRetryIntervalMs, connectionRetryBackoff, connectionRetryIntervalMaxMs } = options;
  const factor = Math.max(1, connectionRetryBackoff);
  const maxMs = Math.max(connectionRetryIntervalMs, connectionRetryIntervalMaxMs);
  return {
    pauseMs: (count, random) => (Math.min(connectionRetryIntervalMs * factor ** (count - 1), maxMs) * (1 + random)) / 2,
  };
}
