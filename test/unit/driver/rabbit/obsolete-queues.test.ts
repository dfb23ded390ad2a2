import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ObsoleteQueues } from "@/src/driver/rabbit/obsolete-queues.js";

describe("the cache of obsolete reply queues", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("has a queue for 60 s from its last addition", () => {
    const queues = new ObsoleteQueues();
    queues.add("a");
    vi.advanceTimersByTime(59_999);
    expect(queues.has("a")).toBe(true);
    queues.add("a");
    vi.advanceTimersByTime(59_999);
    expect(queues.has("a")).toBe(true);
    vi.advanceTimersByTime(1);
    expect(queues.has("a")).toBe(false);
    expect(queues.has("b")).toBe(false);
  });

  test("has the 200 newest queues", () => {
    const queues = new ObsoleteQueues();
    for (let i = 0; i < 200; i++) queues.add(`q${i}`);
    queues.add("q0");
    queues.add("q200");
    const known = Array.from({ length: 201 }, (_, i) => `q${i}`).filter((queue) => queues.has(queue));
    expect(known.length).toBe(200);
    expect(known.includes("q1")).toBe(false);
  });
});
