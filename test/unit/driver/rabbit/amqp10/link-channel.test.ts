import { describe, expect, it } from "vitest";
import { RecurringWarnings } from "@/src/core/recurring-warnings.js";
import { LinkConnection } from "@/src/driver/rabbit/amqp10/link-connection.js";
import { RABBIT_DEFAULTS } from "@/src/driver/rabbit/option-table.js";
import { replyRoute, Topology } from "@/src/driver/rabbit/topology.js";
import { Target } from "@/src/driver/target.js";
import { PublishingBed } from "@/test/fixtures/beds/publishing-bed.js";
import { opened } from "@/test/fixtures/beds/raw-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { endSession, RawManagement, RawSink } from "@/test/fixtures/peers/raw-rabbit.js";
import { waitFor } from "@/test/fixtures/stages/wait-for.js";

const topology = new Topology({ options: RABBIT_DEFAULTS, controlExchange: "x" });
const ROUTE = topology.requestRoute(new Target({ topic: "t" }));
const REPLY = replyRoute("reply_1");
const ACCEPTED = { type: "accepted" };

async function bed() {
  const { peer, connection } = await opened();
  const logger = new RecordingLogger();
  const link = new LinkConnection({
    connection,
    host: "raw:5672",
    virtualHost: "/",
    maxMessageBytes: 10_000,
    logger,
    warnings: new RecurringWarnings(logger),
  });
  const { publish, publishing } = new PublishingBed(link, 20);
  return { peer, connection, link, logger, publish, publishing };
}

/** A bed whose link is open. */
async function attached(credit?: number, incomingWindow?: number) {
  const opening = await bed();
  const sent = opening.publish(REPLY, "0");
  const sink = await RawSink.attached(opening.peer, credit, incomingWindow);
  return { ...opening, sink, sent };
}

describe("messages to RabbitMQ 4", () => {
  it("leave on one link in the order of the calls, each with its address", async () => {
    const { sink, sent, publish } = await attached();
    const others = [publish(replyRoute("a b"), "1"), publish(REPLY, "2")];
    const messages = [];
    while (messages.length < 3) messages.push(await sink.message());
    expect(messages.map(({ text }) => text)).toEqual(["/queues/reply_1 0", "/queues/a%20b 1", "/queues/reply_1 2"]);
    for (const message of messages) sink.accept(message);
    expect(await Promise.all([sent, ...others])).toEqual([ACCEPTED, ACCEPTED, ACCEPTED]);
  });

  it("a released message is returned only when it is mandatory", async () => {
    const { sink, sent, publish } = await attached();
    const mandatory = publish(REPLY, "1", { mandatory: true });
    sink.release(await sink.message());
    sink.release(await sink.message());
    expect(await sent).toEqual(ACCEPTED);
    expect(await mandatory).toMatchObject({ type: "returned", exchange: "", routingKey: "reply_1" });
  });

  it("a rejected message has the broker's error", async () => {
    const { sink, sent } = await attached();
    sink.reject(await sink.message(), "amqp:resource-limit-exceeded", "queue 'q' exceeded maximum length");
    expect(await sent).toEqual({
      type: "rejected",
      error: { condition: "amqp:resource-limit-exceeded", description: "queue 'q' exceeded maximum length" },
    });
  });

  it("a message that is too large for the broker is rejected", async () => {
    const { publish, peer } = await bed();
    const sent = publish(REPLY, "x".repeat(200));
    const { channel } = await peer.next("begin");
    peer.send(
      "begin",
      { remote_channel: channel, next_outgoing_id: 0, incoming_window: 9, outgoing_window: 9 },
      { channel },
    );
    const { name, source, target } = (await peer.next("attach")).fields;
    peer.send("attach", { name, handle: 0, role: true, source, target, max_message_size: 100 }, { channel });
    const window = { next_incoming_id: 0, incoming_window: 9, next_outgoing_id: 0, outgoing_window: 9 };
    peer.send("flow", { ...window, handle: 0, delivery_count: 0, link_credit: 9 }, { channel });
    expect(await sent).toMatchObject({ type: "rejected", error: { condition: "amqp:link:message-size-exceeded" } });
  });

  it("messages to a missing exchange are sent again in their order, before later ones, once it is declared", async () => {
    const { peer, publish } = await bed();
    const first = publish(ROUTE, "1");
    const { management } = await RawManagement.paired(peer);
    management.respond(await management.request(), "204");
    const sink = await RawSink.attached(peer);
    const [second, third] = [publish(ROUTE, "2"), publish(REPLY, "3")];
    const messages = [];
    while (messages.length < 3) messages.push(await sink.message());
    for (const message of messages.slice(0, 2)) sink.reject(message, "amqp:not-found", "no exchange 'x' in vhost '/'");
    sink.accept(messages[2] as (typeof messages)[0]);
    expect(await third).toEqual(ACCEPTED);
    const later = publish(ROUTE, "4");
    const request = await management.request();
    expect(request.text).toMatch(/^PUT \/exchanges\/x /);
    management.respond(request, "204");
    const again = [];
    while (again.length < 3) again.push(await sink.message());
    expect(again.map(({ text }) => text)).toEqual(["1", "2", "4"].map((body) => `/exchanges/x/t ${body}`));
    for (const message of again) sink.accept(message);
    expect(await Promise.all([first, second, later])).toEqual([ACCEPTED, ACCEPTED, ACCEPTED]);
  });

  it("a message to a queue of the default exchange that is missing is no error of an exchange", async () => {
    const { sink, sent } = await attached();
    sink.reject(await sink.message(), "amqp:not-found", "no queue");
    expect(await sent).toMatchObject({ type: "rejected", error: { code: 404, text: "no queue" } });
  });

  it("a missing permission fails the messages of its exchange; the others are sent again in a new session", async () => {
    const { peer, sink, sent, publish } = await attached();
    const denied = publish({ exchange: "d", routingKey: "k", declaration: undefined, queue: undefined }, "denied");
    for (let n = 0; n < 2; n++) await sink.message();
    endSession(peer, sink.channel, "amqp:unauthorized-access", "write access to exchange 'd' in vhost '/' refused");
    const again = await RawSink.attached(peer);
    const message = await again.message();
    expect(message.text).toBe("/queues/reply_1 0");
    again.accept(message);
    expect(await sent).toEqual(ACCEPTED);
    expect(await denied).toMatchObject({
      type: "rejected",
      error: {
        message: expect.stringContaining('the user has no permission "write" on exchange d: '),
        cause: { code: 403 },
      },
    });
  });

  it("a message that is sent when the connection ends is unknown", async () => {
    const { peer, sink, sent } = await attached();
    await sink.message();
    peer.hangUp();
    expect(await sent).toMatchObject({ type: "unknown" });
  });

  it("messages without credit wait in phase credit, and one that is given up is not sent", async () => {
    const { peer, sink, sent, publish } = await attached(1);
    await sink.message();
    const late = publish(REPLY, "late", { timeoutMs: 50 });
    await expect(late).rejects.toThrow("timed out in phase credit");
    const next = publish(REPLY, "next");
    const grant = { next_incoming_id: 1, incoming_window: 9, next_outgoing_id: 0, outgoing_window: 9 };
    peer.send("flow", { ...grant, handle: 0, delivery_count: 1, link_credit: 9 }, { channel: sink.channel });
    const message = await sink.message();
    expect(message.text).toBe("/queues/reply_1 next");
    sink.accept({ id: 0 });
    sink.accept(message);
    expect(await Promise.all([sent, next])).toEqual([ACCEPTED, ACCEPTED]);
  });

  it("an alarm closes the window: the log and the report say so, and its end", async () => {
    const { link, logger, sink, sent, publish } = await attached();
    sink.accept(await sink.message());
    await sent;
    expect(link.blocked).toBeUndefined();
    sink.window(0, 1);
    await waitFor("the alarm", () => link.blocked !== undefined);
    const waiting = publish(REPLY, "waiting", { timeoutMs: 5_000 });
    const late = publish(REPLY, "late", { timeoutMs: 100 });
    await expect(late).rejects.toThrow(/phase credit: the broker blocks messages: an alarm/);
    expect(logger.of("warn")).toEqual([expect.stringMatching(/^raw:5672 accepts no messages at present: an alarm/)]);
    sink.window(100, 1);
    sink.accept(await sink.message());
    expect(await waiting).toEqual(ACCEPTED);
    expect(logger.of("info")).toEqual(["raw:5672 accepts messages again"]);
    expect(link.blocked).toBeUndefined();
  });

  it("a compressed message has the header of Python's driver", async () => {
    const { sink, publish } = await attached();
    await sink.message();
    void publish(REPLY, "zlib", { compression: "gzip", expirationMs: 1_500.7 });
    const { payload, text } = await sink.message();
    expect(text).toBe("/queues/reply_1 zlib");
    expect(Buffer.from(payload).toString("latin1")).toContain("compression\xa1\x12application/x-gzip");
    expect(Buffer.from(payload).toString("hex")).toContain("70000005dc"); // ttl: uint 1500
  });
});
