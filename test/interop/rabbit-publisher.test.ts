import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Channel } from "@/src/amqp091/channel.js";
import { connect } from "@/src/amqp091/connect.js";
import type { Connection } from "@/src/amqp091/connection.js";
import { ChannelConnection } from "@/src/driver/rabbit/amqp091/channel-connection.js";
import { RABBIT_DEFAULTS } from "@/src/driver/rabbit/option-table.js";
import { type BoundQueue, replyRoute, Topology } from "@/src/driver/rabbit/topology.js";
import { Target } from "@/src/driver/target.js";
import { tcpDial } from "@/src/transports/node/tcp.js";
import { PublishingBed } from "@/test/fixtures/beds/publishing-bed.js";
import { RabbitMq } from "@/test/fixtures/beds/rabbitmq.js";
import { GUEST } from "@/test/fixtures/peers/raw-broker.js";

/** Largest message that the broker accepts. */
const MAX_MESSAGE_BYTES = 100_000;
const ACCEPTED = { type: "accepted" };

const topology = new Topology({ options: RABBIT_DEFAULTS, controlExchange: "openstack" });
let rabbit: RabbitMq;
let names = 0;

beforeAll(async () => {
  rabbit = await RabbitMq.start({ settings: [`max_message_size = ${MAX_MESSAGE_BYTES}`] });
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
      clientProperties: { capabilities: { "connection.blocked": true } },
      heartbeatMs: 60_000,
    },
    new AbortController().signal,
  );
  onTestFinished(() => connection.close());
  return connection;
}

async function publishingBed(credentials = GUEST): Promise<PublishingBed> {
  return new PublishingBed(new ChannelConnection(await connected(credentials)), 100);
}

/** A channel of another client. */
async function otherClient(): Promise<Channel> {
  return await (await connected()).openChannel();
}

function ownName(kind: string): string {
  return `${kind}-${++names}`;
}

/** The bodies of the messages in a queue, which are removed. */
async function bodiesIn(channel: Channel, queue: string, count: number): Promise<string[]> {
  const bodies: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`only ${bodies.length} of ${count} messages`)), 10_000);
    const onDelivery = ({ body }: { body: Uint8Array }): void => {
      bodies.push(Buffer.from(body).toString());
      if (bodies.length < count) return;
      clearTimeout(timer);
      resolve();
    };
    channel.consume({ queue, consumerTag: queue, noAck: true, onDelivery, onCancel() {} }).catch(reject);
  });
  return bodies;
}

describe("a publisher at RabbitMQ", () => {
  it("declares the queue of a notification, so that it waits for its first listener", async () => {
    const { publish } = await publishingBed();
    const topic = ownName("notifications");
    expect(await publish(topology.notificationRoute(new Target({ topic })), "first")).toEqual(ACCEPTED);
    expect(await bodiesIn(await otherClient(), topic, 1)).toEqual(["first"]);
  });

  it("declares an exchange again that was deleted after its last queue, and sends the message", async () => {
    const { publish, publishing } = await publishingBed();
    const target = new Target({ topic: ownName("topic"), fanout: true });
    const route = topology.requestRoute(target);
    const queue: BoundQueue = topology.serverQueues(new Target({ topic: target.topic ?? "", server: "s" }), "1")[2];
    expect(await publish(route, "first")).toEqual(ACCEPTED);
    const other = await otherClient();
    await other.request("queue.declare", queue.declaration);
    await other.request("queue.bind", { queue: queue.declaration.queue, exchange: route.exchange });
    await other.request("queue.delete", { queue: queue.declaration.queue });
    expect(publishing.declarer.isDeclared(route)).toBe(true);
    const outcomes = await Promise.all(["second", "third", "fourth"].map((body) => publish(route, body)));
    expect(outcomes).toEqual([ACCEPTED, ACCEPTED, ACCEPTED]);
    await other.request("exchange.declare", { exchange: route.exchange, type: "fanout", passive: true });
  });

  it.each([
    ["durable", { durable: true, autoDelete: false }, "inequivalent arg 'durable'"],
    ["deleted automatically", { durable: false, autoDelete: true }, "inequivalent arg 'auto_delete'"],
  ])("uses an exchange that is %s, with one warning that has both values", async (_, fields, text) => {
    const { publish, logger } = await publishingBed();
    const exchange = ownName("exchange");
    const route = topology.requestRoute(new Target({ exchange, topic: "t" }));
    const other = await otherClient();
    await other.request("exchange.declare", { exchange, type: "topic", ...fields });
    await other.request("queue.declare", { queue: exchange, exclusive: true });
    await other.request("queue.bind", { queue: exchange, exchange, routingKey: "t" });
    const outcomes = await Promise.all(["a", "b"].map((body) => publish(route, body)));
    expect(outcomes).toEqual([ACCEPTED, ACCEPTED]);
    expect(await bodiesIn(other, exchange, 2)).toEqual(["a", "b"]);
    expect(logger.of("warn")).toEqual([expect.stringContaining(text)]);
    expect(logger.of("warn")[0]).toMatch(/received '(true|false)' but current is '(true|false)'/);
  });

  it("refuses an exchange of another type", async () => {
    const { publish } = await publishingBed();
    const exchange = ownName("exchange");
    await (await otherClient()).request("exchange.declare", { exchange, type: "direct" });
    expect(await publish(topology.requestRoute(new Target({ exchange, topic: "t" })), "m")).toMatchObject({
      type: "rejected",
      error: {
        name: "MessagingException",
        message: expect.stringContaining(`exchange ${exchange} has another type: PRECONDITION_FAILED`),
        cause: { name: "Amqp091Error", code: 406 },
      },
    });
  });

  it("uses what exists without the permission to configure it, and names the permission otherwise", async () => {
    const username = ownName("user");
    await rabbit.ctl("add_user", username, "secret");
    await rabbit.ctl("set_permissions", username, "^$", ".*", ".*");
    const { publish } = await publishingBed({ username, password: "secret" });
    const [present, absent] = [ownName("exchange"), ownName("exchange")];
    await (await otherClient()).request("exchange.declare", { exchange: present, type: "topic" });
    const targets = [present, absent].map((exchange) => new Target({ exchange, topic: "t" }));
    const outcomes = await Promise.all(targets.map((target) => publish(topology.requestRoute(target), "m")));
    expect(outcomes).toMatchObject([
      ACCEPTED,
      {
        type: "rejected",
        error: {
          message: expect.stringMatching(
            `^the user has no permission "configure" on exchange ${absent}: ACCESS_REFUSED - .* in vhost '/' .* \\(403\\)$`,
          ),
          cause: { code: 403 },
        },
      },
    ]);
  });

  it("names the missing permission to write; messages to other exchanges in flight are sent", async () => {
    const username = ownName("user");
    const [refused, permitted] = [ownName("refused"), ownName("permitted")];
    await rabbit.ctl("add_user", username, "secret");
    await rabbit.ctl("set_permissions", username, ".*", `^${permitted}`, ".*");
    const { publish } = await publishingBed({ username, password: "secret" });
    const routes = [permitted, refused, permitted].map((exchange) =>
      topology.requestRoute(new Target({ exchange, topic: "t" })),
    );
    for (const route of routes) await publish(route, "m");
    const outcomes = await Promise.all([...routes, replyRoute("q")].map((route) => publish(route, "m")));
    const missing = (exchange: string) => ({
      type: "rejected",
      error: {
        message: expect.stringMatching(
          `^the user has no permission "write" on ${exchange}: ACCESS_REFUSED - .* in vhost '/' .* \\(403\\)$`,
        ),
        cause: { code: 403 },
      },
    });
    expect(outcomes).toMatchObject([
      ACCEPTED,
      missing(`exchange ${refused}`),
      ACCEPTED,
      missing("the default exchange"),
    ]);
  });

  it("a message that is too large fails with both sizes; 50 others in flight are sent, in their order", async () => {
    const { publish } = await publishingBed();
    const topic = ownName("notifications");
    const route = topology.notificationRoute(new Target({ topic }));
    expect(await publish(route, "0")).toEqual(ACCEPTED);
    const bodies = Array.from({ length: 50 }, (_, index) => `${index + 1}`);
    const sending = bodies.map((body) => publish(route, body));
    const refused = publish(route, Buffer.alloc(MAX_MESSAGE_BYTES + 1));
    const later = publish(route, "51");
    expect(await refused).toMatchObject({
      type: "rejected",
      error: { code: 406, message: expect.stringMatching(/message size 100001 is larger than .* 100000/) },
    });
    expect(await Promise.all([...sending, later])).toEqual(Array(51).fill(ACCEPTED));
    const queue = await otherClient();
    const { messageCount } = await queue.request("queue.declare", { queue: topic, passive: true });
    const received = await bodiesIn(queue, topic, messageCount);
    // Those that were not confirmed yet arrive twice, the second time in their order too.
    const repeated = received.length - 52;
    expect(received).toEqual(["0", ...bodies, ...bodies.slice(50 - repeated), "51"]);
  });

  it("a mandatory message without a queue is returned", async () => {
    const { publish } = await publishingBed();
    expect(await publish(replyRoute("reply_none"), "m", { mandatory: true })).toEqual({
      type: "returned",
      exchange: "",
      routingKey: "reply_none",
      replyText: "NO_ROUTE",
    });
  });

  it("a full queue that rejects messages is an outcome", async () => {
    const { publish } = await publishingBed();
    const other = await otherClient();
    const queue = ownName("full");
    const limits = { "x-max-length": 1, "x-overflow": "reject-publish" };
    await other.request("queue.declare", { queue, exclusive: true, arguments: limits });
    expect(await publish(replyRoute(queue), "m")).toEqual(ACCEPTED);
    expect(await publish(replyRoute(queue), "m")).toMatchObject({
      type: "rejected",
      error: { message: expect.stringContaining("basic.nack") },
    });
  });

  it("in a memory alarm, messages wait in phase credit, and leave when it ends", async () => {
    const { publish, publishing } = await publishingBed();
    const topic = ownName("notifications");
    const route = topology.notificationRoute(new Target({ topic }));
    expect(await publish(route, "0")).toEqual(ACCEPTED);
    await rabbit.ctl("set_vm_memory_high_watermark", "0");
    try {
      const first = publish(route, "1", { timeoutMs: 30_000 });
      const reason = "the broker blocks messages: low on memory";
      await expect.poll(() => publishing.refusalOf(topic)?.message, { timeout: 20_000 }).toBe(reason);
      await expect(publish(route, "2", { timeoutMs: 50 })).rejects.toThrow(`timed out in phase credit: ${reason}`);
      const third = publish(route, "3", { timeoutMs: 30_000 });
      await rabbit.ctl("set_vm_memory_high_watermark", "0.4");
      expect(await Promise.all([first, third])).toEqual([ACCEPTED, ACCEPTED]);
    } finally {
      await rabbit.ctl("set_vm_memory_high_watermark", "0.4");
    }
    expect(await bodiesIn(await otherClient(), topic, 3)).toEqual(["0", "1", "3"]);
  }, 60_000);
});
