import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { offAbort, onAbort } from "@/src/core/abort.js";

it("all callbacks of a signal share one listener, which is removed with the last of them", () => {
  const { signal } = new AbortController();
  const callbacks = Array.from({ length: 40 }, () => () => {});
  for (const callback of callbacks) onAbort(signal, callback);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  for (const callback of callbacks) {
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    offAbort(signal, callback);
  }
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

it("an abort calls each callback in order, except those that an earlier one removes", () => {
  const abort = new AbortController();
  const { signal } = abort;
  const called: number[] = [];
  const second = () => called.push(2);
  onAbort(signal, () => {
    called.push(1);
    offAbort(signal, second);
  });
  onAbort(signal, second);
  onAbort(signal, () => called.push(3));
  abort.abort();
  expect(called).toEqual([1, 3]);
});

it("a signal has a listener again after its callbacks were removed", () => {
  const abort = new AbortController();
  const called: string[] = [];
  const callback = () => called.push("aborted");
  onAbort(abort.signal, callback);
  offAbort(abort.signal, callback);
  onAbort(abort.signal, callback);
  abort.abort();
  expect(called).toEqual(["aborted"]);
});

it("an omitted signal is ignored", () => {
  onAbort(undefined, () => {});
  offAbort(undefined, () => {});
});
