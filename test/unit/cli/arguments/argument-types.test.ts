import { expect, it } from "vitest";
import { seconds } from "@/src/cli/arguments/argument-types.js";
import { LONGEST_TIMER_MS } from "@/src/core/timers.js";

it("seconds are converted to milliseconds, at most as many as a timer can wait", () => {
  expect(["0.5", "60", "1e9"].map(seconds)).toEqual([500, 60_000, LONGEST_TIMER_MS]);
});

it.each(["", " ", "0", "-1", "soon", "Infinity"])("%j is refused as a number of seconds", (text) => {
  expect(() => seconds(text)).toThrow("Must be a positive number of seconds");
});
