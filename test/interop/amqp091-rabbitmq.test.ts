import { once } from "node:events";
import { createConnection } from "node:net";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Channel } from "@/src/amqp091/channel.js";
import type { ConnectOptions } from "@/src/amqp091/connect.js";
import type { Connection } from "@/src/amqp091/connection.js";
import type { Address } from "@/src/core/byte-stream.js";
import { Deadlines } from "@/src/core/deadlines.js";
import { RabbitMq } from "@/test/fixtures/beds/rabbitmq.js";
import { RABBITMQ_VERSIONS } from "@/test/fixtures/beds/rabbitmq-installation.js";
import { CA, CLIENT, CLIENT_NAME } from "@/test/fixtures/network/tls.js";
import { frame, methodFrame, rawHeaderFrame, TUNE } from "@/test/fixtures/peers/raw-broker.js";
import {
  consuming,
  declareQueue,
  openConnection,
  PROPERTIES,
  textOf,
  uniqueName,
} from "@/test/fixtures/stages/amqp091-stage.js";

/** Largest message that the broker accepts. */
const MAX_MESSAGE_BYTES = 2_000_000;

let rabbit: RabbitMq;

function address({ host, port } = rabbit.address): Address {
  return { scheme: "rabbit", hostname: host, port };
}

async function connected(options: Partial<ConnectOptions> = {}, to: Address = address()): Promise<Connection> {
  return await openConnection(to, options);
}

async function channelIn(options: Partial<ConnectOptions> = {}): Promise<Channel> {
  return await (await connected(options)).openChannel();
}

function message(routingKey: string, body: string, more: object = {}) {
  return { exchange: "", routingKey, properties: PROPERTIES, body: Buffer.from(body), ...more };
}

/** Publishes a message with these bytes for flags and properties, as a client that does not check them. */
async function publishRaw(queue: string, properties: Uint8Array): Promise<void> {
  const { host, port } = rabbit.address;
  const socket = createConnection({ host, port });
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  const response = Buffer.from("\0guest\0guest");
  socket.write(
    Buffer.concat([
      Buffer.from("AMQP\0\0\x09\x01"),
      methodFrame(0, "connection.start-ok", { mechanism: "PLAIN", response, locale: "en_US" }),
      methodFrame(0, "connection.tune-ok", { ...TUNE, heartbeat: 0 }),
      methodFrame(0, "connection.open", { virtualHost: "/" }),
      methodFrame(1, "channel.open"),
      methodFrame(1, "basic.publish", { routingKey: queue }),
      rawHeaderFrame(1, 3, properties),
      frame(3, 1, Buffer.from("raw")),
    ]),
  );
}

/** A table of `levels` tables in each other. */
function nestedTable(levels: number): Buffer {
  const prefixes = Array.from({ length: levels }, (_, level) => {
    const prefix = Buffer.from("\0\0\0\0\x01aF");
    prefix.writeUInt32BE(7 * (levels - level - 1) + 3 + 4);
    return prefix;
  });
  return Buffer.concat([...prefixes, Buffer.alloc(4)]);
}

describe.each(RABBITMQ_VERSIONS)("RabbitMQ %s", (version) => {
  beforeAll(async () => {
    rabbit = await RabbitMq.start({ version, settings: [`max_message_size = ${MAX_MESSAGE_BYTES}`] });
  }, 150_000);
  afterAll(async () => await rabbit?.stop());

  describe("login at RabbitMQ", () => {
    it.each(["PLAIN", "AMQPLAIN"] as const)("%s opens a connection", async (mechanism) => {
      const connection = await connected({ mechanism });
      expect([connection.product, connection.version]).toEqual(["RabbitMQ", rabbit.release]);
      await connection.close();
      expect(await connection.closed).toBe(undefined);
    });

    it.each(["PLAIN", "AMQPLAIN"] as const)("%s with a wrong password is an AuthenticationError", async (mechanism) => {
      const connecting = connected({ mechanism, credentials: { username: "guest", password: "wrong" } });
      await expect(connecting).rejects.toMatchObject({
        name: "AuthenticationError",
        message: expect.stringMatching(
          new RegExp(`${mechanism} of user "guest" failed: ACCESS_REFUSED - .* \\(403\\)$`),
        ),
      });
    });

    it("without the capability a wrong password is an end of the stream", async () => {
      const credentials = { username: "guest", password: "wrong" };
      await expect(connected({ credentials, clientProperties: {} })).rejects.toMatchObject({ name: "ConnectionLost" });
    });

    it("an unknown virtual host is error 530", async () => {
      await expect(connected({ virtualHost: "nowhere" })).rejects.toMatchObject({ name: "Amqp091Error", code: 530 });
    });

    it("EXTERNAL takes the user from the client certificate", async () => {
      await rabbit.ctl("add_user", CLIENT_NAME, "unused");
      await rabbit.ctl("set_permissions", CLIENT_NAME, ".*", ".*", ".*");
      const tls = { ca: CA, cert: CLIENT.cert, key: CLIENT.key };
      const to = { ...address(rabbit.tls), tls, serverName: "localhost" };
      const connection = await connected({ mechanism: "EXTERNAL", credentials: { external: true } }, to);
      const channel = await connection.openChannel();
      await declareQueue(channel);
      expect(await rabbit.ctl("list_connections", "user", "ssl", "auth_mechanism")).toContain(
        `${CLIENT_NAME}\ttrue\tEXTERNAL`,
      );
    });
  });

  describe("publishing to RabbitMQ and consuming from it", () => {
    it("1,000 messages in flight are confirmed, consumed in order with a prefetch, and acknowledged", async () => {
      const connection = await connected();
      const [publisher, consumer] = [await connection.openChannel(), await connection.openChannel()];
      const exchange = uniqueName();
      await publisher.request("exchange.declare", { exchange, type: "topic", autoDelete: true });
      const queue = await declareQueue(publisher);
      await publisher.request("queue.bind", { queue, exchange, routingKey: "a.*" });
      await publisher.confirmSelect();
      const bodies = Array.from({ length: 1_000 }, (_, i) => `${i} ${"x".repeat(i)}`);
      const confirmations = bodies.map((body) =>
        publisher.publish(message("a.b", body, { exchange, mandatory: true })),
      );
      expect(publisher.unconfirmed).toBe(1_000);
      const types = new Set((await Promise.all(confirmations)).map(({ type }) => type));
      expect([...types]).toEqual(["acknowledged"]);
      await consumer.request("basic.qos", { prefetchCount: 7 });
      const { next } = await consuming(consumer, queue);
      for (const body of bodies) {
        const delivery = await next();
        expect(textOf(delivery)).toBe(body);
        delivery.ack();
      }
      expect(await publisher.request("queue.declare", { queue, passive: true })).toMatchObject({ messageCount: 0 });
      await consumer.cancel(queue);
      expect(await publisher.request("queue.delete", { queue })).toEqual({ messageCount: 0 });
    });

    it("a prefetch holds the next message back until one is settled", async () => {
      const channel = await channelIn();
      const queue = await declareQueue(channel);
      await channel.confirmSelect();
      await channel.request("basic.qos", { prefetchCount: 1 });
      const { inbox, next } = await consuming(channel, queue);
      await Promise.all([channel.publish(message(queue, "1")), channel.publish(message(queue, "2"))]);
      const first = await next();
      expect(await channel.request("queue.declare", { queue, passive: true })).toMatchObject({ messageCount: 1 });
      expect(inbox.unread).toEqual([]);
      first.ack();
      expect(textOf(await next())).toBe("2");
    });

    it("a message of several frames arrives whole, with its properties", async () => {
      const channel = await channelIn();
      const queue = await declareQueue(channel);
      await channel.confirmSelect();
      const { next } = await consuming(channel, queue);
      const body = "0123456789".repeat(100_000);
      const headers = {
        compression: "application/x-gzip",
        other: { deep: [1, { deeper: null }] },
        when: new Date(1e12),
      };
      await channel.publish(
        message(queue, body, { properties: { ...PROPERTIES, headers, expiration: "60000", messageId: "é" } }),
      );
      const delivery = await next();
      expect(textOf(delivery) === body).toBe(true);
      const { headers: _, ...known } = PROPERTIES;
      const expected = { ...known, compression: headers.compression, expiration: "60000", messageId: "é" };
      expect(delivery.properties).toMatchObject(expected);
      expect(delivery.fields).toMatchObject({ exchange: "", routingKey: queue, redelivered: false });
    });

    it("a rejected message comes again with requeue, and not without", async () => {
      const channel = await channelIn();
      const queue = await declareQueue(channel);
      await channel.confirmSelect();
      const { next } = await consuming(channel, queue);
      await channel.publish(message(queue, "m"));
      (await next()).reject(true);
      const again = await next();
      expect([textOf(again), again.fields.redelivered]).toEqual(["m", true]);
      again.reject(false);
      await channel.publish(message(queue, "n"));
      expect(textOf(await next())).toBe("n");
    });

    it("mandatory messages without a queue are returned, others among them are not", async () => {
      const channel = await channelIn();
      const queue = await declareQueue(channel);
      await channel.confirmSelect();
      const keys = Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? queue : `nowhere-${i % 2}`));
      const confirmations = keys.map((key, i) =>
        channel.publish(message(key, `body ${i}`, { mandatory: i % 5 !== 0 })),
      );
      const expected = keys.map((key, i) => (key === queue || i % 5 === 0 ? "acknowledged" : "returned"));
      expect((await Promise.all(confirmations)).map(({ type }) => type)).toEqual(expected);
      const returned = await channel.publish(message("nowhere", "m", { mandatory: true }));
      expect(returned).toEqual({ type: "returned", code: 312, text: "NO_ROUTE" });
    });

    it("messages that a full queue refuses are nacked", async () => {
      const channel = await channelIn();
      const queue = await declareQueue(channel, { arguments: { "x-max-length": 1, "x-overflow": "reject-publish" } });
      await channel.confirmSelect();
      const confirmations = ["1", "2", "3"].map((body) => channel.publish(message(queue, body)));
      expect((await Promise.all(confirmations)).map(({ type }) => type)).toEqual(["acknowledged", "nacked", "nacked"]);
    });

    it("a 64-bit argument is understood", async () => {
      const channel = await channelIn();
      const queue = await declareQueue(channel, { arguments: { "x-max-length-bytes": 2 ** 40, "x-expires": 600_000 } });
      const same = { queue, arguments: { "x-max-length-bytes": 2n ** 40n, "x-expires": 600_000 } };
      expect(await channel.request("queue.declare", same)).toMatchObject({ queue });
    });

    it.each([
      ["headers nested 12,000 deep", Buffer.concat([Buffer.of(0x20, 0), nestedTable(12_000)])],
      ["a content type that is not UTF-8", Buffer.of(0x80, 0, 1, 0xff)],
    ])("a message with %s, which the broker forwards, does not disturb the consumer", async (_, properties) => {
      const channel = await channelIn();
      const queue = await declareQueue(channel);
      await channel.confirmSelect();
      const { next } = await consuming(channel, queue);
      await publishRaw(queue, properties);
      expect(textOf(await next())).toBe("raw");
      await channel.publish(message(queue, "fine"));
      expect(textOf(await next())).toBe("fine");
    });
  });

  describe("errors of RabbitMQ", () => {
    it("a queue that does not exist is error 404 of its channel only", async () => {
      const connection = await connected();
      const channel = await connection.openChannel();
      await expect(channel.request("queue.declare", { queue: "none", passive: true })).rejects.toMatchObject({
        name: "Amqp091Error",
        code: 404,
        text: "NOT_FOUND - no queue 'none' in vhost '/'",
        classId: 50,
        methodId: 10,
      });
      expect(await channel.closed).toMatchObject({ code: 404 });
      expect(connection.isOpen).toBe(true);
      await declareQueue(await connection.openChannel());
    });

    it("a message for an exchange that does not exist is unknown, with error 404", async () => {
      const channel = await channelIn();
      await channel.confirmSelect();
      const confirmation = await channel.publish(message("k", "m", { exchange: "none" }));
      expect(confirmation).toMatchObject({ type: "unknown", error: { code: 404, classId: 60, methodId: 40 } });
    });

    it("a message beyond the broker's limit is unknown, with error 406 that names the sizes", async () => {
      const channel = await channelIn();
      const queue = await declareQueue(channel);
      await channel.confirmSelect();
      const confirmation = await channel.publish(message(queue, "x".repeat(MAX_MESSAGE_BYTES + 1)));
      const text = expect.stringMatching(/message size 2000001 .* larger than configured max size 2000000/);
      expect(confirmation).toMatchObject({ type: "unknown", error: { code: 406, text } });
    });

    it("a message beyond our own limit is rejected, and the next one arrives", async () => {
      const channel = await channelIn({ maxMessageBytes: 100_000 });
      const queue = await declareQueue(channel);
      await channel.confirmSelect();
      const { next } = await consuming(channel, queue);
      await channel.publish(message(queue, "x".repeat(1_000_000)));
      await channel.publish(message(queue, "fine"));
      expect(textOf(await next())).toBe("fine");
      expect(await channel.request("queue.delete", { queue })).toEqual({ messageCount: 0 });
    });

    it("a queue that was declared otherwise is error 406", async () => {
      const connection = await connected();
      const queue = await declareQueue(await connection.openChannel());
      const channel = await connection.openChannel();
      await expect(channel.request("queue.declare", { queue, durable: true })).rejects.toMatchObject({
        code: 406,
        text: expect.stringContaining("inequivalent arg 'durable' for queue"),
      });
    });

    it("a second ack of a delivery does not reach the broker", async () => {
      const channel = await channelIn();
      const queue = await declareQueue(channel);
      await channel.confirmSelect();
      const { next } = await consuming(channel, queue);
      await channel.publish(message(queue, "m"));
      const delivery = await next();
      delivery.ack();
      delivery.ack();
      await channel.request("queue.purge", { queue });
      expect(channel.isOpen).toBe(true);
    });

    it("the consumer of a deleted queue is cancelled", async () => {
      const connection = await connected();
      const [owner, channel] = [await connection.openChannel(), await connection.openChannel()];
      const queue = await declareQueue(owner);
      const { inbox } = await consuming(channel, queue);
      await owner.request("queue.delete", { queue });
      await expect(inbox.take("a delivery", () => undefined)).rejects.toThrow("cancelled");
      expect(channel.isOpen).toBe(true);
    });
  });

  describe("the state of a connection to RabbitMQ", () => {
    it("a check is answered by a channel, and by a connection without channels", async () => {
      const connection = await connected();
      connection.check();
      const channel = await connection.openChannel();
      connection.check();
      await declareQueue(channel);
      expect(connection.isOpen).toBe(true);
    });

    it("heartbeats keep an idle connection", async () => {
      const connection = await connected({ heartbeatMs: 1_000 });
      const ended = await Promise.race([
        connection.closed,
        new Promise((resolve) => setTimeout(resolve, 5_000, "alive")),
      ]);
      expect(ended).toBe("alive");
    });

    it("a memory alarm blocks a connection that publishes until it ends", { timeout: 90_000 }, async () => {
      const reasons: (string | undefined)[] = [];
      const connection = await connected({ onBlocked: (reason) => reasons.push(reason) });
      const channel = await connection.openChannel();
      const queue = await declareQueue(channel);
      await channel.confirmSelect();
      await rabbit.ctl("set_vm_memory_high_watermark", "0");
      try {
        const confirmation = channel.publish(message(queue, "m"));
        await expect.poll(() => connection.blocked, { timeout: 20_000 }).toBe("low on memory");
        const deadline = new Deadlines().start({ ms: 60_000, expired: (phase) => new Error(`expired in ${phase}`) });
        const writable = channel.whenWritable(deadline);
        connection.check();
        await rabbit.ctl("set_vm_memory_high_watermark", "0.4");
        await writable;
        deadline.done();
        expect(await confirmation).toEqual({ type: "acknowledged" });
        expect(reasons).toEqual(["low on memory", undefined]);
      } finally {
        await rabbit.ctl("set_vm_memory_high_watermark", "0.4");
      }
    });

    it("a connection that the operator closes ends with error 320 and its text", async () => {
      const connection = await connected();
      const channel = await connection.openChannel();
      await channel.confirmSelect();
      await rabbit.ctl("close_all_connections", "maintenance");
      expect(await connection.closed).toMatchObject({ code: 320, text: expect.stringContaining("maintenance") });
      expect(await channel.publish(message("q", "m"))).toMatchObject({ type: "unsent", error: { code: 320 } });
    });

    it("a broker that stops ends the connection with error 320, and has the persistent messages when it is back", {
      timeout: 180_000,
    }, async () => {
      const connection = await connected();
      const channel = await connection.openChannel();
      const queue = await declareQueue(channel, { durable: true });
      await channel.confirmSelect();
      expect(await channel.publish(message(queue, "kept"))).toEqual({ type: "acknowledged" });
      await rabbit.restart(async () => {
        expect(await connection.closed).toMatchObject({
          code: 320,
          text: expect.stringContaining("CONNECTION_FORCED"),
        });
        await expect(connected()).rejects.toThrow("connection refused");
      });
      const { next } = await consuming(await channelIn(), queue);
      expect(textOf(await next())).toBe("kept");
    });
  });
});

describe("RabbitMQ 4 that denies transient queues", () => {
  it("a transient queue is error 541 of the connection, which names the feature", { timeout: 150_000 }, async () => {
    const settings = ["deprecated_features.permit.transient_nonexcl_queues = false"];
    await using strict = await RabbitMq.start({ version: "4", settings });
    const connection = await openConnection(address(strict.address));
    const channel = await connection.openChannel();
    await declareQueue(channel, { durable: true });
    const denied = { code: 541, text: expect.stringContaining("transient_nonexcl_queues") };
    await expect(declareQueue(channel)).rejects.toMatchObject(denied);
    expect(await connection.closed).toMatchObject(denied);
  });
});
