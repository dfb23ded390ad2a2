import { inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { StatusFeed } from "@/src/core/connection/status.js";
import { RecurringWarnings } from "@/src/core/recurring-warnings.js";
import { TransportURL } from "@/src/driver/options/transport-url.js";
import { ChannelConnection } from "@/src/driver/rabbit/amqp091/channel-connection.js";
import { RabbitDriver } from "@/src/driver/rabbit/driver.js";
import { rabbitHosts } from "@/src/driver/rabbit/hosts.js";
import { RABBIT_DEFAULTS } from "@/src/driver/rabbit/option-table.js";
import { Target } from "@/src/driver/target.js";
import { opened } from "@/test/fixtures/beds/raw-broker-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";

test("compressed casts leave in the order of the calls, whatever their size", async () => {
  const { broker, connection } = await opened();
  const logger = new RecordingLogger();
  const driver = new RabbitDriver({
    hosts: rabbitHosts(TransportURL.parse("rabbit://raw/")),
    connect: async () => new ChannelConnection(connection),
    options: { ...RABBIT_DEFAULTS, kombuCompression: "gzip" },
    controlExchange: "amq.topic", // is not declared
    maxMessageBytes: 1_000_000,
    remoteExceptions: undefined,
    status: new StatusFeed(),
    logger,
    warnings: new RecurringWarnings(logger),
  });
  const casts = [500_000, 1, 200_000, 2].map((length) => {
    const body = { method: "m", args: { text: "x".repeat(length) } };
    return driver.cast({ target: new Target({ topic: "t" }), context: {}, body });
  });
  const channel = await broker.openChannel();
  await broker.next("confirm.select");
  broker.send(channel, "confirm.select-ok");
  const lengths: number[] = [];
  while (lengths.length < casts.length) {
    await broker.next("basic.publish");
    await broker.next("content-header");
    const { payload } = await broker.next("content-body");
    const envelope = JSON.parse(inflateSync(payload).toString());
    lengths.push(JSON.parse(envelope["oslo.message"]).args.text.length);
  }
  expect(lengths).toEqual([500_000, 1, 200_000, 2]);
  broker.send(channel, "basic.ack", { deliveryTag: 0, multiple: true });
  await Promise.all(casts);
  const closing = driver.close(0);
  await broker.next("connection.close");
  broker.send(0, "connection.close-ok");
  await closing;
});
