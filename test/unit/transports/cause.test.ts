import { expect, it } from "vitest";
import { causeOf } from "../../../src/transports/cause.js";

const withCode = (error: Error, facts: object): Error => Object.assign(error, facts);

it.each<[string, unknown, string]>([
  [
    "a system error in words",
    withCode(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" }),
    "connection refused",
  ],
  [
    "the sum of several attempts in words",
    withCode(new AggregateError([]), { code: "ECONNREFUSED" }),
    "connection refused",
  ],
  [
    "a system error that has no words as it is",
    withCode(new Error("read EIO"), { code: "EIO", syscall: "read" }),
    "read EIO",
  ],
  [
    "an error that borrows a code as it is",
    withCode(new Error("socket hang up"), { code: "ECONNRESET" }),
    "socket hang up",
  ],
  ["an error that says nothing by its name", new TypeError(), "TypeError"],
  ["what is no error as it is", "out of luck", "out of luck"],
])("tells %s", (_what, thrown, expected) => {
  expect(causeOf(thrown)).toBe(expected);
});
