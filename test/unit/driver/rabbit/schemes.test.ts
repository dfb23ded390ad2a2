import { expect, test } from "vitest";
import type { Dial } from "@/src/core/byte-stream.js";
import { amqp } from "@/src/driver/amqp/amqp.js";
import { DriverLoadFailure } from "@/src/driver/exceptions.js";
import { TransportURL } from "@/src/driver/options/transport-url.js";
import { rabbit } from "@/src/driver/rabbit/rabbit.js";
import { RABBIT_SCHEMES } from "@/src/driver/rabbit/schemes.js";
import { RPCTransport } from "@/src/driver/transport.js";

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

test.each(["kombu+redis", "kombu+memory", "kombu+amqps", "rabbits"])(
  "%s:// throws a DriverLoadFailure that names it and the supported schemes",
  async (scheme) => {
    const dial: Dial = () => Promise.reject(new Error("no"));
    const runtime = {
      drivers: [amqp, rabbit],
      dialers: { amqp: dial },
      identity: { node: "node", process: "program", pid: 7 },
      defaults: {},
    } as const;
    const open = (url: string) => () => new RPCTransport(runtime, url, { logger: null });
    await open("kombu+amqp://h/")().close();
    expect(open(`${scheme}://h/`)).toThrow(DriverLoadFailure);
    expect(open(`${scheme}://h/`)).toThrow(
      `Failed to load transport driver "${scheme}": the supported schemes are amqp, rabbit, kombu, kombu+amqp`,
    );
  },
);
