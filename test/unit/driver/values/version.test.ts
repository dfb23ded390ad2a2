import { describe, expect, it } from "vitest";
import { MessagingException } from "@/src/driver/exceptions.js";
import { isCompatible, isVersion, parseVersion } from "@/src/driver/values/version.js";

describe("compatibility of versions", () => {
  it.each([
    [undefined, "1.0", true],
    [undefined, undefined, true],
    ["1.0", undefined, false],
    ["1.0", "1.0", true],
    ["1.2", "1.1", true],
    ["1.1", "1.2", false],
    ["2.0", "1.0", false],
    ["1.0", "2.0", false],
    ["1.10", "1.9", true],
    ["1.9", "1.10", false],
    ["1.1.1", "1.1", true],
    ["1.1", "1.1.1", false],
    ["1.1.2", "1.1.1", true],
    ["1.2.1", "1.1.9", true],
    ["1.1.1.9", "1.1.1.10", true],
  ])("an implementation of %s supports a request for %s: %s", (implemented, requested, compatible) => {
    expect(isCompatible(implemented, requested)).toBe(compatible);
  });

  it.each(["1", "", "a.b", "1.x", "1.", ".1", "1.0.", "1.0.x", "-1.0", "1.0 "])(
    "the malformed version %j throws oslo's error",
    (version) => {
      expect(() => isCompatible("1.0", version)).toThrow(MessagingException);
      expect(() => isCompatible(version, "1.0")).toThrow(
        `Version must contain a major and minor integer. Got ${version}`,
      );
      expect(isVersion(version)).toBe(false);
    },
  );
});

it("a version is parsed into its numbers, with revision 0 when it is omitted", () => {
  expect(parseVersion("1.2")).toEqual([1, 2, 0]);
  expect(parseVersion("1.2.3")).toEqual([1, 2, 3]);
  expect(isVersion("1.2.3.4")).toBe(true);
});
