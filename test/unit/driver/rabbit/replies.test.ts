import { deflateSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ConnectOptions } from "@/src/amqp091/connect.js";
import type { Connection } from "@/src/amqp091/connection.js";
import { StatusFeed, type TransportStatus } from "@/src/core/connection/status.js";
import { type Deadline, Deadlines } from "@/src/core/deadlines.js";
import { RecurringWarnings } from "@/src/core/recurring-warnings.js";
import { Waiters } from "@/src/core/waiters.js";
import { ChannelConnection } from "@/src/driver/rabbit/amqp091/channel-connection.js";
import { ListeningConnection } from "@/src/driver/rabbit/listening-connection.js";
import { RABBIT_DEFAULTS } from "@/src/driver/rabbit/option-table.js";
import { Replies } from "@/src/driver/rabbit/replies.js";
import { Topology } from "@/src/driver/rabbit/topology.js";
import { encodeFailure, encodeHeartbeat, encodeReply } from "@/src/driver/rabbit/wire.js";
import { PendingReply, type Reply } from "@/src/driver/sending/pending-reply.js";
import { opened } from "@/test/fixtures/beds/raw-broker-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import type { RawBroker } from "@/test/fixtures/peers/raw-broker.js";
import { turn } from "@/test/fixtures/stages/turn.js";

const ID = "0123456789abcdef0123456789abcdef";
const OTHER_ID = "f".repeat(32);
const QUEUE = `reply_${"a".repeat(32)}`;
const REFUSED = `ACCESS_REFUSED - access to queue '${QUEUE}' in vhost '/' refused for user 'guest'`;
const OPTIONS = { ...RABBIT_DEFAULTS, kombuReconnectDelayMs: 1 };
const FAILURE = { excType: "ValueError", module: "builtins", message: "no", traceback: [], args: ["no"], kwargs: {} };

/** The replies of a driver, with connections that the test opens one after another. */
class RepliesBed {
  readonly logger = new RecordingLogger();
  readonly status: TransportStatus[] = [];
  readonly deadlines = new Deadlines();
  readonly replies: Replies;
  readonly #waiters = new Waiters<ListeningConnection>();
  live: ListeningConnection | undefined;

  constructor({ failFast = false } = {}) {
    const topology = new Topology({
      options: { ...OPTIONS, enableCancelOnFailover: true },
      controlExchange: "openstack",
    });
    this.replies = new Replies({
      warnings: new RecurringWarnings(this.logger),
      queue: topology.replyQueue("a".repeat(32)),
      consumerArguments: topology.consumerArguments,
      maxMessageBytes: 100_000,
      connections: {
        connect: (deadline) =>
          this.live?.isOpen ? Promise.resolve(this.live) : this.#waiters.wait("connecting", deadline),
      },
      nonFiniteNumbers: undefined,
      failFast,
    });
  }

  /** Opens the next connection. */
  async connect(options: Partial<ConnectOptions> = {}): Promise<{ broker: RawBroker; connection: Connection }> {
    const { broker, connection } = await opened(options);
    const { logger } = this;
    const feed = new StatusFeed();
    this.live = new ListeningConnection({
      connection: new ChannelConnection(connection),
      host: "raw:1",
      options: OPTIONS,
      status: {
        set: (status) => {
          this.status.push(status);
          feed.set(status);
        },
      },
      logger,
      warnings: new RecurringWarnings(logger),
    });
    this.replies.attach(this.live);
    this.#waiters.resolve(this.live);
    return { broker, connection };
  }

  deadline(ms?: number): Deadline {
    const deadline = this.deadlines.start({ ms, expired: (phase) => new Error(`expired: ${phase}`) });
    onTestFinished(() => deadline.done());
    return deadline;
  }

  /** A call with an accepted request. */
  call(id = ID) {
    let heartbeats = 0;
    const unanswered = (cause: Error): Error => new Error(`unanswered: ${cause.message}`);
    const pending = new PendingReply<Reply>({ deadline: this.deadline(), unanswered }, () => heartbeats++);
    this.replies.register(id, pending);
    const value = pending.value();
    value.catch(() => {});
    return { pending, value, heartbeats: () => heartbeats };
  }
}

/** Answers the declaration of the queue. The declarer opens its channel first unless it has one. */
async function declared(broker: RawBroker, { isFirst = true } = {}): Promise<Record<string, unknown>> {
  if (isFirst) await broker.openChannel();
  const { channel, fields } = await broker.next("queue.declare");
  broker.send(channel, "queue.declare-ok", { queue: QUEUE, messageCount: 0, consumerCount: 0 });
  return fields;
}

/** Answers up to the consumer. Returns its channel. */
async function consumed(broker: RawBroker, how: { isFirst?: boolean } = {}): Promise<number> {
  await declared(broker, how);
  const channel = await broker.openChannel();
  await broker.next("basic.qos");
  broker.send(channel, "basic.qos-ok");
  await broker.next("basic.consume");
  broker.send(channel, "basic.consume-ok", { consumerTag: "1" });
  return channel;
}

/** A bed whose queue is consumed. */
async function consuming({ failFast = false, maxBodyBytes = 100_000 } = {}) {
  const bed = new RepliesBed({ failFast });
  const { broker, connection } = await bed.connect({ maxMessageBytes: maxBodyBytes });
  const ready = bed.replies.ready(bed.deadline());
  const channel = await consumed(broker);
  await ready;
  let tag = 0;
  const deliver = (body: Uint8Array | string, properties: object = { contentType: "application/json" }): void =>
    deliverTo(broker, channel, ++tag, body, properties);
  return { bed, broker, connection, channel, deliver };
}

function deliverTo(
  broker: RawBroker,
  channel: number,
  deliveryTag: number,
  body: Uint8Array | string,
  properties: object = { contentType: "application/json" },
): void {
  const fields = { consumerTag: "1", deliveryTag, redelivered: false, exchange: "", routingKey: QUEUE };
  broker.sendContent(channel, "basic.deliver", fields, body, properties);
}

function ids(messageId = ID): { messageId: string; uniqueId: string } {
  return { messageId, uniqueId: "1".repeat(32) };
}

function message(members: object): string {
  return JSON.stringify({ "oslo.version": "2.0", "oslo.message": JSON.stringify({ ...members, _msg_id: ID }) });
}

describe("the reply queue", () => {
  test("is declared and consumed at the first call, and not before", async () => {
    const bed = new RepliesBed();
    const { broker } = await bed.connect();
    await turn();
    expect(broker.received.unread).toEqual([]);
    const ready = bed.replies.ready(bed.deadline());
    expect(await declared(broker)).toMatchObject({
      queue: QUEUE,
      durable: false,
      exclusive: false,
      autoDelete: false,
      arguments: { "x-expires": 1_800_000 },
    });
    const channel = await broker.openChannel();
    await broker.next("basic.qos");
    broker.send(channel, "basic.qos-ok");
    expect((await broker.next("basic.consume")).fields).toMatchObject({
      queue: QUEUE,
      consumerTag: "1",
      noAck: false,
      exclusive: false,
      arguments: { "x-cancel-on-ha-failover": true },
    });
    expect(bed.replies.isReady).toBe(false);
    broker.send(channel, "basic.consume-ok", { consumerTag: "1" });
    await ready;
    expect(bed.replies.isReady).toBe(true);
    expect(bed.replies.queue).toBe(QUEUE);
    await bed.replies.ready(bed.deadline());
    await turn();
    expect(broker.received.unread).toEqual([]);
  });

  test("is declared once for calls at the same time, which wait for the connection too", async () => {
    const bed = new RepliesBed();
    const ready = [bed.replies.ready(bed.deadline()), bed.replies.ready(bed.deadline())];
    const { broker } = await bed.connect();
    await consumed(broker);
    await Promise.all(ready);
    await turn();
    expect(broker.received.unread).toEqual([]);
  });

  test("a call waits for it until its deadline", async () => {
    const bed = new RepliesBed();
    await expect(bed.replies.ready(bed.deadline(1))).rejects.toThrow("expired: connecting");
    await bed.connect();
    await expect(bed.replies.ready(bed.deadline(1))).rejects.toThrow("expired: connecting");
  });

  test("is declared and consumed again when the broker cancels its consumer, after a pause", async () => {
    const { bed, broker, channel } = await consuming();
    const { value } = bed.call();
    broker.send(channel, "basic.cancel", { consumerTag: "1", noWait: true });
    await broker.next("channel.close");
    broker.send(channel, "channel.close-ok");
    expect(bed.replies.isReady).toBe(false);
    const ready = bed.replies.ready(bed.deadline());
    const next = await consumed(broker, { isFirst: false });
    await ready;
    expect(bed.logger.of("warn")).toEqual([`no messages from queue ${QUEUE}: the broker cancelled the consumer`]);
    expect(bed.status.map(({ type }) => type)).toEqual(["refused", "connected"]);
    expect(bed.status[0]).toMatchObject({ address: QUEUE });
    deliverTo(broker, next, 1, encodeReply("late", ids()));
    expect(await value).toEqual({ type: "response", value: "late" });
  });

  test("is declared again when its channel is closed, or when it was deleted before its consumer began", async () => {
    const { bed, broker, channel } = await consuming();
    broker.send(channel, "channel.close", { replyCode: 406, replyText: "PRECONDITION_FAILED - timeout" });
    await broker.next("channel.close-ok");
    await declared(broker, { isFirst: false });
    const next = await broker.openChannel();
    await broker.next("basic.qos");
    broker.send(next, "basic.qos-ok");
    await broker.next("basic.consume");
    broker.send(next, "channel.close", { replyCode: 404, replyText: "NOT_FOUND - no queue" });
    await broker.next("channel.close-ok");
    const ready = bed.replies.ready(bed.deadline());
    await consumed(broker, { isFirst: false });
    await ready;
    expect(bed.logger.of("warn")).toEqual([`no messages from queue ${QUEUE}: PRECONDITION_FAILED - timeout (406)`]);
  });

  test("a refusal for good fails the calls that wait for it, and the next call tries again", async () => {
    const { bed, broker, channel } = await consuming();
    const { value } = bed.call();
    broker.send(channel, "basic.cancel", { consumerTag: "1", noWait: true });
    await broker.next("channel.close");
    broker.send(channel, "channel.close-ok");
    const ready = bed.replies.ready(bed.deadline());
    const refused = expect(ready).rejects.toMatchObject({
      name: "MessagingException",
      message: `the user has no permission "read" on queue ${QUEUE}: ${REFUSED} (403)`,
      cause: { code: 403 },
    });
    await declared(broker, { isFirst: false });
    const next = await broker.openChannel();
    await broker.next("basic.qos");
    broker.send(next, "basic.qos-ok");
    await broker.next("basic.consume");
    broker.send(next, "channel.close", { replyCode: 403, replyText: REFUSED });
    await refused;
    await expect(value).rejects.toThrow(/^unanswered: the user has no permission "read"/);
    await broker.next("channel.close-ok");
    await turn();
    expect(broker.received.unread).toEqual([]);
    const again = bed.replies.ready(bed.deadline());
    await consumed(broker, { isFirst: false });
    await again;
  });

  test("a broker that closes the connection because it permits no transient queues is not asked again until the next call", async () => {
    const bed = new RepliesBed();
    const first = await bed.connect();
    const refused = expect(bed.replies.ready(bed.deadline())).rejects.toThrow("rabbit_transient_quorum_queue");
    await first.broker.openChannel();
    await first.broker.next("queue.declare");
    const replyText = "INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated";
    first.broker.send(0, "connection.close", { replyCode: 541, replyText });
    await refused;
    const second = await bed.connect();
    await turn();
    expect(second.broker.received.unread).toEqual([]);
    const again = bed.replies.ready(bed.deadline());
    await consumed(second.broker);
    await again;
  });
});

describe("a reply", () => {
  test("settles its call and is acknowledged on arrival", async () => {
    const { bed, broker, deliver } = await consuming();
    const [one, other] = [bed.call(), bed.call(OTHER_ID)];
    deliver(encodeReply({ a: [1] }, ids(OTHER_ID)));
    expect(await other.value).toEqual({ type: "response", value: { a: [1] } });
    deliver(encodeFailure(FAILURE, ids()));
    expect(await one.value).toEqual({ type: "failure", failure: FAILURE });
    for (const deliveryTag of [1, 2]) {
      expect((await broker.next("basic.ack")).fields).toEqual({ deliveryTag, multiple: false });
    }
  });

  test("is decompressed, and replies behind it keep their order", async () => {
    const { bed, broker, deliver } = await consuming();
    const { value } = bed.call();
    const headers = { compression: "application/x-gzip" };
    deliver(deflateSync(encodeReply("first", ids())), { contentType: "application/json", headers });
    deliver(encodeReply("second", ids()));
    expect(await value).toEqual({ type: "response", value: "first" });
    await broker.next("basic.ack");
    await broker.next("basic.ack");
  });

  test("a heartbeat restarts the monitor, and the call goes on", async () => {
    const { bed, broker, deliver } = await consuming();
    const { value, heartbeats, pending } = bed.call();
    deliver(encodeHeartbeat(ids()));
    deliver(encodeHeartbeat(ids()));
    await broker.next("basic.ack");
    await broker.next("basic.ack");
    expect([heartbeats(), pending.isAnswered]).toEqual([2, true]);
    deliver(encodeReply(1, ids()));
    expect(await value).toEqual({ type: "response", value: 1 });
  });

  test.each<{ what: string; messages: object[]; reply: Reply }>([
    {
      what: "a result, and then the end without a result",
      messages: [
        { result: { a: 1 }, failure: null, ending: false },
        { result: null, failure: null, ending: true },
      ],
      reply: { type: "response", value: { a: 1 } },
    },
    {
      what: "a result and then an end without its members",
      messages: [{ result: 0, failure: null }, { ending: true }],
      reply: { type: "response", value: 0 },
    },
    {
      what: "a failure, and then the end",
      messages: [
        { result: null, failure: JSON.stringify({ class: "E", module: "m", message: "no" }) },
        { ending: true },
      ],
      reply: {
        type: "failure",
        failure: { excType: "E", module: "m", message: "no", traceback: [], args: [], kwargs: {} },
      },
    },
    {
      what: "two results",
      messages: [
        { result: 1, failure: null, ending: false },
        { result: 2, failure: null, ending: true },
      ],
      reply: { type: "response", value: 2 },
    },
    {
      what: "an end alone",
      messages: [{ result: null, failure: null, ending: true }],
      reply: { type: "response", value: null },
    },
  ])("of $what is the newest result or failure", async ({ messages, reply }) => {
    const { bed, deliver } = await consuming();
    const { value } = bed.call();
    for (const members of messages) deliver(message(members));
    expect(await value).toEqual(reply);
  });

  test("without a call is acknowledged and logged", async () => {
    const { bed, broker, deliver } = await consuming();
    bed.call().pending.cancel();
    deliver(encodeReply("secret", ids()));
    await broker.next("basic.ack");
    expect(bed.logger.of("warn")).toEqual([
      expect.stringMatching(/^discarded a reply \(\d+ bytes\) that matches no call: it may have timed out$/),
    ]);
  });

  test.each<{ what: string; body: string; error: string }>([
    {
      what: "NaN",
      body: `{\\"result\\": NaN, \\"failure\\": null, \\"ending\\": true, \\"_msg_id\\": \\"${ID}\\"}`,
      error: "NaN",
    },
    {
      what: "a failure that is not JSON",
      body: `{\\"result\\": \\"_msg_id: ${OTHER_ID}\\", \\"failure\\": \\"no\\", \\"ending\\": true, \\"_msg_id\\": \\"${ID}\\"}`,
      error: "failure",
    },
  ])("with $what is rejected and fails its call at once", async ({ body, error }) => {
    const { bed, broker, deliver } = await consuming();
    const { value } = bed.call();
    const other = bed.call(OTHER_ID);
    deliver(`{"oslo.version": "2.0", "oslo.message": "${body}"}`);
    await expect(value).rejects.toThrow(error);
    expect((await broker.next("basic.reject")).fields).toEqual({ deliveryTag: 1, requeue: false });
    expect(bed.logger.of("warn")).toEqual([expect.stringMatching(/^rejected a reply of \d+ bytes: .*/)]);
    deliver(encodeReply(1, ids(OTHER_ID)));
    await other.value;
  });

  test("that exceeds the limit is rejected and fails its call at once", async () => {
    const { bed, broker, deliver } = await consuming({ maxBodyBytes: 1_000 });
    const { value } = bed.call();
    const other = bed.call(OTHER_ID);
    const text = `_msg_id: ${OTHER_ID}`.repeat(50);
    const large = encodeReply(text, ids());
    deliver(large);
    await expect(value).rejects.toMatchObject({
      name: "MessagingException",
      message: `message of ${large.length} bytes exceeds the limit of 1000 bytes, maxMessageBytes`,
    });
    expect((await broker.next("basic.reject")).fields).toEqual({ deliveryTag: 1, requeue: false });
    deliver(encodeReply(1, ids(OTHER_ID)));
    await other.value;
  });

  test("that is no reply is rejected and logged without its body", async () => {
    const { bed, broker, deliver } = await consuming();
    deliver("secret");
    deliver(encodeReply(1, ids()), { contentType: "text/plain" });
    deliver("secret", { contentType: "application/json", headers: { compression: "application/x-bz2" } });
    for (let i = 0; i < 3; i++) await broker.next("basic.reject");
    const [warning] = bed.logger.of("warn");
    expect(warning).toMatch(/^rejected a reply of 6 bytes: /);
    expect(warning).not.toContain("secret");
  });
});

describe("a lost connection", () => {
  test("a call goes on: its reply arrives over the next connection", async () => {
    const { bed, broker } = await consuming();
    const { value } = bed.call();
    broker.hangUp();
    await bed.live?.closed;
    expect(bed.replies.isReady).toBe(false);
    const ready = bed.replies.ready(bed.deadline());
    const second = await bed.connect();
    const channel = await consumed(second.broker);
    await ready;
    deliverTo(second.broker, channel, 1, encodeReply("late", ids()));
    expect(await value).toEqual({ type: "response", value: "late" });
    expect(bed.logger.of("warn")).toEqual([]);
  });

  test("the queue is consumed again without a further call", async () => {
    const { bed, broker } = await consuming();
    broker.hangUp();
    await bed.live?.closed;
    const second = await bed.connect();
    await consumed(second.broker);
  });

  test("a call that waits for the queue gets it on the next connection", async () => {
    const bed = new RepliesBed();
    const first = await bed.connect();
    const ready = bed.replies.ready(bed.deadline());
    await declared(first.broker);
    first.broker.hangUp();
    await bed.live?.closed;
    const second = await bed.connect();
    await consumed(second.broker);
    await ready;
  });

  test("fails the calls with failFast", async () => {
    const { bed, broker } = await consuming({ failFast: true });
    const { value } = bed.call();
    broker.hangUp();
    await expect(value).rejects.toThrow(/^unanswered: .*closed by the peer/);
  });
});
