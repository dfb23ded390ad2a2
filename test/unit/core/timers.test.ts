import { describe, expect, it } from "vitest";
import { pause } from "@/src/core/timers.js";

describe("pause", () => {
  it("a pause ends after its time", async () => {
    await expect(pause(1, new AbortController().signal)).resolves.toBeUndefined();
  });

  it("a pause ends with the reason of its signal, at once when it was aborted before", async () => {
    const ending = new AbortController();
    const long = pause(2 ** 40, ending.signal);
    ending.abort(new Error("over"));
    await expect(long).rejects.toThrow("over");
    await expect(pause(2 ** 40, ending.signal)).rejects.toThrow("over");
  });
});
