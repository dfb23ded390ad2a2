import { describe, expect, it, vi } from "vitest";
import type { Confirmation } from "@/src/amqp091/confirms.js";
import type { Delivery } from "@/src/amqp091/delivery.js";
import { channelOf, channelWith, consumerWith, publisherWith } from "@/test/fixtures/beds/raw-broker-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { headerFrame, type RawBroker, rawHeaderFrame, TUNE } from "@/test/fixtures/peers/raw-broker.js";
import { turn } from "@/test/fixtures/stages/turn.js";

const PROPERTIES = { contentType: "application/json", headers: {}, deliveryMode: 2 } as const;

function message(body: string, more: { mandatory?: boolean; routingKey?: string; exchange?: string } = {}) {
  return { exchange: "x", routingKey: "k", properties: PROPERTIES, body: Buffer.from(body), ...more };
}

/** The body of the next message that was published, joined from its frames. */
async function published(broker: RawBroker): Promise<string> {
  await broker.next("basic.publish");
  const { fields } = await broker.next("content-header");
  let body = Buffer.alloc(0);
  while (body.length < Number(fields["bodySize"])) {
    body = Buffer.concat([body, (await broker.next("content-body")).payload]);
  }
  return body.toString();
}

function deliver(deliveryTag: number, more: object = {}) {
  return { consumerTag: "1", deliveryTag, redelivered: false, exchange: "x", routingKey: "k", ...more };
}

function textOf({ body }: Delivery): string {
  return Buffer.from(body).toString();
}

describe("requests", () => {
  it("requests are pipelined and answered in order", async () => {
    const { broker, channel } = await channelWith();
    const declared = channel.request("queue.declare", { queue: "", exclusive: true, arguments: { "x-expires": 1 } });
    const bound = channel.request("queue.bind", { queue: "q", exchange: "x", routingKey: "k" });
    const deleted = channel.request("queue.delete", { queue: "q" });
    expect((await broker.next("queue.declare")).fields).toMatchObject({
      exclusive: true,
      noWait: false,
      durable: false,
    });
    expect((await broker.next("queue.bind")).fields).toMatchObject({ queue: "q", exchange: "x", routingKey: "k" });
    await broker.next("queue.delete");
    broker.send(channel.id, "queue.declare-ok", { queue: "amq.gen", messageCount: 3, consumerCount: 2 });
    broker.send(channel.id, "queue.bind-ok");
    broker.send(channel.id, "queue.delete-ok", { messageCount: 7 });
    expect(await declared).toEqual({ queue: "amq.gen", messageCount: 3, consumerCount: 2 });
    expect(await bound).toEqual({});
    expect(await deleted).toEqual({ messageCount: 7 });
  });

  it("an answer to another request than the oldest ends the connection", async () => {
    const { broker, connection, channel } = await channelWith();
    const failed = expect(channel.request("queue.declare", { queue: "q" })).rejects.toMatchObject({ code: 503 });
    await broker.next("queue.declare");
    broker.send(channel.id, "queue.bind-ok");
    await failed;
    expect((await connection.closed)?.message).toBe(
      "COMMAND_INVALID - queue.bind-ok where queue.declare-ok was expected (503)",
    );
    expect((await broker.next("connection.close")).fields).toMatchObject({ replyCode: 503 });
  });

  it("a request that cannot be written is refused by name, and the channel goes on", async () => {
    const { broker, channel } = await channelWith();
    await expect(channel.request("queue.declare", { queue: "q".repeat(256) })).rejects.toThrow("queue of 256 bytes");
    const large = { a: "x".repeat(140_000) };
    await expect(channel.request("queue.declare", { arguments: large })).rejects.toThrow(/^queue.declare of \d+ bytes/);
    const deleting = channel.request("exchange.delete", { exchange: "x" });
    await broker.next("exchange.delete");
    broker.send(channel.id, "exchange.delete-ok");
    await deleting;
  });

  it("the broker's channel.close fails everything on the channel, and nothing on others", async () => {
    const { broker, connection, channel } = await publisherWith();
    const other = await channelOf(connection, broker);
    const requests = [
      channel.request("queue.declare", { queue: "q" }),
      channel.request("queue.bind", { queue: "q", exchange: "none" }),
      channel.consume({ queue: "q", consumerTag: "1", onDelivery() {}, onCancel() {} }),
    ];
    const failures = Promise.all(requests.map((request) => request.catch((error: unknown) => error)));
    const confirmation = channel.publish(message("m"));
    await broker.next("queue.declare");
    const text = "NOT_FOUND - no queue 'q' in vhost '/'";
    broker.send(channel.id, "channel.close", { replyCode: 404, replyText: text, classId: 50, methodId: 10 });
    const error = { name: "Amqp091Error", message: `${text} (404)`, code: 404, text, classId: 50, methodId: 10 };
    expect(await channel.closed).toMatchObject(error);
    for (const failure of await failures) expect(failure).toMatchObject(error);
    expect(await confirmation).toMatchObject({ type: "unknown", error });
    expect(await channel.publish(message("m"))).toMatchObject({ type: "unsent", error });
    await expect(channel.request("queue.purge", { queue: "q" })).rejects.toMatchObject(error);
    expect([channel.isOpen, connection.isOpen, other.isOpen]).toEqual([false, true, true]);
  });

  it("close waits for its answer; deliveries are ignored meanwhile, confirms are not", async () => {
    const { broker, channel, deliveries } = await consumerWith();
    void channel.confirmSelect();
    await broker.next("confirm.select");
    broker.send(channel.id, "confirm.select-ok");
    const confirmed = channel.publish(message("m"));
    const unconfirmed = channel.publish(message("n"));
    const closing = channel.close();
    await published(broker);
    await published(broker);
    await broker.next("channel.close");
    broker.sendContent(channel.id, "basic.deliver", deliver(1), "late");
    broker.send(channel.id, "basic.ack", { deliveryTag: 1 });
    broker.send(channel.id, "channel.close-ok");
    await closing;
    await channel.close();
    expect(await channel.closed).toBe(undefined);
    expect(deliveries).toEqual([]);
    expect(await confirmed).toEqual({ type: "acknowledged" });
    expect(await unconfirmed).toMatchObject({ type: "unknown", error: { name: "ConnectionLost" } });
  });

  it("the broker's flow is answered, and stops the publishers of the channel", async () => {
    const { broker, channel } = await publisherWith();
    broker.send(channel.id, "channel.flow", { active: false });
    expect((await broker.next("channel.flow-ok")).fields).toEqual({ active: false });
    expect(channel.writable).toBe(false);
    broker.send(channel.id, "channel.flow", { active: true });
    await broker.next("channel.flow-ok");
    expect(channel.writable).toBe(true);
  });
});

describe("publishing", () => {
  it("messages leave in order, with their properties, and are confirmed by their tags", async () => {
    const { broker, channel } = await publisherWith();
    const confirmations = ["a", "b", "c", "d"].map((body) => channel.publish(message(body)));
    expect(channel.unconfirmed).toBe(4);
    const { fields } = await broker.next("basic.publish");
    expect(fields).toEqual({ reserved1: 0, exchange: "x", routingKey: "k", mandatory: false, immediate: false });
    expect((await broker.next("content-header")).fields).toMatchObject({ bodySize: 1, deliveryMode: 2 });
    expect(Buffer.from((await broker.next("content-body")).payload).toString()).toBe("a");
    expect([await published(broker), await published(broker), await published(broker)]).toEqual(["b", "c", "d"]);
    const settled: string[] = [];
    for (const [index, confirmation] of confirmations.entries()) {
      void confirmation.then(({ type }) => settled.push(`${index} ${type}`));
    }
    broker.send(channel.id, "basic.ack", { deliveryTag: 3 });
    await turn();
    expect(settled).toEqual(["2 acknowledged"]);
    broker.send(channel.id, "basic.nack", { deliveryTag: 1, requeue: true });
    broker.send(channel.id, "basic.ack", { deliveryTag: 4, multiple: true });
    await turn();
    expect(settled).toEqual(["2 acknowledged", "0 nacked", "1 acknowledged", "3 acknowledged"]);
    expect(channel.unconfirmed).toBe(0);
  });

  it("tag 0 with multiple confirms all, unknown tags are ignored", async () => {
    const { broker, channel } = await publisherWith();
    const confirmations = [channel.publish(message("a")), channel.publish(message("b"))];
    broker.send(channel.id, "basic.ack", { deliveryTag: 99 });
    broker.send(channel.id, "basic.nack", { deliveryTag: 0 });
    broker.send(channel.id, "basic.nack", { deliveryTag: 0, multiple: true });
    expect(await Promise.all(confirmations)).toEqual([{ type: "nacked" }, { type: "nacked" }]);
    expect(channel.isOpen).toBe(true);
  });

  it("a body is split by frame-max, and an empty one has no body frame", async () => {
    const { broker, channel } = await publisherWith({}, { ...TUNE, frameMax: 4_096 });
    const body = "0123456789".repeat(1_000);
    void channel.publish(message(body));
    void channel.publish(message(""));
    await broker.next("basic.publish");
    await broker.next("content-header");
    const frames = [
      await broker.next("content-body"),
      await broker.next("content-body"),
      await broker.next("content-body"),
    ];
    expect(frames.map(({ payload }) => payload.length)).toEqual([4_088, 4_088, 1_824]);
    expect(Buffer.concat(frames.map(({ payload }) => payload)).toString()).toBe(body);
    await broker.next("basic.publish");
    expect((await broker.next("content-header")).fields).toMatchObject({ bodySize: 0 });
    channel.request("queue.purge", {}).catch(() => {}); // the connection ends before its answer
    await broker.next("queue.purge");
  });

  it("a message that cannot be written is refused by name, and takes no tag", async () => {
    const { broker, channel } = await publisherWith({}, { ...TUNE, frameMax: 4_096 });
    await expect(channel.publish(message("m", { routingKey: "k".repeat(256) }))).rejects.toThrow(
      "routingKey of 256 bytes",
    );
    const headers = { a: "x".repeat(5_000) };
    await expect(channel.publish({ ...message("m"), properties: { headers } })).rejects.toThrow(
      /^properties in a frame of/,
    );
    await expect(channel.publish({ ...message("m"), properties: { priority: 256 } })).rejects.toThrow(
      "priority out of range",
    );
    const confirmed = channel.publish(message("fine"));
    expect(await published(broker)).toBe("fine");
    broker.send(channel.id, "basic.ack", { deliveryTag: 1 });
    expect(await confirmed).toEqual({ type: "acknowledged" });
  });

  it("publishing requires confirm mode", async () => {
    const { channel } = await channelWith();
    await expect(channel.publish(message("m"))).rejects.toThrow("before confirm.select");
  });

  it("a return is matched before the ack by exchange, routing key and body", async () => {
    const { broker, channel } = await publisherWith();
    const mandatory = { mandatory: true };
    const confirmations = [
      channel.publish(message("same", { ...mandatory, routingKey: "other" })),
      channel.publish(message("same")),
      channel.publish(message("diff", mandatory)),
      channel.publish(message("same", mandatory)),
      channel.publish(message("same", mandatory)),
    ];
    const back = { replyCode: 312, replyText: "NO_ROUTE", exchange: "x", routingKey: "k" };
    broker.sendContent(channel.id, "basic.return", back, "same", PROPERTIES, 3);
    broker.send(channel.id, "basic.ack", { deliveryTag: 5, multiple: true });
    const ack: Confirmation = { type: "acknowledged" };
    expect(await Promise.all(confirmations)).toEqual([
      ack,
      ack,
      ack,
      { type: "returned", code: 312, text: "NO_ROUTE" },
      ack,
    ]);
  });

  it("a return that is too large to be kept is matched by its size", async () => {
    const { broker, channel } = await publisherWith({ maxMessageBytes: 10 });
    const confirmations = [
      channel.publish(message("x".repeat(20), { mandatory: true })),
      channel.publish(message("x".repeat(30), { mandatory: true })),
    ];
    const back = { replyCode: 312, replyText: "NO_ROUTE", exchange: "x", routingKey: "k" };
    broker.sendContent(channel.id, "basic.return", back, "x".repeat(30));
    broker.send(channel.id, "basic.ack", { deliveryTag: 2, multiple: true });
    expect((await Promise.all(confirmations)).map(({ type }) => type)).toEqual(["acknowledged", "returned"]);
  });

  it("a return of a message that was not published is logged", async () => {
    const logger = new RecordingLogger();
    const { broker, connection } = await publisherWith({ logger });
    broker.sendContent(1, "basic.return", { replyCode: 312, exchange: "x", routingKey: "k" }, "m");
    await turn();
    expect(logger.of("warn").join()).toContain("ignored a returned message of 1 bytes that was not published here");
    expect(connection.isOpen).toBe(true);
  });

  it("a returned message stays returned when the channel ends before its ack", async () => {
    const { broker, channel } = await publisherWith();
    const confirmation = channel.publish(message("m", { mandatory: true }));
    broker.sendContent(
      1,
      "basic.return",
      { replyCode: 312, replyText: "NO_ROUTE", exchange: "x", routingKey: "k" },
      "m",
    );
    broker.send(1, "channel.close", { replyCode: 541 });
    expect((await confirmation).type).toBe("returned");
  });

  it("publishing while the stream is full makes the channel unwritable until it has drained", async () => {
    const { channel } = await publisherWith();
    void channel.publish(message("x".repeat(2_000_000)));
    expect(channel.writable).toBe(false);
    await turn();
    await turn();
    expect(channel.writable).toBe(true);
  });

  it("one body may exceed the limit of unsent bytes: the connection stays open while it leaves", async () => {
    const { broker, connection, channel } = await publisherWith({ maxMessageBytes: 1_000 });
    const confirmation = channel.publish(message("x".repeat(2_000_000)));
    await broker.next("basic.publish");
    broker.send(1, "basic.ack", { deliveryTag: 1 });
    expect(await confirmation).toEqual({ type: "acknowledged" });
    expect([connection.isOpen, channel.writable]).toEqual([true, true]);
  });

  it("more unsent bytes than the limit and one body end the connection", async () => {
    const { connection, channel } = await publisherWith({ maxMessageBytes: 1_000 });
    const sending = vi.spyOn(connection.socket, "send").mockReturnValue(false);
    Object.assign(connection.socket, { buffered: 14_000 });
    void channel.publish(message("x".repeat(10_000)));
    await turn();
    expect(connection.isOpen).toBe(true);
    Object.assign(connection.socket, { buffered: 14_001 });
    void channel.publish(message("m"));
    expect((await connection.closed)?.message).toMatch("the peer does not read: 14001 bytes unsent");
    sending.mockRestore();
  });
});

describe("consuming", () => {
  it("deliveries arrive with their fields, properties and body, also in pieces", async () => {
    const { broker, deliveries } = await consumerWith();
    broker.sendContent(1, "basic.deliver", deliver(1, { redelivered: true }), "one", {
      ...PROPERTIES,
      messageId: "id",
    });
    broker.sendContent(1, "basic.deliver", deliver(2), "in pieces", PROPERTIES, 2);
    broker.sendContent(1, "basic.deliver", deliver(3), "");
    await turn();
    expect(deliveries.map(textOf)).toEqual(["one", "in pieces", ""]);
    expect(deliveries[0]?.fields).toEqual(deliver(1, { redelivered: true }));
    expect(deliveries[0]?.properties).toMatchObject({
      contentType: "application/json",
      deliveryMode: 2,
      messageId: "id",
    });
  });

  it("a delivery is settled once", async () => {
    const { broker, channel, deliveries } = await consumerWith();
    for (const tag of [1, 2, 2 ** 40]) broker.sendContent(1, "basic.deliver", deliver(tag), "m");
    await turn();
    const [first, second, third] = deliveries;
    first?.ack();
    first?.ack();
    first?.reject(true);
    second?.reject(true);
    third?.reject(false);
    expect((await broker.next("basic.ack")).fields).toEqual({ deliveryTag: 1, multiple: false });
    expect((await broker.next("basic.reject")).fields).toEqual({ deliveryTag: 2, requeue: true });
    expect((await broker.next("basic.reject")).fields).toEqual({ deliveryTag: 2 ** 40, requeue: false });
    channel.request("queue.purge", {}).catch(() => {}); // the connection ends before its answer
    await broker.next("queue.purge");
    expect(first?.isSettled).toBe(true);
  });

  it("a delivery that is not settled when its channel ends is lost", async () => {
    const { broker, channel, deliveries } = await consumerWith();
    for (const tag of [1, 2]) broker.sendContent(1, "basic.deliver", deliver(tag), "m");
    await turn();
    deliveries[0]?.ack();
    await broker.next("basic.ack");
    broker.send(1, "channel.close", { replyCode: 406 });
    await channel.closed;
    deliveries[1]?.ack();
    expect(deliveries.map(({ isLost }) => isLost)).toEqual([false, true]);
    await broker.next("channel.close-ok");
    expect(broker.received.unread).toEqual([]);
  });

  it("cancel resolves with the answer; deliveries until then are handed over", async () => {
    const { broker, channel, deliveries } = await consumerWith();
    const cancelling = channel.cancel("1");
    expect((await broker.next("basic.cancel")).fields).toEqual({ consumerTag: "1", noWait: false });
    broker.sendContent(1, "basic.deliver", deliver(1), "late");
    broker.send(1, "basic.cancel-ok", { consumerTag: "1" });
    await cancelling;
    expect(deliveries.map(textOf)).toEqual(["late"]);
  });

  it("the broker's basic.cancel ends the consumer, and is answered when it asks for it", async () => {
    const { broker, channel, cancelled } = await consumerWith();
    broker.send(1, "basic.cancel", { consumerTag: "1", noWait: true });
    await turn();
    expect([cancelled(), broker.received.unread]).toEqual([1, []]);
    broker.send(1, "basic.cancel", { consumerTag: "unknown" });
    expect((await broker.next("basic.cancel-ok")).fields).toEqual({ consumerTag: "unknown" });
    const again = channel.consume({ queue: "q", consumerTag: "1", onDelivery() {}, onCancel() {} });
    await broker.next("basic.consume");
    broker.send(1, "basic.consume-ok", { consumerTag: "1" });
    await again;
  });

  it("a consumer tag is used once at a time", async () => {
    const { channel } = await consumerWith();
    const again = channel.consume({ queue: "q", consumerTag: "1", onDelivery() {}, onCancel() {} });
    await expect(again).rejects.toThrow('consumer tag "1" is in use');
  });

  it("a callback that throws is logged, its message rejected without requeue, and the channel goes on", async () => {
    const logger = new RecordingLogger();
    const { broker, channel } = await consumerWith({ logger }, () => {
      throw new Error("mine");
    });
    broker.sendContent(1, "basic.deliver", deliver(1), "m");
    expect((await broker.next("basic.reject")).fields).toEqual({ deliveryTag: 1, requeue: false });
    expect(logger.of("error").join()).toContain("onDelivery of consumer 1 threw Error: mine");
    expect(channel.isOpen).toBe(true);
  });

  it("a delivery for a consumer that does not exist is requeued", async () => {
    const logger = new RecordingLogger();
    const { broker } = await consumerWith({ logger });
    broker.sendContent(1, "basic.deliver", deliver(1, { consumerTag: "other" }), "m");
    expect((await broker.next("basic.reject")).fields).toEqual({ deliveryTag: 1, requeue: true });
    expect(logger.of("warn").join()).toContain('requeued a message for consumer "other", which does not exist');
  });

  it("a message beyond the limit is rejected by its size, and the next one arrives", async () => {
    const logger = new RecordingLogger();
    const { broker, deliveries } = await consumerWith({ logger, maxMessageBytes: 10 });
    broker.sendContent(1, "basic.deliver", deliver(1), "x".repeat(11), {}, 4);
    broker.sendContent(1, "basic.deliver", deliver(2), "x".repeat(10), {}, 4);
    expect((await broker.next("basic.reject")).fields).toEqual({ deliveryTag: 1, requeue: false });
    expect(deliveries.map(textOf)).toEqual(["x".repeat(10)]);
    expect(logger.of("warn").join()).toContain(
      "rejected a message from queue q: message of 11 bytes exceeds the limit of 10 bytes, maxMessageBytes",
    );
  });

  it("a consumer gets the last 512 bytes of a message beyond the limit, in whatever pieces it arrives", async () => {
    const { broker, channel } = await channelWith({ maxMessageBytes: 10 });
    const tails: string[] = [];
    const onRefused = (error: Error, tail: Uint8Array): void =>
      void tails.push(`${error.message}: ${Buffer.from(tail)}`);
    void channel.consume({ queue: "q", consumerTag: "1", onDelivery() {}, onRefused, onCancel() {} });
    broker.send(channel.id, "basic.consume-ok", { consumerTag: "1" });
    const body = `${"x".repeat(600)}${"y".repeat(500)}end`;
    const text = `message of 1103 bytes exceeds the limit of 10 bytes, maxMessageBytes: ${body.slice(-512)}`;
    for (const [index, pieceBytes] of [5_000, 1_000, 7].entries()) {
      broker.sendContent(1, "basic.deliver", deliver(index + 1), body, {}, pieceBytes);
      await broker.next(index === 0 ? "basic.consume" : "basic.reject");
    }
    await broker.next("basic.reject");
    expect(tails).toEqual([text, text, text]);
  });

  it("a message with invalid properties is rejected, and the next one arrives", async () => {
    const { broker, deliveries } = await consumerWith();
    broker.send(1, "basic.deliver", deliver(1));
    broker.sendBytes(rawHeaderFrame(1, 0, Buffer.of(0x80, 0, 200, 1)));
    broker.send(1, "basic.deliver", deliver(2));
    broker.sendBytes(headerFrame(1, 0));
    expect((await broker.next("basic.reject")).fields).toEqual({ deliveryTag: 1, requeue: false });
    expect(deliveries).toHaveLength(1);
  });

  it("text that is not UTF-8 is read with replacement characters", async () => {
    const { broker, deliveries } = await consumerWith();
    const method = Buffer.from("003c003c013100000000000000010000", "hex");
    broker.sendBytes(
      Buffer.concat([Buffer.from([1, 0, 1, 0, 0, 0, method.length + 2]), method, Buffer.of(1, 0xff), Buffer.of(0xce)]),
    );
    broker.sendBytes(rawHeaderFrame(1, 0, Buffer.of(0x80, 0, 1, 0xfe)));
    await turn();
    expect(deliveries[0]?.fields.routingKey).toBe("\ufffd");
    expect(deliveries[0]?.properties.contentType).toBe("\ufffd");
  });
});
