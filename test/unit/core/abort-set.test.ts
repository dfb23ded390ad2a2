import { describe, expect, it } from "vitest";
import { AbortSet } from "@/src/core/abort-set.js";

describe("a set of abort controllers", () => {
  it("its controllers are aborted together, except those that were removed", () => {
    const set = new AbortSet();
    const [a, b, c] = [new AbortController(), new AbortController(), new AbortController()];
    for (const controller of [a, b, c]) set.add(controller);
    set.delete(b);
    set.abort("over");
    expect([a, b, c].map(({ signal }) => signal.reason)).toEqual(["over", undefined, "over"]);
  });

  it("a controller that is added later is aborted at once, with the same reason", () => {
    const set = new AbortSet();
    set.abort("over");
    const late = new AbortController();
    set.add(late);
    expect(late.signal.reason).toBe("over");
  });
});
