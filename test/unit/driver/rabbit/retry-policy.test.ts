import { describe, expect, test } from "vitest";
import { resolveRabbitOptions } from "@/src/driver/rabbit/options.js";
import { retryPolicy } from "@/src/driver/rabbit/retry-policy.js";

const policyOf = (query: Record<string, string> = {}) => retryPolicy(resolveRabbitOptions({ query }));

/** The shortest and the longest length of each of the first pauses, in milliseconds. */
function pauses(query: Record<string, string>, count: number): [number, number][] {
  const policy = policyOf(query);
  return Array.from({ length: count }, (_, index) => [policy.pauseMs(index + 1, 0), policy.pauseMs(index + 1, 1)]);
}

/** Longest lengths of the first pauses in seconds, without a lowest pause. */
function longest(query: Record<string, string>, count: number): number[] {
  return pauses({ ...query, kombu_reconnect_delay: "0" }, count).map(([, ms]) => ms / 1_000);
}

describe("the retry policy of rabbit", () => {
  test("pauses grow by rabbit_retry_backoff, up to rabbit_interval_max beyond the first one, as in kombu", {
    tags: ["failover:back-off"],
  }, () => {
    expect(longest({}, 18)).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 31, 31]);
    const query = { rabbit_retry_interval: "5", rabbit_retry_backoff: "10", rabbit_interval_max: "20" };
    expect(longest(query, 4)).toEqual([5, 15, 25, 25]);
    expect(longest({ rabbit_retry_backoff: "0" }, 3)).toEqual([1, 1, 1]);
  });

  test("half of each pause is random, and none is shorter than kombu_reconnect_delay", {
    tags: ["failover:jitter"],
  }, () => {
    expect(pauses({}, 3)).toEqual([
      [1_000, 1_500],
      [1_500, 3_000],
      [2_500, 5_000],
    ]);
    expect(pauses({ kombu_reconnect_delay: "0" }, 2)).toEqual([
      [500, 1_000],
      [1_500, 3_000],
    ]);
    expect(pauses({ kombu_reconnect_delay: "4.5" }, 1)).toEqual([[4_500, 5_000]]);
  });

  test("kombu_reconnect_splay lengthens the random part, and is the longest pause between the hosts of a round", () => {
    expect(pauses({ kombu_reconnect_splay: "10" }, 1)).toEqual([[1_000, 11_500]]);
    expect(policyOf({ kombu_reconnect_splay: "10" }).betweenHostsMs?.(0.5)).toBe(5_000);
    expect(policyOf().betweenHostsMs?.(0.5)).toBe(0);
  });

  test("round-robin keeps the order of the hosts, and shuffle makes every order", { tags: ["failover:order"] }, () => {
    expect(policyOf({ kombu_failover_strategy: "round-robin" }).order).toBeUndefined();
    const { order } = policyOf({ kombu_failover_strategy: "shuffle" });
    const orders = new Set<string>();
    for (const second of [0, 0.5]) {
      for (const third of [0, 0.4, 0.7]) {
        const chosen = [0, second, third];
        orders.add(order?.(["a", "b", "c"], () => chosen.shift() ?? 0).join("") ?? "");
      }
    }
    expect([...orders].sort()).toEqual(["abc", "acb", "bac", "bca", "cab", "cba"]);
  });
});
