import { expect, test, vi } from "vitest";
import { loggerOf } from "@/src/core/logger.js";

test("a logger that throws or rejects affects nothing", async () => {
  const unhandled = vi.fn<(reason: unknown) => void>();
  process.on("unhandledRejection", unhandled);
  const fail = () => {
    throw new Error("no space");
  };
  const reject = async () => fail();
  for (const level of [fail, reject]) {
    const logger = loggerOf({ debug: level, info: level, warn: level, error: level });
    expect(() => logger.error("failed", {})).not.toThrow();
  }
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});
