import { describe, expect, test } from "vitest";
import { Budget, type Share } from "@/src/intermediary/budget.js";

describe("Budget", () => {
  test("a budget gives a single address half of its messages, and always leaves some for another", () => {
    const budget = new Budget({ messages: 100, bytes: 1e9 });
    const [first, second, third] = [budget.share(), budget.share(), budget.share()];
    expect(fill(first, 1)).toBe(50);
    expect(fill(second, 1)).toBe(25);
    expect(fill(third, 1)).toBe(13);
    expect(fill(budget.share(), 1)).toBeGreaterThan(0);
  });

  test("a budget limits bytes as well as messages", () => {
    const budget = new Budget({ messages: 1e9, bytes: 1000 });
    const share = budget.share();
    expect(share.take(1001)).toBe(false);
    expect(fill(share, 100)).toBe(5);
    expect(budget.bytes).toBe(500);
    expect(share.take(0)).toBe(true);
  });

  test("a budget has room again when messages are given back", () => {
    const budget = new Budget({ messages: 4, bytes: 100 });
    const share = budget.share();
    expect(fill(share, 10)).toBe(2);
    share.give(10);
    expect(share.messages).toBe(1);
    expect(share.take(10)).toBe(true);
    share.give(10);
    share.give(10);
    expect([budget.messages, budget.bytes]).toEqual([0, 0]);
  });
});

/** Takes until the budget refuses. Returns the number of messages taken. */
function fill(share: Share, bytes: number): number {
  let taken = 0;
  while (share.take(bytes)) taken++;
  return taken;
}
