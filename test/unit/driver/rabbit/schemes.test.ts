import { expect, test } from "vitest";
import { TransportURL } from "@/src/driver/options/transport-url.js";
import { RABBIT_SCHEMES } from "@/src/driver/rabbit/schemes.js";

test.each([
  ["rabbit://h/", "amqp"],
  ["RABBIT://h/", "amqp"],
  ["kombu://h/", "amqp"],
  ["kombu+amqp://h/", "amqp"],
  ["rabbit+ws://h/", "amqp+ws"],
  ["rabbit+wss://h/", "amqp+wss"],
])("%s is a URL of the rabbit driver, dialed as %s", (url, dialed) => {
  expect(RABBIT_SCHEMES.get(TransportURL.parse(url).scheme)).toBe(dialed);
});

test.each(["rabbits", "kombu+redis", "kombu+memory", "kombu+amqps", "amqp", "amqps"])(
  "%s:// is no URL of the rabbit driver",
  (scheme) => {
    expect(RABBIT_SCHEMES.has(scheme)).toBe(false);
  },
);
