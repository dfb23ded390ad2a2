import { describe, expect, test } from "vitest";
import { Consumer } from "@/src/intermediary/consumer.js";
import { Rotation } from "@/src/intermediary/rotation.js";

describe("Rotation", () => {
  test("a rotation picks equally loaded consumers in turn", () => {
    const { rotation, consumers } = ready([10, 10, 10]);
    const picked = [1, 2, 3, 4, 5, 6].map(() => rotation.pick());
    for (const consumer of consumers) expect(picked.filter((one) => one === consumer)).toHaveLength(2);
  });

  test("a rotation prefers the consumer with the fewest unsettled messages", () => {
    const { rotation, consumers } = ready([10, 10, 10]);
    const [first, , third] = consumers;
    for (const consumer of [first, third]) consumer?.send(new Uint8Array(0), false, () => {});
    expect(rotation.pick()).toBe(consumers[1]);
    expect(rotation.pick()).toBe(consumers[1]);
  });

  test("a rotation skips a consumer without credit until it is added again", () => {
    const { rotation, consumers, credits } = ready([0, 1, 0]);
    expect(rotation.pick()).toBe(consumers[1]);
    expect(rotation.room()).toBe(1);
    credits[0] = 5;
    expect(rotation.pick()).toBe(consumers[1]);
    const [first] = consumers;
    if (first !== undefined) rotation.add(first);
    expect(rotation.room()).toBe(6);
  });

  test("a rotation picks nothing when no consumer has credit or all are deleted", () => {
    expect(ready([0, 0]).rotation.pick()).toBeUndefined();
    const { rotation, consumers } = ready([1, 1]);
    for (const consumer of consumers) rotation.delete(consumer);
    expect(rotation.pick()).toBeUndefined();
    expect(rotation.room()).toBe(0);
  });

  test("a rotation keeps the other consumers when one is deleted", () => {
    const { rotation, consumers } = ready([1, 1, 1, 1, 1]);
    const [first] = consumers;
    if (first !== undefined) rotation.delete(first);
    const picked = new Set(consumers.slice(1).map(() => rotation.pick()));
    expect(picked).toEqual(new Set(consumers.slice(1)));
  });

  test("a pick compares only a few of 10,000 consumers", () => {
    let looks = 0;
    const { rotation } = ready(
      Array.from({ length: 10_000 }, () => 1),
      () => looks++,
    );
    looks = 0;
    for (let i = 0; i < 1000; i++) rotation.pick();
    expect(looks).toBeLessThan(20_000);
  });
});

/** A rotation of consumers with these credits. */
function ready(credits: number[], onLook = () => {}) {
  const rotation = new Rotation();
  const consumers = credits.map((_, index) => {
    const sender = {
      get credit() {
        onLook();
        return credits[index] ?? 0;
      },
      queued: 0,
      send: () => new Promise<never>(() => {}),
      close: async () => {},
    };
    return new Consumer({ settleMode: "mixed", open: () => sender }, { passed: 0 }, { onCredit() {}, onDetach() {} });
  });
  for (const consumer of consumers) rotation.add(consumer);
  return { rotation, consumers, credits };
}
