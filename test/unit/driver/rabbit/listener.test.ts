import { describe, expect, it } from "vitest";
import { Amqp091Error } from "@/src/amqp091/errors.js";
import { Deferred } from "@/src/core/deferred.js";
import { DeclarationRefused } from "@/src/driver/rabbit/declaration-refused.js";
import { prefetchOf } from "@/src/driver/rabbit/listener.js";
import { RABBIT_DEFAULTS } from "@/src/driver/rabbit/option-table.js";
import {
  type AttachedListener,
  attached,
  consumed,
  listenerBed,
  PROPERTIES,
  request,
} from "@/test/fixtures/beds/rabbit-listener-bed.js";
import { opened } from "@/test/fixtures/beds/raw-broker-bed.js";
import { FakeConsumerContext } from "@/test/fixtures/fakes/fake-consumer-context.js";
import { turn } from "@/test/fixtures/stages/turn.js";

const NOT_FOUND = { replyCode: 404, replyText: "NOT_FOUND - no queue 'q'", classId: 60, methodId: 20 };
const CANCELLED = "the broker cancelled the consumer: was the queue deleted?";

function refusedBy(code: number, isFinal: boolean): DeclarationRefused {
  return new DeclarationRefused("queue refused", { cause: new Amqp091Error({ code, text: "text" }), isFinal });
}

async function eventsOf(context: FakeConsumerContext, count: number): Promise<string[]> {
  const events: string[] = [];
  while (events.length < count) events.push(await context.events.take("an event", (event) => event));
  return events;
}

function deliver(
  { broker, channel }: Pick<AttachedListener, "broker" | "channel">,
  deliveryTag: number,
  tag = "1",
): void {
  const fields = { consumerTag: tag, deliveryTag, redelivered: false, exchange: "", routingKey: "q" };
  broker.sendContent(channel, "basic.deliver", fields, request(`u${deliveryTag}`), PROPERTIES);
}

/** Resolves with whether the promise is settled after all that is ready was done. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  await turn();
  return settled;
}

describe("a listener on a connection", () => {
  it("declares its queues, then consumes them in order on one channel, with the prefetch for each consumer", async () => {
    const consumerArguments = { "x-cancel-on-ha-failover": true };
    const { listener } = listenerBed(["t", "t.s", "t_fanout_1"], { prefetch: 7, consumerArguments });
    const { broker, connection } = await opened();
    const context = new FakeConsumerContext(connection);
    listener.attach(context);
    const channel = await broker.openChannel();
    expect((await broker.next("basic.qos")).fields).toMatchObject({ prefetchCount: 7, prefetchSize: 0, global: false });
    broker.send(channel, "basic.qos-ok");
    for (const [index, queue] of ["t", "t.s", "t_fanout_1"].entries()) {
      const { fields } = await broker.next("basic.consume");
      const consumerTag = `${index + 1}`;
      expect(fields).toMatchObject({
        queue,
        consumerTag,
        noAck: false,
        exclusive: false,
        arguments: consumerArguments,
      });
      expect(await isSettled(listener.attached)).toBe(false);
      broker.send(channel, "basic.consume-ok", { consumerTag });
    }
    await listener.attached;
    expect(context.events.unread.slice(0, 3)).toEqual(["declare t", "declare t.s", "declare t_fanout_1"]);
    expect(listener.peer).toBe(context.peer);
    expect(listener.refusal).toBe(undefined);
  });

  it("messages of all its queues are handed over", async () => {
    const bed = await attached(["a", "b"]);
    deliver(bed, 1, "2");
    deliver(bed, 2, "1");
    expect([(await bed.next()).identity, (await bed.next()).identity]).toEqual(["u1", "u2"]);
  });

  it("a queue whose consumer the broker cancels is consumed again on the same channel, after a pause", async () => {
    const bed = await attached(["a", "b"]);
    const { broker, context, channel, listener } = bed;
    await eventsOf(context, 4);
    broker.send(channel, "basic.cancel", { consumerTag: "1", noWait: true });
    const { fields, channel: again } = await broker.next("basic.consume");
    expect([again, fields["queue"], fields["consumerTag"]]).toEqual([channel, "a", "1"]);
    expect(await eventsOf(context, 3)).toEqual([`refused a: ${CANCELLED}`, "pause", "declare a"]);
    expect(listener.refusal?.message).toBe(CANCELLED);
    broker.send(channel, "basic.consume-ok", { consumerTag: "1" });
    expect(await eventsOf(context, 1)).toEqual(["restored a"]);
    expect(listener.refusal).toBe(undefined);
    deliver(bed, 1, "1");
    deliver(bed, 2, "2");
    expect([(await bed.next()).identity, (await bed.next()).identity]).toEqual(["u1", "u2"]);
  });

  it("a queue that cannot be declared again after a cancel is tried until it can", async () => {
    const { broker, context, channel } = await attached(["a"]);
    await eventsOf(context, 2);
    let failures = 2;
    context.onDeclare = async () => {
      if (failures-- > 0) throw refusedBy(404, false);
    };
    broker.send(channel, "basic.cancel", { consumerTag: "1", noWait: true });
    await broker.next("basic.consume");
    expect(await eventsOf(context, 9)).toEqual([
      `refused a: ${CANCELLED}`,
      ...["pause", "declare a", "refused a: queue refused"],
      ...["pause", "declare a", "refused a: queue refused"],
      ...["pause", "declare a"],
    ]);
  });

  it("a closed channel is opened again after a pause, with all queues", async () => {
    const bed = await attached(["a", "b"]);
    const { broker, context, channel, listener } = bed;
    await eventsOf(context, 4);
    deliver(bed, 1);
    const lost = await bed.next();
    const replyText = "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out";
    broker.send(channel, "channel.close", { replyCode: 406, replyText });
    await broker.next("channel.close-ok");
    expect(lost.linkLost).toBe(true);
    const refusal = `${replyText} (406)`;
    expect(await eventsOf(context, 3)).toEqual([`refused a: ${refusal}`, `refused b: ${refusal}`, "pause"]);
    expect(listener.refusal?.message).toBe(refusal);
    const again = await consumed({ broker, queues: ["a", "b"] });
    expect(await eventsOf(context, 4)).toEqual(["declare a", "declare b", "restored a", "restored b"]);
    expect(listener.refusal).toBe(undefined);
    deliver({ broker, channel: again }, 1);
    expect((await bed.next()).identity).toBe("u1");
  });

  it("a queue that is deleted between its declaration and its consumer is declared again", async () => {
    const { listener } = listenerBed(["a", "b"]);
    const { broker, connection } = await opened();
    const context = new FakeConsumerContext(connection);
    listener.attach(context);
    const channel = await broker.openChannel();
    await broker.next("basic.qos");
    broker.send(channel, "basic.qos-ok");
    await broker.next("basic.consume");
    broker.send(channel, "channel.close", NOT_FOUND);
    await broker.next("channel.close-ok");
    expect(await eventsOf(context, 4)).toEqual([
      ...["declare a", "declare b"],
      ...["refused a: NOT_FOUND - no queue 'q' (404)", "pause"],
    ]);
    expect(await isSettled(listener.attached)).toBe(false);
    await consumed({ broker, queues: ["a", "b"] });
    await listener.attached;
  });

  it("a refusal that may pass is retried, and names its queue", async () => {
    const { listener } = listenerBed(["a", "b"]);
    const { broker, connection } = await opened();
    const context = new FakeConsumerContext(connection);
    let failures = 1;
    context.onDeclare = async (queue) => {
      if (queue === "b" && failures-- > 0) throw refusedBy(404, false);
    };
    listener.attach(context);
    const channel = await broker.openChannel();
    await broker.next("basic.qos");
    broker.send(channel, "basic.qos-ok");
    await broker.next("channel.close");
    broker.send(channel, "channel.close-ok");
    expect(await eventsOf(context, 4)).toEqual(["declare a", "declare b", "refused b: queue refused", "pause"]);
    await consumed({ broker, queues: ["a", "b"] });
    await listener.attached;
  });

  it("a final refusal fails the first attachment, even when the broker closes the connection with it", async () => {
    const { listener } = listenerBed();
    const { broker, connection } = await opened();
    const context = new FakeConsumerContext(connection);
    context.onDeclare = async () => {
      broker.hangUp();
      await connection.closed;
      throw refusedBy(541, true);
    };
    listener.attach(context);
    const channel = await broker.openChannel();
    await broker.next("basic.qos");
    broker.send(channel, "basic.qos-ok");
    await expect(listener.attached).rejects.toMatchObject({ name: "MessagingException", isFinal: true });
    await listener.close();
  });

  it("a queue that the user may not read fails the first attachment, and names the permission", async () => {
    const { listener } = listenerBed();
    const { broker, connection } = await opened();
    listener.attach(new FakeConsumerContext(connection));
    const channel = await broker.openChannel();
    await broker.next("basic.qos");
    broker.send(channel, "basic.qos-ok");
    await broker.next("basic.consume");
    const replyText = "ACCESS_REFUSED - access to queue 'q' in vhost '/' refused for user 'u'";
    broker.send(channel, "channel.close", { replyCode: 403, replyText });
    await expect(listener.attached).rejects.toThrow(`the user has no permission "read" on queue q: ${replyText} (403)`);
    await listener.close();
  });

  it("a refusal after the first attachment is retried, final or not", async () => {
    const { broker, context, channel, listener } = await attached();
    await eventsOf(context, 2);
    let failures = 1;
    context.onDeclare = async () => {
      if (failures-- > 0) throw refusedBy(403, true);
    };
    broker.send(channel, "basic.cancel", { consumerTag: "1", noWait: true });
    await broker.next("basic.consume");
    broker.send(channel, "basic.consume-ok", { consumerTag: "1" });
    expect((await eventsOf(context, 7)).at(-1)).toBe("restored q");
    await listener.attached;
  });

  it("after a lost connection the same queues are consumed on the next one", async () => {
    const bed = await attached(["a", "a_fanout_1"]);
    bed.broker.hangUp();
    await bed.connection.closed;
    const { broker, connection } = await opened();
    const context = new FakeConsumerContext(connection);
    bed.listener.attach(context);
    const channel = await consumed({ broker, queues: ["a", "a_fanout_1"] });
    expect(await eventsOf(context, 2)).toEqual(["declare a", "declare a_fanout_1"]);
    deliver({ broker, channel }, 1);
    expect((await bed.next()).identity).toBe("u1");
    expect(bed.context.events.unread.filter((event) => event.startsWith("refused"))).toEqual([]);
  });
});

describe("stopping a listener", () => {
  it("stop cancels the consumers, and messages that come too late are given back", async () => {
    const bed = await attached(["a", "b"]);
    const { broker, listener, channel, incoming } = bed;
    deliver(bed, 1);
    const inHand = await bed.next();
    const stopping = listener.stop();
    expect(listener.stop()).toBe(stopping);
    expect((await broker.next("basic.cancel")).fields).toMatchObject({ consumerTag: "1" });
    expect((await broker.next("basic.cancel")).fields).toMatchObject({ consumerTag: "2" });
    deliver(bed, 2);
    expect((await broker.next("basic.reject")).fields).toMatchObject({ deliveryTag: 2, requeue: true });
    broker.send(channel, "basic.cancel-ok", { consumerTag: "1" });
    expect(await isSettled(stopping)).toBe(false);
    broker.send(channel, "basic.cancel-ok", { consumerTag: "2" });
    await stopping;
    inHand.acknowledge();
    expect((await broker.next("basic.ack")).fields).toMatchObject({ deliveryTag: 1 });
    expect(incoming.unread).toEqual([]);
  });

  it("a consumer that the broker cancels is not started again after stop", async () => {
    const { broker, listener, channel, context } = await attached();
    broker.send(channel, "basic.cancel", { consumerTag: "1", noWait: true });
    await context.events.take("the refusal", (event) => event.startsWith("refused") || undefined);
    await listener.stop();
    const closing = listener.close();
    await broker.next("channel.close");
    broker.send(channel, "channel.close-ok");
    await closing;
  });

  it("a consumer that starts while the listener is stopped is cancelled", async () => {
    const { listener } = listenerBed();
    const { broker, connection } = await opened();
    listener.attach(new FakeConsumerContext(connection));
    const channel = await broker.openChannel();
    await broker.next("basic.qos");
    broker.send(channel, "basic.qos-ok");
    await broker.next("basic.consume");
    await listener.stop();
    broker.send(channel, "basic.consume-ok", { consumerTag: "1" });
    expect((await broker.next("basic.cancel")).fields).toMatchObject({ consumerTag: "1" });
    broker.send(channel, "basic.cancel-ok", { consumerTag: "1" });
    const closing = listener.close();
    await broker.next("channel.close");
    broker.send(channel, "channel.close-ok");
    await closing;
    expect(await isSettled(listener.attached)).toBe(false);
  });

  it("stop and close end when the connection is lost", async () => {
    const { broker, listener, connection } = await attached();
    const stopping = listener.stop();
    await broker.next("basic.cancel");
    broker.hangUp();
    await connection.closed;
    await stopping;
    await listener.close();
  });

  it("stop and close end after 2 s each when the broker does not answer", async () => {
    const { broker, listener } = await attached();
    await listener.stop();
    await broker.next("basic.cancel");
    await listener.close();
    await broker.next("channel.close");
  });
});

describe("closing a listener", () => {
  it("close deletes the queue of fanouts and closes the channel, once", async () => {
    const bed = await attached(["a", "a_fanout_1"], { obsoleteAtClose: ["a_fanout_1"] });
    const { broker, listener, channel, context, closed } = bed;
    await eventsOf(context, 4);
    const closing = listener.close();
    expect(listener.close()).toBe(closing);
    await listener.closed;
    await broker.next("channel.close");
    broker.send(channel, "channel.close-ok");
    await closing;
    expect(await eventsOf(context, 3)).toEqual(["restored a", "restored a_fanout_1", "delete a_fanout_1"]);
    expect(closed()).toBe(1);
    listener.attach(context);
    await turn();
    expect(context.events.unread).toEqual([]);
  });

  it("close while the queues are declared waits for the declaration, so that no queue is left", async () => {
    const { listener } = listenerBed(["a_fanout_1"], { obsoleteAtClose: ["a_fanout_1"] });
    const { broker, connection } = await opened();
    const context = new FakeConsumerContext(connection);
    const declaring = new Deferred();
    context.onDeclare = () => declaring.promise;
    listener.attach(context);
    const channel = await broker.openChannel();
    await broker.next("basic.qos");
    broker.send(channel, "basic.qos-ok");
    expect(await eventsOf(context, 1)).toEqual(["declare a_fanout_1"]);
    const closing = listener.close();
    await turn();
    expect(context.events.unread).toEqual([]);
    declaring.resolve();
    await broker.next("channel.close");
    broker.send(channel, "channel.close-ok");
    await closing;
    expect(await eventsOf(context, 2)).toEqual(["restored a_fanout_1", "delete a_fanout_1"]);
  });

  it("a listener without a connection closes at once", async () => {
    const { listener, closed } = listenerBed();
    await listener.stop();
    await listener.close();
    await listener.closed;
    expect(closed()).toBe(1);
  });
});

describe("the prefetch of a listener", () => {
  it.each([
    [0, { concurrency: 64 }, 128],
    [0, { concurrency: 1 }, 2],
    [0, {}, 2],
    [0, { concurrency: 64, minimumCredit: 500 }, 500],
    [5, { concurrency: 64 }, 5],
    [5, { concurrency: 64, minimumCredit: 10 }, 10],
    [0, { concurrency: 100_000 }, 65_535],
  ])("with rabbit_qos_prefetch_count %i and %j it is %i", (rabbitQosPrefetchCount, options, prefetch) => {
    expect(prefetchOf({ ...RABBIT_DEFAULTS, rabbitQosPrefetchCount }, options)).toBe(prefetch);
  });
});
