import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KnownIds } from "@/src/driver/values/known-ids.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("known ids", () => {
  it("the newest 10,000 ids are known", () => {
    const ids = new KnownIds();
    for (let id = 0; id < 10_000; id++) ids.add(`${id}`);
    expect(["0", "9999", "10000"].map((id) => ids.has(id))).toEqual([true, true, false]);
    ids.add("10000");
    expect(["0", "1", "10000"].map((id) => ids.has(id))).toEqual([false, true, true]);
  });

  it("an id is known for the longest age that is asked for", () => {
    const ids = new KnownIds();
    ids.add("a");
    vi.advanceTimersByTime(1_000);
    expect([ids.has("a"), ids.has("a", 1_001), ids.has("a", 1_000)]).toEqual([true, true, false]);
  });

  it("an id of more than 2,048 characters is not remembered", () => {
    const ids = new KnownIds();
    for (const length of [2_048, 2_049]) ids.add("x".repeat(length));
    expect([2_048, 2_049].map((length) => ids.has("x".repeat(length)))).toEqual([true, false]);
  });
});
