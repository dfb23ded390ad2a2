import type { RetryPolicy } from "../../core/connection/supervisor.js";
import type { ResolvedRabbitOptions } from "./option-table.js";

type RetryOptions = Pick<
  ResolvedRabbitOptions,
  | "rabbitRetryIntervalMs"
  | "rabbitRetryBackoffMs"
  | "rabbitIntervalMaxMs"
  | "kombuReconnectDelayMs"
  | "kombuReconnectSplayMs"
  | "kombuFailoverStrategy"
>;

/**
 * A pause after each round of hosts, longer by the back-off after each further round
 * (oslo_messaging/_drivers/impl_rabbit.py, Connection.ensure_connection). As in kombu, the longest pause is `rabbit_interval_max`
 * beyond the first one. Two differences from oslo: `kombu_reconnect_delay` is the shortest pause, not an addition to each one,
 * and half of each pause is random, because clients that are disconnected together must not reconnect together.
 */
export function retryPolicy(options: RetryOptions): RetryPolicy {
  const { rabbitRetryIntervalMs: firstMs, kombuReconnectDelayMs, kombuReconnectSplayMs } = options;
  const maxMs = firstMs + options.rabbitIntervalMaxMs;
  const policy: RetryPolicy = {
    pauseMs: (count, random) => {
      const halfMs = Math.min(firstMs + (count - 1) * options.rabbitRetryBackoffMs, maxMs) / 2;
      return Math.max(kombuReconnectDelayMs, halfMs) + random * (halfMs + kombuReconnectSplayMs);
    },
    betweenHostsMs: (random) => random * kombuReconnectSplayMs,
  };
  return options.kombuFailoverStrategy === "shuffle" ? { ...policy, order: shuffled } : policy;
}

/** The items in a random order, each order as likely as the others. */
function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const order: T[] = [];
  for (const item of items) order.splice(Math.floor(random() * (order.length + 1)), 0, item);
  return order;
}
