import { describe, expect, it } from "vitest";
import { pause } from "@/src/core/timers.js";

describe("a pause", () => {
  it("ends after its time", async () => {
    await expect(pause(1, new AbortController().signal)).resolves.toBeUndefined();
  });

  it("ends with the signal's reason, at once when that has come before", async () => {
    const ending = new AbortController();
    const long = pause(2 ** 40, ending.signal);
    ending.abort(new Error("over"));
    await expect(long).rejects.toThrow("over");
    await expect(pause(2 ** 40, ending.signal)).rejects.toThrow("over");
  });
});
