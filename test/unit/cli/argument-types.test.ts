import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import {
  context,
  count,
  jsonObject,
  jsonValue,
  port,
  retries,
  seconds,
  version,
} from "../../../src/cli/argument-types.js";
import { UsageError } from "../../../src/cli/exit-status.js";

describe("arguments", () => {
  it.each([
    ["0.5", 500],
    ["30", 30_000],
  ])("of %s seconds are milliseconds", (text, ms) => {
    expect(seconds(text)).toBe(ms);
  });

  it.each([
    [seconds, ["0", "-1", "", " ", "x", "Infinity", "1s"]],
    [port, ["-1", "65536", "1.5", "", "http"]],
    [retries, ["-2", "0.5", "", "x"]],
    [count, ["0", "-1", "", "x"]],
    [version, ["1", "1.", "1.x", "", "1.2.3.4"]],
  ])("that %o cannot take are refused", (type, texts) => {
    for (const text of texts) expect(() => type(text), text).toThrow(InvalidArgumentError);
  });

  it("at the edges of their range are taken", () => {
    expect([port("0"), port("65535"), retries("-1"), retries("0"), count("1")]).toEqual([0, 65_535, -1, 0, 1]);
    expect([version("1.0"), version("2.13.1")]).toEqual(["1.0", "2.13.1"]);
  });

  it("in JSON keep integers that a number cannot hold", () => {
    expect(jsonValue("JSON", "[9007199254740993]")).toEqual([9007199254740993n]);
  });

  it.each(["null", "[]", "1", '"x"'])("that must be an object are not %s", (text) => {
    expect(() => jsonObject("JSON-ARGS", text)).toThrow(new UsageError("JSON-ARGS must be a JSON object"));
  });

  it("that are not JSON are refused by name, and not shown", () => {
    expect(() => context("{token: s3cret}")).toThrow(/^--context is not JSON/);
    expect(() => context("{token: s3cret}")).not.toThrow(/s3cret/);
  });
});
