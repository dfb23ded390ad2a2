import { describe, expect, it } from "vitest";
import { RecurringWarnings } from "@/src/core/recurring-warnings.js";
import { ChannelConnection } from "@/src/driver/rabbit/amqp091/channel-connection.js";
import { Declarer } from "@/src/driver/rabbit/declarer.js";
import { RABBIT_DEFAULTS } from "@/src/driver/rabbit/option-table.js";
import { replyRoute, Topology } from "@/src/driver/rabbit/topology.js";
import { Target } from "@/src/driver/target.js";
import { opened } from "@/test/fixtures/beds/raw-broker-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import type { RawBroker } from "@/test/fixtures/peers/raw-broker.js";

const topology = new Topology({ options: RABBIT_DEFAULTS, controlExchange: "x" });
const ROUTE = topology.requestRoute(new Target({ topic: "t" }));
const OTHER = topology.requestRoute(new Target({ exchange: "y", topic: "t" }));
const NOTIFICATION = topology.notificationRoute(new Target({ topic: "n.info" }));
const DIFFERS = "inequivalent arg 'durable' for exchange 'x' in vhost '/': received 'false' but current is 'true'";
const REFUSED = "ACCESS_REFUSED - access to exchange 'x' in vhost '/' refused for user 'u'";

async function bed() {
  const { broker, connection } = await opened();
  const logger = new RecordingLogger();
  const declarer = new Declarer({
    connection: new ChannelConnection(connection),
    warnings: new RecurringWarnings(logger),
  });
  return { broker, connection, logger, declarer };
}

type Answered = "exchange.declare" | "queue.declare" | "queue.bind" | "queue.delete";

/** Answers the next request, which must be a `name`. Returns its fields. */
async function answer(broker: RawBroker, name: Answered): Promise<Record<string, unknown>> {
  const { channel, fields } = await broker.next(name);
  if (name === "queue.declare")
    broker.send(channel, "queue.declare-ok", { queue: "q", messageCount: 0, consumerCount: 0 });
  else broker.send(channel, `${name}-ok`);
  return fields;
}

/** Closes the channel as the answer to the next request. Resolves when the channel was opened again, if it is. */
async function refuse(broker: RawBroker, name: Answered, replyCode: number, replyText: string): Promise<void> {
  const { channel } = await broker.next(name);
  broker.send(channel, "channel.close", { replyCode, replyText });
}

/** Answers the channel.open that follows a refusal. */
async function reopen(broker: RawBroker): Promise<void> {
  await broker.next("channel.close-ok");
  await broker.openChannel();
}

describe("declaring a route", () => {
  it("declares its exchange once, on one channel for all", async () => {
    const { broker, declarer } = await bed();
    expect(declarer.isDeclared(ROUTE)).toBe(false);
    const declared = Promise.all([ROUTE, ROUTE, OTHER].map((route) => declarer.declareRoute(route)));
    await broker.openChannel();
    expect(await answer(broker, "exchange.declare")).toMatchObject({
      exchange: "x",
      type: "topic",
      durable: false,
      autoDelete: false,
      passive: false,
    });
    expect(await answer(broker, "exchange.declare")).toMatchObject({ exchange: "y" });
    await declared;
    await declarer.declareRoute(ROUTE);
    expect([ROUTE, OTHER, NOTIFICATION].map((route) => declarer.isDeclared(route))).toEqual([true, true, false]);
    expect(broker.received.unread).toEqual([]);
  });

  it("declares exchange, queue and binding of a notification; nothing for the default exchange", async () => {
    const { broker, declarer } = await bed();
    expect(declarer.isDeclared(replyRoute("reply_1"))).toBe(true);
    const declared = declarer.declareRoute(NOTIFICATION);
    await broker.openChannel();
    expect(await answer(broker, "exchange.declare")).toMatchObject({ exchange: "x" });
    expect(await answer(broker, "queue.declare")).toMatchObject({ queue: "n.info", durable: false, exclusive: false });
    expect(await answer(broker, "queue.bind")).toMatchObject({ queue: "n.info", exchange: "x", routingKey: "n.info" });
    await declared;
    expect([ROUTE, NOTIFICATION].map((route) => declarer.isDeclared(route))).toEqual([true, true]);
    declarer.forget("x");
    expect([ROUTE, NOTIFICATION].map((route) => declarer.isDeclared(route))).toEqual([false, false]);
  });

  it("of the requests that a refusal interrupts, only the refused one fails", async () => {
    const { broker, declarer } = await bed();
    const [first, second] = [declarer.declareRoute(ROUTE), declarer.declareRoute(OTHER)];
    const failed = expect(first).rejects.toMatchObject({ cause: { code: 405 }, isFinal: false });
    await broker.openChannel();
    await refuse(broker, "exchange.declare", 405, "RESOURCE_LOCKED - x");
    await broker.next("exchange.declare");
    await reopen(broker);
    expect(await answer(broker, "exchange.declare")).toMatchObject({ exchange: "y" });
    await failed;
    await second;
    expect([ROUTE, OTHER].map((route) => declarer.isDeclared(route))).toEqual([false, true]);
  });

  it("fails when the connection ends, and does not hang", async () => {
    const { broker, declarer } = await bed();
    const declared = [ROUTE, OTHER].map((route) => declarer.declareRoute(route));
    const failures = Promise.allSettled(declared);
    await broker.openChannel();
    broker.hangUp();
    for (const failure of await failures) {
      expect(failure).toMatchObject({ status: "rejected", reason: { name: "ConnectionLost" } });
    }
    await expect(declarer.declareRoute(ROUTE)).rejects.toMatchObject({ name: "ConnectionLost" });
  });
});

describe("an exchange or a queue that differs from its declaration", () => {
  it("is used, with one warning for each connection that has both values", async () => {
    const { broker, declarer, logger } = await bed();
    for (let times = 0; times < 2; times++) {
      const declared = declarer.declareRoute(ROUTE);
      if (times === 0) await broker.openChannel();
      await refuse(broker, "exchange.declare", 406, `PRECONDITION_FAILED - ${DIFFERS}`);
      await reopen(broker);
      expect(await answer(broker, "exchange.declare")).toMatchObject({ exchange: "x", passive: true });
      await declared;
      declarer.forget("x");
    }
    expect(logger.of("warn")).toEqual([
      `exchange x differs from its declaration and is used as it is: PRECONDITION_FAILED - ${DIFFERS}`,
    ]);
  });

  it("is bound if it is a queue", async () => {
    const { broker, declarer, logger } = await bed();
    const [queue] = topology.listenerQueues([new Target({ topic: "n.info" })]);
    const declared = declarer.declareQueue(queue as NonNullable<typeof queue>);
    await broker.openChannel();
    await answer(broker, "exchange.declare");
    await refuse(
      broker,
      "queue.declare",
      406,
      "PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'n.info'",
    );
    await reopen(broker);
    expect(await answer(broker, "queue.declare")).toMatchObject({ queue: "n.info", passive: true });
    await answer(broker, "queue.bind");
    await declared;
    expect(logger.of("warn")).toEqual([expect.stringMatching(/^queue n\.info differs .*'x-queue-type'/)]);
  });

  it("is refused if it is an exchange of another type", async () => {
    const { broker, declarer } = await bed();
    const text = "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'x' in vhost '/'";
    const declared = expect(declarer.declareRoute(ROUTE)).rejects.toMatchObject({
      name: "MessagingException",
      message: `exchange x has another type: ${text} (406)`,
      isFinal: true,
    });
    await broker.openChannel();
    await refuse(broker, "exchange.declare", 406, text);
    await declared;
  });
});

describe("a missing permission", () => {
  it("to configure is no error for what exists, and an error that names it otherwise", async () => {
    const { broker, declarer, logger } = await bed();
    const declared = declarer.declareRoute(ROUTE);
    await broker.openChannel();
    await refuse(broker, "exchange.declare", 403, REFUSED);
    await reopen(broker);
    expect(await answer(broker, "exchange.declare")).toMatchObject({ passive: true });
    await declared;
    declarer.forget("x");
    const failed = expect(declarer.declareRoute(ROUTE)).rejects.toMatchObject({
      message: `the user has no permission "configure" on exchange x: ${REFUSED} (403)`,
      cause: { code: 403 },
      isFinal: true,
    });
    await refuse(broker, "exchange.declare", 403, REFUSED);
    await reopen(broker);
    await refuse(broker, "exchange.declare", 404, "NOT_FOUND - no exchange 'x' in vhost '/'");
    await failed;
    expect(logger.of("warn")).toEqual([]);
  });

  it("is not the reason when a name is reserved", async () => {
    const { broker, declarer } = await bed();
    const text = "ACCESS_REFUSED - queue name 'n.info' contains reserved prefix 'amq.*'";
    const failed = expect(declarer.declareRoute(NOTIFICATION)).rejects.toMatchObject({
      message: `queue n.info is refused: ${text} (403)`,
      isFinal: true,
    });
    await broker.openChannel();
    await answer(broker, "exchange.declare");
    await refuse(broker, "queue.declare", 403, text);
    await reopen(broker);
    await refuse(broker, "queue.declare", 404, "NOT_FOUND - no queue 'n.info' in vhost '/'");
    await failed;
  });

  it.each([
    [REFUSED, 'the user has no permission "read" on exchange x'],
    [REFUSED.replace("exchange 'x'", "queue 'n.info'"), 'the user has no permission "write" on queue n.info'],
  ])("to bind is an error that names it: %s", async (text, message) => {
    const { broker, declarer } = await bed();
    const failed = expect(declarer.declareRoute(NOTIFICATION)).rejects.toMatchObject({
      message: `${message}: ${text} (403)`,
      isFinal: true,
    });
    await broker.openChannel();
    await answer(broker, "exchange.declare");
    await answer(broker, "queue.declare");
    await refuse(broker, "queue.bind", 403, text);
    await failed;
  });
});

describe("declaring a queue", () => {
  it("declares everything once more when its exchange was deleted in between", async () => {
    const { broker, declarer } = await bed();
    const failed = expect(declarer.declareRoute(NOTIFICATION)).rejects.toMatchObject({
      message: "queue n.info cannot be bound to exchange x: NOT_FOUND - no exchange 'x' in vhost '/' (404)",
      isFinal: false,
    });
    await broker.openChannel();
    for (let times = 0; times < 2; times++) {
      await answer(broker, "exchange.declare");
      await answer(broker, "queue.declare");
      await refuse(broker, "queue.bind", 404, "NOT_FOUND - no exchange 'x' in vhost '/'");
      if (times === 0) await reopen(broker);
    }
    await failed;
  });

  it("that RabbitMQ 4 forbids fails with the names of the options that help; other requests lose their connection", async () => {
    const { broker, declarer, connection } = await bed();
    const text = "INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.\nIt is not permitted.";
    const other = expect(
      new Promise((_, reject) => {
        queueMicrotask(() => declarer.declareRoute(OTHER).catch(reject));
      }),
    ).rejects.toMatchObject({ name: "ConnectionLost" });
    const failed = expect(declarer.declareQueue(topology.replyQueue("1"))).rejects.toMatchObject({
      message: expect.stringMatching("queue reply_1, .*rabbit_quorum_queue .*rabbit_transient_quorum_queue"),
      cause: { code: 541, text },
      isFinal: true,
    });
    await broker.openChannel();
    await broker.next("queue.declare");
    await broker.next("exchange.declare");
    broker.send(0, "connection.close", { replyCode: 541, replyText: text, classId: 50, methodId: 10 });
    await failed;
    await other;
    expect(connection.isOpen).toBe(false);
  });

  it("is always sent, and a queue can be deleted", async () => {
    const { broker, declarer } = await bed();
    const queue = topology.replyQueue("1");
    for (let times = 0; times < 2; times++) {
      const declared = declarer.declareQueue(queue);
      if (times === 0) await broker.openChannel();
      expect(await answer(broker, "queue.declare")).toMatchObject({
        queue: "reply_1",
        arguments: { "x-expires": 1_800_000 },
      });
      await declared;
    }
    const deleted = declarer.deleteQueue("reply_1");
    const { channel, fields } = await broker.next("queue.delete");
    expect(fields).toMatchObject({ queue: "reply_1" });
    broker.send(channel, "queue.delete-ok", { messageCount: 0 });
    await deleted;
  });
});
