import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RecurringWarnings } from "@/src/core/recurring-warnings.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const logger = new RecordingLogger();
  return { warnings: new RecurringWarnings(logger), logged: () => logger.of("warn") };
}

test("a condition is logged once, then at most every 60 s with a count", () => {
  const { warnings, logged } = setUp();
  for (let i = 0; i < 3; i++) warnings.warn("refused q", "no link to q");
  expect(logged()).toEqual(["no link to q"]);
  vi.advanceTimersByTime(59_999);
  warnings.warn("refused q", "no link to q");
  expect(logged()).toHaveLength(1);
  vi.advanceTimersByTime(1);
  warnings.warn("refused q", "no link to q");
  expect(logged()).toEqual(["no link to q", "no link to q (3 more since the last warning)"]);
});

test("a second condition is logged beside the first", () => {
  const { warnings, logged } = setUp();
  warnings.warn("refused q", "no link to q");
  warnings.warn("refused r", "no link to r");
  expect(logged()).toEqual(["no link to q", "no link to r"]);
});

test("the oldest of more than 1000 conditions is logged again", () => {
  const { warnings, logged } = setUp();
  for (let i = 0; i < 1_001; i++) warnings.warn(`refused ${i}`, `no link to ${i}`);
  warnings.warn("refused 1000", "no link to 1000");
  expect(logged()).toHaveLength(1_001);
  warnings.warn("refused 0", "no link to 0");
  expect(logged()).toHaveLength(1_002);
});
