import { expect, test } from "vitest";
import { RemoteError } from "@/src/driver/exceptions.js";
import { stackText } from "@/src/driver/values/stack-text.js";

test("the log text of a RemoteError has the remote stack trace, also of one that is a cause", () => {
  const traceback = ["Traceback (most recent call last):\n", "ValueError: bad\n"];
  const failure = { excType: "ValueError", module: "builtins", message: "bad", traceback, args: [], kwargs: {} };
  const text = "Remote error: ValueError bad\nTraceback (most recent call last):\nValueError: bad\n.";
  expect(stackText(new RemoteError(failure))).toMatch(/^RemoteError: ValueError: bad\n {4}at /);
  expect(stackText(new RemoteError(failure))).toContain(text);
  expect(stackText(new Error("failed", { cause: new RemoteError(failure) }))).toContain(text);
});

test("the log text of a thrown object that is not an Error has its members", () => {
  expect(stackText({ code: 5 })).toBe('{"code":5} (not an Error)');
  expect(stackText(undefined)).toBe("undefined (not an Error)");
  expect(stackText({ text: "x".repeat(1_000) })).toHaveLength(500 + " (not an Error)".length);
});
