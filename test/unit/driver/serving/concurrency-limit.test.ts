import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Deferred } from "@/src/core/deferred.js";
import { ConcurrencyLimit, type Release } from "@/src/driver/serving/concurrency-limit.js";

/** Items whose work ends when the test says so. */
class Works {
  readonly begun: number[] = [];
  readonly #unfinished = new Map<number, { done: Deferred; free: Release }>();

  readonly work = async (item: number, free: Release): Promise<void> => {
    this.begun.push(item);
    const done = new Deferred();
    this.#unfinished.set(item, { done, free });
    await done.promise;
  };

  free(item: number): void {
    this.#unfinished.get(item)?.free();
  }

  async finish(item: number): Promise<void> {
    this.#unfinished.get(item)?.done.resolve();
    this.#unfinished.delete(item);
    await new Promise((resolve) => setImmediate(resolve));
  }

  get unfinished(): number[] {
    return [...this.#unfinished.keys()];
  }
}

describe("A concurrency limit", () => {
  it("items start up to the limit, and the rest in order", async () => {
    const works = new Works();
    const slots = new ConcurrencyLimit(2, works.work);
    for (const item of [1, 2, 3, 4]) slots.add(item);
    expect(works.begun).toEqual([1, 2]);
    expect(slots.unfinishedItems).toBe(4);
    await works.finish(2);
    expect(works.begun).toEqual([1, 2, 3]);
    await works.finish(1);
    expect(works.begun).toEqual([1, 2, 3, 4]);
  });

  it("idle resolves when all items are finished", async () => {
    const works = new Works();
    const slots = new ConcurrencyLimit(1, works.work);
    await slots.idle(60_000);
    slots.add(1);
    slots.add(2);
    let idle = false;
    const waiting = slots.idle(60_000).then(() => {
      idle = true;
    });
    await works.finish(1);
    expect(idle).toBe(false);
    await works.finish(2);
    await waiting;
    expect(slots.unfinishedItems).toBe(0);
  });

  it("idle resolves when only items without a slot remain and none of them finishes for its time", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const works = new Works();
    const slots = new ConcurrencyLimit(2, works.work);
    for (const item of [1, 2, 3, 4]) slots.add(item);
    let left: number | undefined;
    const waiting = slots.idle(1_000).then((unfinished) => {
      left = unfinished;
    });
    for (const item of [1, 2, 3]) works.free(item);
    await vi.advanceTimersByTimeAsync(5_000); // the fourth still has its slot
    expect(left).toBeUndefined();
    works.free(4);
    await vi.advanceTimersByTimeAsync(999);
    slots.add(5); // something new
    await vi.advanceTimersByTimeAsync(5_000);
    expect(left).toBeUndefined();
    works.free(5);
    await vi.advanceTimersByTimeAsync(999);
    await works.finish(2); // progress
    await vi.advanceTimersByTimeAsync(999);
    expect(left).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(left).toBe(4);
    for (const item of [1, 3, 4, 5]) await works.finish(item);
    expect(await slots.idle(1_000)).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a slot that is freed early goes to the next item, once", async () => {
    const works = new Works();
    const slots = new ConcurrencyLimit(1, works.work);
    for (const item of [1, 2, 3]) slots.add(item);
    works.free(1);
    works.free(1);
    expect(works.begun).toEqual([1, 2]);
    await works.finish(1);
    expect(works.begun).toEqual([1, 2]);
    expect(slots.unfinishedItems).toBe(2);
    await works.finish(2);
    expect(works.begun).toEqual([1, 2, 3]);
  });

  it("slots that are freed early bound the number of unfinished items", async () => {
    const works = new Works();
    const slots = new ConcurrencyLimit(1, works.work);
    for (let item = 0; item < 20; item++) slots.add(item);
    for (let item = 0; item < 20; item++) works.free(item);
    expect(works.begun).toHaveLength(16);
    await works.finish(3);
    expect(works.begun).toHaveLength(17);
  });

  it("the limit is never exceeded, and every item starts once, in order, for any sequence of events", async () => {
    const step = fc.oneof(
      fc.constant({ type: "add" as const }),
      fc.record({ type: fc.constantFrom("free" as const, "finish" as const), index: fc.nat(20) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 40 }), async (size, steps) => {
        const works = new Works();
        const slots = new ConcurrencyLimit(size, works.work);
        const freed = new Set<number>();
        let added = 0;
        for (const each of steps) {
          if (each.type === "add") slots.add(added++);
          else {
            const item = works.unfinished[each.index];
            if (item === undefined) continue;
            if (each.type === "finish") await works.finish(item);
            else {
              freed.add(item);
              works.free(item);
            }
          }
          const holding = works.unfinished.filter((item) => !freed.has(item)).length;
          expect(holding).toBeLessThanOrEqual(size);
        }
        const idle = slots.idle(60_000);
        for (let item = works.unfinished[0]; item !== undefined; item = works.unfinished[0]) await works.finish(item);
        await idle;
        expect(works.begun).toEqual(Array.from({ length: added }, (_, index) => index));
      }),
      { numRuns: 50 },
    );
  });
});
