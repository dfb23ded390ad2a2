import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deadlines, type WaitPhase } from "@/src/core/deadlines.js";
import { Deferred } from "@/src/core/deferred.js";
import { LONGEST_TIMER_MS } from "@/src/core/timers.js";

const never = new Promise<never>(() => {});

function expired(phase: WaitPhase): Error {
  return new Error(`over in ${phase}`);
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("Deadline", () => {
  it("a deadline ends the wait with an error for its current phase", async () => {
    const deadline = new Deadlines().start({ ms: 100, expired });
    expect(await deadline.wait("connecting", () => Promise.resolve(1))).toBe(1);
    const reply = expect(deadline.wait("reply", () => never)).rejects.toThrow("over in reply");
    await vi.advanceTimersByTimeAsync(120);
    await reply;
  });

  it("a deadline expires soon after its time, and never before", async () => {
    const deadline = new Deadlines().start({ ms: 100, expired });
    let over = false;
    deadline.beginWait("credit", () => {
      over = true;
    });
    await vi.advanceTimersByTimeAsync(99);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(20);
    expect(over).toBe(true);
  });

  it("a wait that ends leaves the one that began after it", async () => {
    const deadline = new Deadlines().start({ ms: 100, expired });
    const connected = new Deferred();
    const first = deadline.wait("connecting", () => connected.promise);
    const reply = expect(deadline.wait("reply", () => never)).rejects.toThrow("over in reply");
    connected.resolve();
    await first;
    await vi.advanceTimersByTimeAsync(120);
    await reply;
  });

  it("an expired deadline refuses every later wait", async () => {
    const deadline = new Deadlines().start({ ms: 1, expired });
    await vi.advanceTimersByTimeAsync(20);
    await expect(deadline.wait("credit", () => never)).rejects.toThrow("over in connecting");
    let reason: unknown;
    deadline.beginWait("reply", (ended) => {
      reason = ended;
    });
    expect(reason).toEqual(new Error("over in connecting"));
  });

  it("a deadline ends with the reason of the caller's signal, even if it was aborted before", async () => {
    const abort = new AbortController();
    const wait = expect(
      new Deadlines().start({ signal: abort.signal, expired }).wait("credit", () => never),
    ).rejects.toThrow("enough");
    abort.abort(new Error("enough"));
    await wait;
    const late = new Deadlines().start({ signal: abort.signal, expired });
    await expect(late.wait("connecting", () => never)).rejects.toThrow("enough");
  });

  it("a deadline that is done leaves neither a timer nor a listener", () => {
    const abort = new AbortController();
    const deadlines = new Deadlines();
    const [a, b] = [1000, 2000].map((ms) => deadlines.start({ ms, signal: abort.signal, expired }));
    a?.done();
    expect(vi.getTimerCount()).toBe(1);
    b?.done();
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  it("a deadline beyond the longest timer takes several timers, and expires at its time", async () => {
    const timers = vi.spyOn(globalThis, "setTimeout");
    const deadline = new Deadlines().start({ ms: LONGEST_TIMER_MS + 10_000, expired });
    let over = false;
    deadline.beginWait("reply", () => {
      over = true;
    });
    await vi.advanceTimersByTimeAsync(LONGEST_TIMER_MS + 9_000);
    expect([over, timers.mock.calls.length]).toEqual([false, 2]);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(over).toBe(true);
  });

  it("a deadline of exactly the longest timer, or of Infinity, makes no longer one", () => {
    const timers = vi.spyOn(globalThis, "setTimeout");
    for (const ms of [LONGEST_TIMER_MS, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
      new Deadlines().start({ ms, expired });
    }
    for (const [, ms] of timers.mock.calls) expect(ms).toBeLessThanOrEqual(LONGEST_TIMER_MS);
    expect(timers.mock.calls.length).toBe(2);
  });
});

it("any number of deadlines share one timer and expire in order of their times", async () => {
  const deadlines = new Deadlines();
  const passed: number[] = [];
  for (const ms of [500, 100, 300, 200, 400]) {
    deadlines.start({ ms, expired }).beginWait("reply", () => passed.push(ms));
  }
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(350);
  expect(passed).toEqual([100, 200, 300]);
  await vi.advanceTimersByTimeAsync(350);
  expect(passed).toEqual([100, 200, 300, 400, 500]);
  expect(vi.getTimerCount()).toBe(0);
});

it("the other deadlines expire when creating the error for one throws", async () => {
  const deadlines = new Deadlines();
  const mistake = (): Error => {
    throw new Error("the user's mistake");
  };
  const waits = Promise.allSettled([
    deadlines.start({ ms: 100, expired: mistake }).wait("reply", () => never),
    deadlines.start({ ms: 100, expired }).wait("credit", () => never),
    deadlines.start({ ms: 200, expired }).wait("reply", () => never),
  ]);
  await vi.advanceTimersByTimeAsync(250);
  expect((await waits).map((wait) => wait.status === "rejected" && wait.reason.message)).toEqual([
    "the user's mistake",
    "over in credit",
    "over in reply",
  ]);
});
