import { deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Channel } from "@/src/amqp091/channel.js";
import { connect } from "@/src/amqp091/connect.js";
import type { Connection } from "@/src/amqp091/connection.js";
import { ChannelConnection } from "@/src/driver/rabbit/amqp091/channel-connection.js";
import { Declarer } from "@/src/driver/rabbit/declarer.js";
import type { ListenerInit } from "@/src/driver/rabbit/listener.js";
import { RABBIT_DEFAULTS } from "@/src/driver/rabbit/option-table.js";
import { type BoundQueue, type Route, Topology } from "@/src/driver/rabbit/topology.js";
import { Target } from "@/src/driver/target.js";
import { KnownIds } from "@/src/driver/values/known-ids.js";
import { tcpDial } from "@/src/transports/node/tcp.js";
import {
  type ListenerBed,
  listenerBed,
  notification,
  PROPERTIES,
  request,
} from "@/test/fixtures/beds/rabbit-listener-bed.js";
import { RabbitMq } from "@/test/fixtures/beds/rabbitmq.js";
import { FakeConsumerContext } from "@/test/fixtures/fakes/fake-consumer-context.js";
import { GUEST } from "@/test/fixtures/peers/raw-broker.js";

const topology = new Topology({ options: RABBIT_DEFAULTS, controlExchange: "openstack" });
let rabbit: RabbitMq;
let names = 0;

beforeAll(async () => {
  rabbit = await RabbitMq.start();
}, 150_000);
afterAll(async () => await rabbit?.stop());

async function connected(credentials = GUEST): Promise<Connection> {
  const { host, port } = rabbit.address;
  const connection = await connect(
    tcpDial,
    { scheme: "rabbit", hostname: host, port },
    {
      mechanism: "PLAIN",
      credentials,
      virtualHost: "/",
      clientProperties: { capabilities: { consumer_cancel_notify: true } },
      heartbeatMs: 60_000,
    },
    new AbortController().signal,
  );
  onTestFinished(() => connection.close());
  return connection;
}

function ownTopic(): string {
  return `topic-${++names}`;
}

interface Bed extends ListenerBed {
  context: FakeConsumerContext;
  /** Channel of another client, in confirm mode. */
  other: Channel;
  publish: (
    route: Pick<Route, "exchange" | "routingKey">,
    body: Uint8Array,
    headers?: Record<string, string>,
  ) => Promise<void>;
  /** Number of the messages in a queue that are not delivered. */
  ready: (queue: string) => Promise<number>;
}

/** A listener on a connection of its own, whose pauses end at once. */
async function listening(
  queues: readonly BoundQueue[],
  more: Partial<ListenerInit> = {},
  credentials = GUEST,
): Promise<Bed> {
  const bed = listenerBed([], { queues, acknowledged: new KnownIds(), ...more });
  const connection = await connected(credentials);
  const context = new FakeConsumerContext(connection);
  context.declarer = new Declarer({ connection: new ChannelConnection(connection), warnings: context.warnings });
  bed.listener.attach(context);
  const other = await (await connected()).openChannel();
  await other.confirmSelect();
  await bed.listener.attached;
  return {
    ...bed,
    context,
    other,
    publish: async ({ exchange, routingKey }, body, headers = {}) => {
      const properties = { ...PROPERTIES, headers };
      const confirmation = await other.publish({ exchange, routingKey, mandatory: true, properties, body });
      expect(confirmation).toEqual({ type: "acknowledged" });
    },
    ready: async (queue) => (await other.request("queue.declare", { queue, passive: true })).messageCount,
  };
}

/** A notification listener on the queue of a topic, or of a pool. */
async function consuming(more: Partial<ListenerInit> = {}, topic = ownTopic(), pool?: string) {
  const target = new Target({ topic });
  const bed = await listening(topology.listenerQueues([target], pool), more);
  const { publish } = bed;
  const send = (body: Uint8Array, headers?: Record<string, string>) =>
    publish(topology.notificationRoute(target), body, headers);
  return { ...bed, queue: pool ?? topic, send };
}

async function identitiesOf({ next }: Pick<ListenerBed, "next">, count: number): Promise<(string | undefined)[]> {
  const messages = [];
  while (messages.length < count) messages.push(await next());
  return messages.map(({ identity }) => identity).sort();
}

describe("a listener at RabbitMQ", () => {
  it("a server receives requests to any server, to itself and to all, and deletes its queue of fanouts at the end", async () => {
    const target = new Target({ topic: ownTopic(), server: "s" });
    const queues = topology.serverQueues(target, "1".repeat(32));
    const fanoutQueue = queues[2].declaration.queue;
    const { next, publish, listener, other, ready } = await listening(queues, { obsoleteAtClose: [fanoutQueue] });
    const { topic } = target;
    await publish(topology.requestRoute(new Target({ topic })), request("any", {}));
    await publish(topology.requestRoute(target), request("own", {}));
    await publish(topology.requestRoute(new Target({ topic, fanout: true })), request("all"));
    for (const [identity, wantsReply] of [
      ["any", true],
      ["own", true],
      ["all", false],
    ] as const) {
      const message = await next();
      expect(message).toMatchObject({ identity, wantsReply, context: { user: "u" } });
      message.acknowledge();
    }
    await listener.stop();
    await listener.close();
    expect(await ready(`${topic}`)).toBe(0);
    await expect(other.request("queue.declare", { queue: fanoutQueue, passive: true })).rejects.toMatchObject({
      code: 404,
    });
  });

  it("a queue that is deleted under its consumer is declared and consumed again", async () => {
    const { other, queue, context, send, next } = await consuming();
    await context.events.take("its start", (event) => event === `restored ${queue}` || undefined);
    await other.request("queue.delete", { queue });
    await context.events.take("the refusal", (event) => event.startsWith(`refused ${queue}: `) || undefined);
    await context.events.take("its end", (event) => event === `restored ${queue}` || undefined);
    await send(notification("n1"));
    expect(await next()).toMatchObject({ identity: "n1" });
  });

  it("a message that waits longer than the broker's consumer_timeout closes the channel; it is delivered again", async () => {
    // The channel reads them when it opens.
    const set = (name: string, ms: number) => rabbit.ctl("eval", `application:set_env(rabbit, ${name}, ${ms}).`);
    await set("consumer_timeout", 1_000);
    await set("channel_tick_interval", 500);
    try {
      const { context, send, next } = await consuming();
      await send(notification("n1"));
      const message = await next();
      await context.events.take("the refusal", (event) => /^refused .*PRECONDITION_FAILED/.test(event) || undefined);
      expect(message.linkLost).toBe(true);
      const again = await next();
      expect(again).toMatchObject({ identity: "n1", linkLost: false });
      again.acknowledge();
    } finally {
      await set("consumer_timeout", 1_800_000);
      await set("channel_tick_interval", 60_000);
    }
  });

  it("a requeued message is delivered again, and is no repeat", async () => {
    const { send, next } = await consuming();
    await send(notification("n1"));
    for (let n = 0; n < 3; n++) (await next()).requeue();
    const message = await next();
    expect(message.identity).toBe("n1");
    message.acknowledge();
  });

  it("a repeat of an acknowledged notification is acknowledged and dropped", async () => {
    const { queue, send, next, incoming, listener, ready } = await consuming();
    await send(notification("n1"));
    (await next()).acknowledge();
    await send(notification("n1"));
    await send(notification("n2"));
    const second = await next();
    expect(second.identity).toBe("n2");
    second.acknowledge();
    await listener.stop();
    await listener.close();
    expect(await ready(queue)).toBe(0);
    expect(incoming.unread).toEqual([]);
  });

  it("the listeners of a pool share the notifications, and another pool receives all of them", async () => {
    const topic = ownTopic();
    const [a, b, c] = [
      await consuming({ prefetch: 1 }, topic, `${topic}-pool`),
      await consuming({ prefetch: 1 }, topic, `${topic}-pool`),
      await consuming({}, topic, `${topic}-archive`),
    ];
    const ids = ["n1", "n2", "n3", "n4"];
    for (const id of ids) await a.send(notification(id));
    const [first, second] = [await a.next(), await b.next()];
    expect([first.identity, second.identity].sort()).toEqual(["n1", "n2"]);
    first.acknowledge();
    second.acknowledge();
    expect([(await a.next()).identity, (await b.next()).identity].sort()).toEqual(["n3", "n4"]);
    expect(await identitiesOf(c, 4)).toEqual(ids);
  });

  it("the prefetch bounds the messages that are taken", async () => {
    const { queue, send, next, incoming, ready } = await consuming({ prefetch: 3 });
    for (let n = 1; n <= 10; n++) await send(notification(`n${n}`));
    const taken = [await next(), await next(), await next()];
    expect(await ready(queue)).toBe(7);
    for (const message of taken) message.acknowledge();
    await incoming.take("the sixth message", ({ identity }) => identity === "n6" || undefined);
    expect(await ready(queue)).toBe(4);
  });

  it("a stopped listener takes no more messages, settles those in hand, and gives the rest back when it closes", async () => {
    const { queue, send, next, incoming, listener, ready } = await consuming();
    for (const id of ["n1", "n2", "n3"]) await send(notification(id));
    const [first, second] = [await next(), await next(), await next()];
    await listener.stop();
    await send(notification("n4"));
    expect(await ready(queue)).toBe(1);
    first?.acknowledge();
    second?.requeue();
    await listener.close();
    expect(incoming.unread).toEqual([]);
    expect(await ready(queue)).toBe(3);
  });

  it("compressed bodies are read in order; those that cannot be read are removed from the queue", async () => {
    const { queue, send, next, incoming, listener, ready, logger } = await consuming();
    const gzip = { compression: "application/x-gzip" };
    await send(deflateSync(notification("n1", "x".repeat(100_000))), gzip);
    await send(notification("n2"));
    await send(deflateSync(Buffer.alloc(50_000_000)), gzip);
    await send(Buffer.from("garbage"), gzip);
    await send(notification("n3"), { compression: "application/x-bz2" });
    await send(notification("n4"));
    for (const id of ["n1", "n2", "n4"]) {
      const message = await next();
      expect(message.identity).toBe(id);
      message.acknowledge();
    }
    await listener.stop();
    await listener.close();
    expect(incoming.unread).toEqual([]);
    expect(await ready(queue)).toBe(0);
    expect(logger.of("warn")).toHaveLength(1); // the others are counted
  });

  it("a user without permission to read a queue gets an error that names both", async () => {
    const [user, topic] = [`user${++names}`, ownTopic()];
    await rabbit.ctl("add_user", user, "pw");
    await rabbit.ctl("set_permissions", user, ".*", ".*", "^openstack$");
    const queues = topology.listenerQueues([new Target({ topic })]);
    await expect(listening(queues, {}, { username: user, password: "pw" })).rejects.toThrow(
      new RegExp(`^the user has no permission "read" on queue ${topic}: ACCESS_REFUSED`),
    );
  });
});
