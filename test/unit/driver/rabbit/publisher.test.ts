import { describe, expect, it } from "vitest";
import { ChannelConnection } from "@/src/driver/rabbit/amqp091/channel-connection.js";
import { RABBIT_DEFAULTS } from "@/src/driver/rabbit/option-table.js";
import { replyRoute, Topology } from "@/src/driver/rabbit/topology.js";
import { Target } from "@/src/driver/target.js";
import { PublishingBed } from "@/test/fixtures/beds/publishing-bed.js";
import { opened } from "@/test/fixtures/beds/raw-broker-bed.js";
import type { RawBroker } from "@/test/fixtures/peers/raw-broker.js";
import { turn } from "@/test/fixtures/stages/turn.js";

/** The pause of the bed before something is tried again. */
const PAUSE_MS = 20;
const ACCEPTED = { type: "accepted" };
const topology = new Topology({ options: RABBIT_DEFAULTS, controlExchange: "x" });
const ROUTE = topology.requestRoute(new Target({ topic: "t" }));
const REPLY = replyRoute("reply_1");

async function bed() {
  const { broker, connection } = await opened();
  const publishing = new PublishingBed(new ChannelConnection(connection), PAUSE_MS);
  return { broker, connection, publish: publishing.publish, bed: publishing };
}

/** Answers channel.open and confirm.select. Returns the number of the channel. */
async function confirmChannel(broker: RawBroker): Promise<number> {
  const channel = await broker.openChannel();
  await broker.next("confirm.select");
  broker.send(channel, "confirm.select-ok");
  return channel;
}

/** A bed whose declarer has declared the exchange `x` on channel 1, with the open confirm channel. */
async function declaredBed() {
  const opening = await bed();
  const { broker, publish } = opening;
  const first = publish(ROUTE, "0");
  const declaring = await broker.openChannel();
  await broker.next("exchange.declare");
  broker.send(declaring, "exchange.declare-ok");
  const channel = await confirmChannel(broker);
  expect(await published(broker)).toBe("0");
  broker.send(channel, "basic.ack", { deliveryTag: 1 });
  expect(await first).toEqual(ACCEPTED);
  return { ...opening, declaring, channel };
}

/** The body of the next message. */
async function published(broker: RawBroker): Promise<string> {
  await broker.next("basic.publish");
  await broker.next("content-header");
  return Buffer.from((await broker.next("content-body")).payload).toString();
}

async function publishedBodies(broker: RawBroker, count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) bodies.push(await published(broker));
  return bodies;
}

async function closeChannel(broker: RawBroker, channel: number, replyCode: number, replyText: string): Promise<void> {
  broker.send(channel, "channel.close", { replyCode, replyText, classId: 60, methodId: 40 });
  await broker.next("channel.close-ok");
}

/** True when the broker has nothing more to read. */
async function isQuiet(broker: RawBroker): Promise<boolean> {
  for (let turns = 0; turns < 5; turns++) await turn();
  return broker.received.unread.length === 0;
}

describe("messages", () => {
  it("have oslo's properties", async () => {
    const { broker, publish } = await bed();
    void publish(REPLY, "a", { mandatory: true });
    void publish(REPLY, "b", { expirationMs: 1234.9, compression: "gzip" });
    void publish(REPLY, "c", { expirationMs: 1e12 });
    await confirmChannel(broker);
    const properties = { contentType: "application/json", contentEncoding: "utf-8", deliveryMode: 2, priority: 0 };
    const { fields } = await broker.next("basic.publish");
    expect(fields).toMatchObject({ exchange: "", routingKey: "reply_1", mandatory: true });
    expect((await broker.next("content-header")).fields).toMatchObject(properties);
    await broker.next("content-body");
    expect((await broker.next("basic.publish")).fields).toMatchObject({ mandatory: false });
    expect((await broker.next("content-header")).fields).toMatchObject({
      ...properties,
      expiration: "1234",
      compression: "application/x-gzip",
    });
    await broker.next("content-body");
    await broker.next("basic.publish");
    expect((await broker.next("content-header")).fields).toMatchObject({ expiration: "4294967295" });
  });

  it("leave in order, and are settled by their confirms", async () => {
    const { broker, publish } = await bed();
    const outcomes = ["a", "b", "c", "d"].map((body) => publish(REPLY, body, { mandatory: true }));
    const channel = await confirmChannel(broker);
    expect(await publishedBodies(broker, 4)).toEqual(["a", "b", "c", "d"]);
    broker.send(channel, "basic.ack", { deliveryTag: 2, multiple: true });
    const returned = { replyCode: 312, replyText: "NO_ROUTE", exchange: "", routingKey: "reply_1" };
    broker.sendContent(channel, "basic.return", returned, "c");
    broker.send(channel, "basic.ack", { deliveryTag: 3 });
    broker.send(channel, "basic.nack", { deliveryTag: 4 });
    expect(await Promise.all(outcomes)).toEqual([
      ACCEPTED,
      ACCEPTED,
      { type: "returned", exchange: "", routingKey: "reply_1", replyText: "NO_ROUTE" },
      { type: "rejected", error: expect.objectContaining({ message: expect.stringContaining("basic.nack") }) },
    ]);
  });

  it("a name that is too long is an error that names it, and others are sent", async () => {
    const { broker, publish } = await bed();
    const failed = expect(publish(replyRoute("q".repeat(256)), "a")).rejects.toThrow("routingKey of 256 bytes");
    const sent = publish(REPLY, "b");
    const channel = await confirmChannel(broker);
    await failed;
    expect(await published(broker)).toBe("b");
    broker.send(channel, "basic.ack", { deliveryTag: 1 });
    expect(await sent).toEqual(ACCEPTED);
  });

  it("wait for the declaration of their exchange in their order; others are sent meanwhile", async () => {
    const { broker, publish } = await bed();
    const outcomes = ["a", "b"].map((body) => publish(ROUTE, body));
    const declaring = await broker.openChannel();
    await broker.next("exchange.declare");
    outcomes.push(publish(REPLY, "reply"));
    const channel = await confirmChannel(broker);
    expect(await published(broker)).toBe("reply");
    outcomes.push(publish(ROUTE, "c"));
    broker.send(declaring, "exchange.declare-ok");
    expect(await publishedBodies(broker, 3)).toEqual(["a", "b", "c"]);
    broker.send(channel, "basic.ack", { deliveryTag: 4, multiple: true });
    expect(await Promise.all(outcomes)).toEqual(Array(4).fill(ACCEPTED));
  });

  it("that are given up before they leave are not sent", async () => {
    const { broker, publish } = await bed();
    const controller = new AbortController();
    const given = publish(ROUTE, "a", { signal: controller.signal });
    const given2 = publish(REPLY, "b", { signal: controller.signal });
    const sent = publish(ROUTE, "c");
    controller.abort(new Error("given up"));
    await expect(given).rejects.toThrow("given up");
    await expect(given2).rejects.toThrow("given up");
    await broker.next("channel.open").then(({ channel }) => broker.send(channel, "channel.open-ok"));
    const { channel: second } = await broker.next("channel.open");
    await broker.next("exchange.declare").then(({ channel }) => broker.send(channel, "exchange.declare-ok"));
    broker.send(second, "channel.open-ok");
    await broker.next("confirm.select");
    expect(await published(broker)).toBe("c");
    broker.send(second, "basic.ack", { deliveryTag: 1 });
    expect(await sent).toEqual(ACCEPTED);
  });
});

describe("the limit of unconfirmed requests", () => {
  it("is 16 for a routing key: the next one leaves after a confirm; other messages are not limited", async () => {
    const { broker, publish } = await bed();
    const bodies = Array.from({ length: 20 }, (_, index) => `${index}`);
    const outcomes = bodies.map((body) => publish(REPLY, body, { isRequest: true }));
    const channel = await confirmChannel(broker);
    expect(await publishedBodies(broker, 16)).toEqual(bodies.slice(0, 16));
    expect(await isQuiet(broker)).toBe(true);
    outcomes.push(publish(replyRoute("other"), "other", { isRequest: true }), publish(REPLY, "unlimited"));
    expect(await publishedBodies(broker, 2)).toEqual(["other", "unlimited"]);
    broker.send(channel, "basic.ack", { deliveryTag: 3, multiple: true });
    expect(await publishedBodies(broker, 3)).toEqual(["16", "17", "18"]);
    expect(await isQuiet(broker)).toBe(true);
    broker.send(channel, "basic.nack", { deliveryTag: 4 });
    expect(await published(broker)).toBe("19");
    broker.send(channel, "basic.ack", { deliveryTag: 0, multiple: true });
    const settled = await Promise.all(outcomes);
    expect(settled.filter(({ type }) => type === "accepted")).toHaveLength(21);
  });

  it("counts a request that was given up until the broker confirms it", async () => {
    const { broker, publish } = await bed();
    const controller = new AbortController();
    const given = Array.from({ length: 16 }, (_, index) =>
      publish(REPLY, `${index}`, { isRequest: true, signal: controller.signal }).catch(() => "given up"),
    );
    const channel = await confirmChannel(broker);
    await publishedBodies(broker, 16);
    controller.abort();
    expect(await Promise.all(given)).toEqual(Array(16).fill("given up"));
    const next = publish(REPLY, "next", { isRequest: true });
    expect(await isQuiet(broker)).toBe(true);
    broker.send(channel, "basic.ack", { deliveryTag: 16, multiple: true });
    expect(await published(broker)).toBe("next");
    broker.send(channel, "basic.ack", { deliveryTag: 17 });
    expect(await next).toEqual(ACCEPTED);
  });
});

describe("a blocked connection", () => {
  it("lets messages wait in phase credit, and a timeout has the broker's reason", async () => {
    const { broker, publish, bed: publishing } = await declaredBed();
    broker.send(0, "connection.blocked", { reason: "low on memory" });
    await turn();
    const reason = "the broker blocks messages: low on memory";
    await expect(publish(ROUTE, "a", { timeoutMs: 20 })).rejects.toThrow(`timed out in phase credit: ${reason}`);
    expect(publishing.publishing.refusalOf("x/t")?.message).toBe(reason);
    const waiting = ["b", "c"].map((body) => publish(ROUTE, body));
    expect(await isQuiet(broker)).toBe(true);
    broker.send(0, "connection.unblocked");
    waiting.push(publish(ROUTE, "d"));
    expect(await publishedBodies(broker, 3)).toEqual(["b", "c", "d"]);
    broker.send(2, "basic.ack", { deliveryTag: 4, multiple: true });
    expect(await Promise.all(waiting)).toEqual(Array(3).fill(ACCEPTED));
    expect(publishing.publishing.refusalOf("x/t")).toBe(undefined);
  });
});

describe("the end of the connection", () => {
  it("settles messages that were sent as unknown, and all others as unsent", async () => {
    const { broker, publish, bed: publishing } = await declaredBed();
    const sent = publish(ROUTE, "a");
    const limited = Array.from({ length: 40 }, (_, index) => publish(ROUTE, `${index}`, { isRequest: true }));
    const declaring = publish(topology.notificationRoute(new Target({ topic: "n" })), "b");
    const opening = publish(REPLY, "c", { by: publishing.publishing.replies });
    await published(broker);
    broker.hangUp();
    const error = expect.objectContaining({ name: "ConnectionLost" });
    expect(await sent).toEqual({ type: "unknown", error });
    const settled = await Promise.all(limited);
    expect(settled.slice(0, 16)).toEqual(Array(16).fill({ type: "unknown", error }));
    expect(settled.slice(16)).toEqual(Array(24).fill({ type: "unsent", error }));
    expect(await Promise.all([declaring, opening])).toEqual(Array(2).fill({ type: "unsent", error }));
    expect(await publish(ROUTE, "d")).toEqual({ type: "unsent", error });
    expect(publishing.publishing.endedBy).toMatchObject({ name: "ConnectionLost" });
  });

  it("by a close of ours settles everything at once", async () => {
    const { broker, publish, bed: publishing } = await declaredBed();
    const sent = publish(ROUTE, "a");
    await published(broker);
    void publishing.publishing.close();
    expect(await sent).toMatchObject({ type: "unknown" });
    expect(await publish(ROUTE, "b")).toMatchObject({ type: "unsent" });
    await broker.next("connection.close");
    broker.send(0, "connection.close-ok");
    expect(await publishing.publishing.closed).toBe(undefined);
  });

  it("while messages are sent again settles them as unknown", async () => {
    const { broker, publish, channel } = await declaredBed();
    const sent = ["a", "b"].map((body) => publish(ROUTE, body));
    await publishedBodies(broker, 2);
    await closeChannel(broker, channel, 404, "NOT_FOUND - no exchange 'x' in vhost '/'");
    await broker.next("exchange.declare");
    const waiting = publish(ROUTE, "c");
    broker.hangUp();
    expect(await Promise.all(sent)).toMatchObject(Array(2).fill({ type: "unknown" }));
    expect(await waiting).toMatchObject({ type: "unsent" });
  });
});

describe("an error of the channel with many in flight", () => {
  const MISSING = "NOT_FOUND - no exchange 'x' in vhost '/'";

  it("404: the exchange is declared again, and everything unconfirmed is sent again in order", async () => {
    const { broker, publish, channel, declaring, bed: publishing } = await declaredBed();
    const outcomes = ["a", "b"].map((body) => publish(ROUTE, body));
    outcomes.push(publish(REPLY, "reply"));
    outcomes.push(publish(ROUTE, "c"));
    await publishedBodies(broker, 4);
    broker.send(channel, "basic.ack", { deliveryTag: 2 });
    await closeChannel(broker, channel, 404, MISSING);
    expect((await broker.next("exchange.declare")).fields).toMatchObject({ exchange: "x", type: "topic" });
    outcomes.push(publish(ROUTE, "later"));
    broker.send(declaring, "exchange.declare-ok");
    const again = await confirmChannel(broker);
    expect(await publishedBodies(broker, 4)).toEqual(["b", "reply", "c", "later"]);
    broker.send(again, "basic.ack", { deliveryTag: 4, multiple: true });
    expect(await Promise.all(outcomes)).toEqual(Array(5).fill(ACCEPTED));
    expect(publishing.logger.of("warn")).toEqual([]);
  });

  it("404 again and again: the message is rejected in the end, with pauses; others are sent", async () => {
    const { broker, publish, channel, declaring } = await declaredBed();
    const failed = publish(ROUTE, "a");
    const other = publish(REPLY, "reply");
    let present = channel;
    for (let tries = 0; tries < 3; tries++) {
      await publishedBodies(broker, 2);
      await closeChannel(broker, present, 404, MISSING);
      await broker.next("exchange.declare");
      broker.send(declaring, "exchange.declare-ok");
      present = await confirmChannel(broker);
    }
    expect(await published(broker)).toBe("a");
    await closeChannel(broker, present, 404, MISSING);
    expect(await failed).toMatchObject({ type: "rejected", error: { name: "Amqp091Error", code: 404 } });
    present = await confirmChannel(broker);
    expect(await published(broker)).toBe("reply");
    broker.send(present, "basic.ack", { deliveryTag: 1 });
    expect(await other).toEqual(ACCEPTED);
  });

  it("404 of an exchange that is not declared here: rejected at once", async () => {
    const { broker, publish } = await bed();
    const route = topology.requestRoute(new Target({ exchange: "amq.none", topic: "t" }));
    const failed = publish(route, "a");
    const other = publish(REPLY, "b");
    const channel = await confirmChannel(broker);
    await publishedBodies(broker, 2);
    await closeChannel(broker, channel, 404, "NOT_FOUND - no exchange 'amq.none' in vhost '/'");
    expect(await failed).toMatchObject({ type: "rejected", error: { code: 404 } });
    const again = await confirmChannel(broker);
    expect(await published(broker)).toBe("b");
    broker.send(again, "basic.ack", { deliveryTag: 1 });
    expect(await other).toEqual(ACCEPTED);
  });

  it("406 for size: the messages of this size are rejected with both sizes, others are sent again", async () => {
    const { broker, publish, channel } = await declaredBed();
    const [before, large, after] = ["a", "four", "b"].map((body) => publish(ROUTE, body));
    await publishedBodies(broker, 3);
    const text = "PRECONDITION_FAILED - message size 4 is larger than configured max size 3";
    await closeChannel(broker, channel, 406, text);
    expect(await large).toMatchObject({ type: "rejected", error: { code: 406, text } });
    const again = await confirmChannel(broker);
    expect(await publishedBodies(broker, 2)).toEqual(["a", "b"]);
    broker.send(again, "basic.ack", { deliveryTag: 2, multiple: true });
    expect(await Promise.all([before, after])).toEqual([ACCEPTED, ACCEPTED]);
  });

  it("403: messages to the exchange are rejected and name the permission, others are sent again", async () => {
    const { broker, publish, channel } = await declaredBed();
    const [refused, other] = [publish(ROUTE, "a"), publish(REPLY, "b")];
    await publishedBodies(broker, 2);
    const text = "ACCESS_REFUSED - access to exchange 'x' in vhost '/' refused for user 'u'";
    await closeChannel(broker, channel, 403, text);
    expect(await refused).toMatchObject({
      type: "rejected",
      error: { message: `the user has no permission "write" on exchange x: ${text} (403)`, cause: { code: 403 } },
    });
    const again = await confirmChannel(broker);
    expect(await published(broker)).toBe("b");
    broker.send(again, "basic.ack", { deliveryTag: 1 });
    expect(await other).toEqual(ACCEPTED);
  });

  it("403 for a routing key: only its messages are rejected", async () => {
    const { broker, publish, channel } = await declaredBed();
    const other = publish(topology.requestRoute(new Target({ topic: "other" })), "a");
    const refused = publish(ROUTE, "b");
    await publishedBodies(broker, 2);
    const text = "ACCESS_REFUSED - access to topic 't' in exchange 'x' in vhost '/' refused for user 'u'";
    await closeChannel(broker, channel, 403, text);
    expect(await refused).toMatchObject({ type: "rejected", error: { cause: { text } } });
    const again = await confirmChannel(broker);
    expect(await published(broker)).toBe("a");
    broker.send(again, "basic.ack", { deliveryTag: 1 });
    expect(await other).toEqual(ACCEPTED);
  });

  it("without a known culprit: the messages go one at a time, and the one that closes the channel alone is rejected", async () => {
    const { broker, publish, channel } = await declaredBed();
    const outcomes = ["a", "b", "c"].map((body) => publish(ROUTE, body));
    await publishedBodies(broker, 3);
    const text = "PRECONDITION_FAILED - something";
    await closeChannel(broker, channel, 406, text);
    outcomes.push(publish(ROUTE, "later"));
    let present = await confirmChannel(broker);
    expect(await published(broker)).toBe("a");
    expect(await isQuiet(broker)).toBe(true);
    broker.send(present, "basic.ack", { deliveryTag: 1 });
    expect(await published(broker)).toBe("b");
    expect(await isQuiet(broker)).toBe(true);
    await closeChannel(broker, present, 406, text);
    present = await confirmChannel(broker);
    expect(await published(broker)).toBe("c");
    expect(await isQuiet(broker)).toBe(true);
    broker.send(present, "basic.ack", { deliveryTag: 1 });
    expect(await published(broker)).toBe("later");
    broker.send(present, "basic.ack", { deliveryTag: 2 });
    const rejected = { type: "rejected", error: expect.objectContaining({ code: 406, text }) };
    expect(await Promise.all(outcomes)).toEqual([ACCEPTED, rejected, ACCEPTED, ACCEPTED]);
  });

  it("of a message that was given up: the others are sent again", async () => {
    const { broker, publish, channel } = await declaredBed();
    const controller = new AbortController();
    const given = publish(ROUTE, "four", { signal: controller.signal });
    const other = publish(ROUTE, "a");
    await publishedBodies(broker, 2);
    controller.abort(new Error("given up"));
    await expect(given).rejects.toThrow("given up");
    await closeChannel(
      broker,
      channel,
      406,
      "PRECONDITION_FAILED - message size 4 is larger than configured max size 3",
    );
    const again = await confirmChannel(broker);
    expect(await published(broker)).toBe("a");
    broker.send(again, "basic.ack", { deliveryTag: 1 });
    expect(await other).toEqual(ACCEPTED);
  });

  it("does not send a request again that is answered", async () => {
    const { broker, publish, channel } = await declaredBed();
    const reply = { isAnswered: false };
    const answered = publish(ROUTE, "a", { reply, isRequest: true });
    const other = publish(ROUTE, "b", { isRequest: true });
    await publishedBodies(broker, 2);
    reply.isAnswered = true;
    await closeChannel(broker, channel, 406, "PRECONDITION_FAILED - something");
    expect(await answered).toEqual(ACCEPTED);
    const again = await confirmChannel(broker);
    expect(await published(broker)).toBe("b");
    broker.send(again, "basic.ack", { deliveryTag: 1 });
    expect(await other).toEqual(ACCEPTED);
  });

  it("does not send a request that is answered while it waits for its turn", async () => {
    const { broker, publish, channel } = await declaredBed();
    const reply = { isAnswered: false };
    const first = Array.from({ length: 16 }, (_, i) => publish(ROUTE, `${i}`, { isRequest: true }));
    const answered = publish(ROUTE, "a", { reply, isRequest: true });
    const next = publish(ROUTE, "b", { isRequest: true });
    await publishedBodies(broker, 16);
    reply.isAnswered = true;
    broker.send(channel, "basic.ack", { deliveryTag: 17, multiple: true });
    await Promise.all(first);
    expect(await answered).toEqual(ACCEPTED);
    expect(await published(broker)).toBe("b");
    broker.send(channel, "basic.ack", { deliveryTag: 18 });
    expect(await next).toEqual(ACCEPTED);
  });

  it("accepts a request that is answered before the connection ends", async () => {
    const { broker, publish } = await declaredBed();
    const reply = { isAnswered: false };
    const answered = publish(ROUTE, "a", { reply, isRequest: true });
    await published(broker);
    reply.isAnswered = true;
    broker.hangUp();
    expect(await answered).toEqual(ACCEPTED);
  });

  it("sends requests that may have been sent before ahead of all others, in their order", async () => {
    const { broker, publish } = await bed();
    const bodies = ["new 1", "again 1", "new 2", "again 2"];
    for (const body of bodies) void publish(ROUTE, body, { isRequest: true, isRepeat: body.startsWith("again") });
    const declaring = await broker.openChannel();
    await broker.next("exchange.declare");
    broker.send(declaring, "exchange.declare-ok");
    await confirmChannel(broker);
    expect(await publishedBodies(broker, 4)).toEqual(["again 1", "again 2", "new 1", "new 2"]);
  });

  it("a message that others interrupt three times is sent alone", async () => {
    const { broker, publish, channel } = await declaredBed();
    const patient = publish(ROUTE, "a");
    let present = channel;
    const large: Promise<unknown>[] = [];
    for (let errors = 0; errors < 3; errors++) {
      large.push(publish(ROUTE, "four"));
      await publishedBodies(broker, 2);
      const text = "PRECONDITION_FAILED - message size 4 is larger than configured max size 3";
      await closeChannel(broker, present, 406, text);
      if (errors === 2) large.push(publish(ROUTE, "four"));
      present = await confirmChannel(broker);
    }
    expect(await published(broker)).toBe("a");
    expect(await isQuiet(broker)).toBe(true);
    broker.send(present, "basic.ack", { deliveryTag: 1 });
    expect(await patient).toEqual(ACCEPTED);
    expect(await published(broker)).toBe("four");
    broker.send(present, "basic.ack", { deliveryTag: 2 });
    expect(await Promise.all(large)).toMatchObject([...Array(3).fill({ type: "rejected" }), ACCEPTED]);
  });
});

describe("a declaration that is refused", () => {
  it("for good rejects the messages that wait for it", async () => {
    const { broker, publish } = await bed();
    const outcomes = ["a", "b"].map((body) => publish(ROUTE, body));
    const declaring = await broker.openChannel();
    await broker.next("exchange.declare");
    await closeChannel(
      broker,
      declaring,
      406,
      "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'x' in vhost '/': received 'topic' but current is 'fanout'",
    );
    const message = expect.stringMatching("^exchange x has another type: .* received 'topic' but current is 'fanout'");
    expect(await Promise.all(outcomes)).toMatchObject(Array(2).fill({ type: "rejected", error: { message } }));
  });

  it("for a reason that may end is unsent; the next attempt waits, and the status shows it", async () => {
    const { broker, publish, bed: publishing } = await bed();
    const first = publish(ROUTE, "a");
    const declaring = await broker.openChannel();
    await broker.next("exchange.declare");
    await closeChannel(broker, declaring, 405, "RESOURCE_LOCKED - x");
    expect(await first).toMatchObject({
      type: "unsent",
      error: { message: expect.stringContaining("RESOURCE_LOCKED") },
    });
    expect(publishing.statuses).toMatchObject([{ type: "refused", address: "x/t" }]);
    expect(publishing.publishing.refusalOf("x/t")).toMatchObject({ cause: { code: 405 } });
    expect(publishing.logger.of("warn")).toEqual([
      "cannot publish to x/t: exchange x cannot be declared: RESOURCE_LOCKED - x (405)",
    ]);
    const refusedMs = performance.now();
    const second = publish(ROUTE, "a");
    const again = await broker.openChannel();
    expect(performance.now() - refusedMs).toBeGreaterThan(PAUSE_MS / 2);
    await broker.next("exchange.declare");
    broker.send(again, "exchange.declare-ok");
    const channel = await confirmChannel(broker);
    expect(await published(broker)).toBe("a");
    broker.send(channel, "basic.ack", { deliveryTag: 1 });
    expect(await second).toEqual(ACCEPTED);
    expect(publishing.statuses.at(-1)).toMatchObject({ type: "connected", host: "raw:5672", product: "Raw" });
    expect(publishing.publishing.refusalOf("x/t")).toBe(undefined);
  });
});

describe("channels", () => {
  it("when all are in use, messages are unsent after a pause, and a warning says so", async () => {
    const { broker, connection } = await opened({}, { channelMax: 1, frameMax: 131_072, heartbeat: 60 });
    const publishing = new PublishingBed(new ChannelConnection(connection), PAUSE_MS);
    const opening = connection.openChannel();
    await broker.openChannel();
    await opening;
    expect(await publishing.publish(REPLY, "a")).toMatchObject({ type: "unsent", error: { code: 504 } });
    expect(publishing.logger.of("warn")).toEqual([
      "no channel for publishing: CHANNEL_ERROR - all 1 channels are in use (504)",
    ]);
  });
});
