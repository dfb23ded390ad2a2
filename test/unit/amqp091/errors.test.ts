import { expect, it } from "vitest";
import { Amqp091Error } from "@/src/amqp091/errors.js";

it("an error whose reply text has several lines has them in one line of its message, for logs", () => {
  const text = 'INTERNAL_ERROR - Feature `x` is deprecated.\nIts use is not permitted:\n    "x = false"';
  const error = new Amqp091Error({ code: 541, text });
  expect(error.message).toBe('INTERNAL_ERROR - Feature `x` is deprecated. Its use is not permitted: "x = false" (541)');
  expect(error.text).toBe(text);
});
