import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { connect } from "@/src/amqp091/connect.js";
import { BuiltinEndpoint } from "@/src/cli/builtin-endpoint.js";
import {
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  NotificationResult,
  type NotificationTransport,
  Notifier,
  type RabbitConnectionReport,
  type RPCTransport,
  type TransportOptions,
} from "@/src/entry/node.js";
import { tcpDial } from "@/src/transports/node/tcp.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";
import { GUEST } from "@/test/fixtures/peers/raw-broker.js";
import { FrameRecorder } from "@/test/fixtures/peers/recorded-frames.js";
import { PythonClient, PythonServer } from "@/test/fixtures/python/python.js";
import { CountingEndpoint, rabbitOptions } from "@/test/fixtures/stages/rabbit-stage.js";
import { nextStatus } from "@/test/fixtures/stages/status.js";
import { waitFor } from "@/test/fixtures/stages/wait-for.js";

let bed: RabbitMqBed;
beforeAll(async () => {
  bed = await rabbitMqBed("4", "amqp");
});

function transportOf(url: string, options?: TransportOptions): RPCTransport {
  const transport = getRpcTransport(url, { logger: null, ...rabbitOptions(options) });
  onTestFinished(() => transport.close());
  return transport;
}

function notificationTransportOf(url: string, options?: TransportOptions): NotificationTransport {
  const transport = getNotificationTransport(url, { logger: null, ...rabbitOptions(options) });
  onTestFinished(() => transport.close());
  return transport;
}

/** A channel of AMQP 0-9-1 in the virtual host. */
async function channel({ host, port } = bed.node.address) {
  const connection = await connect(
    tcpDial,
    { scheme: "rabbit", hostname: host, port },
    { mechanism: "PLAIN", credentials: GUEST, virtualHost: bed.virtualHost, clientProperties: {}, heartbeatMs: 0 },
    new AbortController().signal,
  );
  onTestFinished(() => connection.close());
  return await connection.openChannel();
}

/** Messages that are ready in a queue. */
async function readyIn(queue: string): Promise<number> {
  return (await (await channel()).request("queue.declare", { queue, passive: true })).messageCount;
}

describe("one RabbitMQ 4", () => {
  let python: PythonServer;
  let pythonClient: PythonClient;
  beforeAll(async () => {
    const url = bed.pythonUrl;
    [python, pythonClient] = await Promise.all([
      PythonServer.start({ url, topic: "python", server: "python", version: "18.3.1" }),
      PythonClient.start(url, { version: "18.3.1" }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([python?.stop(), pythonClient?.stop()]);
  });

  test("carries ours by amqp://, ours by rabbit:// and Python's, each calling each", async () => {
    const transports = [transportOf(bed.url), transportOf(bed.pythonUrl)];
    for (const [n, transport] of transports.entries()) {
      await getRpcServer(transport, { topic: `ours-${n}`, server: "s" }, [new BuiltinEndpoint("s", () => {})]).start();
    }
    for (const topic of ["ours-0", "ours-1", "python"]) {
      const target = { topic, version: "1.0" };
      for (const transport of transports) {
        expect(await getRpcClient(transport, target).call({}, "echo", { arg: "é" })).toBe("é");
      }
      expect(await pythonClient.call({ target, method: "echo", args: { arg: "é" } })).toBe("é");
    }
  });
});

describe("a virtual host that RabbitMQ refuses", () => {
  const reason = (name: string) =>
    new RegExp(`RabbitMQ does so when the virtual host ${name} does not exist or the user may not use it\\)$`);

  test("the error names one that does not exist", async () => {
    const transport = transportOf(bed.url.replace(bed.virtualHost, "none"));
    expect((await failureOf(transport.connect())).message).toMatch(reason("none"));
  });

  test("the error names the default one, which the user may not use", async () => {
    await bed.node.addUser({ username: "elsewhere", password: "x" }, bed.virtualHost);
    const { host, port } = bed.node.address;
    const transport = transportOf(`amqp://elsewhere:x@${host}:${port}/`);
    expect((await failureOf(transport.connect())).message).toMatch(reason("/"));
  });
});

describe("messages by amqp://", () => {
  test("have the properties of Python's driver by AMQP 0-9-1", async () => {
    await using recorder = await FrameRecorder.start(bed.node.address);
    const raw = await channel(recorder.address);
    await raw.request("queue.declare", { queue: "peek", durable: false });
    await raw.consume({ queue: "peek", consumerTag: "t", arguments: {}, onDelivery() {}, onCancel() {} });
    const plain = getRpcClient(transportOf(bed.url, { controlExchange: "peeked" }), { topic: "peek" });
    await plain.cast({}, "m"); // declares the exchange, and reaches no queue
    await raw.request("queue.bind", { queue: "peek", exchange: "peeked", routingKey: "peek" });
    await plain.cast({}, "m");
    await failureOf(plain.call({}, "m", {}, { timeoutMs: 900 }));
    const options = { controlExchange: "peeked", rabbit: { kombuCompression: "gzip" } } as const;
    await getRpcClient(transportOf(bed.url, options), { topic: "peek" }).cast({}, "m");
    const messages = () => recorder.frames.filter(({ p }) => p !== undefined);
    await waitFor("the messages", () => messages().length === 3);
    const common = { content_type: "application/json", content_encoding: "utf-8", delivery_mode: 2, priority: 0 };
    const compressed = { ...common, headers: { compression: "application/x-gzip" } };
    // Python reads no headers as none of them.
    expect(messages().map(({ p }) => p)).toEqual([common, { ...common, expiration: "900" }, compressed]);
  });

  test("expire in their queue after the timeout of the call", async () => {
    const transport = transportOf(bed.url);
    const server = getRpcServer(transport, { topic: "expiry", server: "s" }, [new CountingEndpoint()]);
    await server.start();
    await server.stop();
    await server.wait();
    const client = getRpcClient(transport, { topic: "expiry" });
    const raw = await channel();
    const left = async () => (await raw.request("queue.declare", { queue: "expiry", passive: true })).messageCount;
    const calling = failureOf(client.call({}, "count", { arg: "a" }, { timeoutMs: 1_000 }));
    while ((await left()) !== 1);
    expect(await calling).toMatchObject({ name: "MessagingTimeout", phase: "reply" });
    while ((await left()) !== 0);
  });

  test("that are requeued count for the delivery limit of a quorum queue, as by AMQP 0-9-1", async () => {
    const rabbit = { rabbitQuorumQueue: true, rabbitQuorumDeliveryLimit: 2 };
    for (const url of [bed.url, bed.pythonUrl]) {
      const topic = `limit-${new URL(url).protocol}`;
      const transport = notificationTransportOf(url, { rabbit, controlExchange: "quorum" });
      let deliveries = 0;
      const info = (): NotificationResult => {
        deliveries++;
        return NotificationResult.REQUEUE;
      };
      const listener = getNotificationListener(transport, [{ topic }], [{ info }], { allowRequeue: true });
      await listener.start();
      const notifier = new Notifier(transport, { publisherId: "p", topics: [topic] });
      await notifier.info({}, "dropped", 1);
      await waitFor("the limit", () => deliveries === 3);
      expect(await readyIn(`${topic}.info`)).toBe(0);
      await listener.stop();
      await listener.wait();
      expect(deliveries).toBe(3);
    }
  });

  test("to an exchange that has disappeared are sent in their order, once it is declared again", async () => {
    const counting = new CountingEndpoint();
    const transport = transportOf(bed.url);
    const first = getRpcServer(transport, { topic: "gone", server: "a" }, [counting]);
    await first.start();
    const client = getRpcClient(transportOf(bed.url), { topic: "gone" }).prepare({ fanout: true });
    await client.cast({}, "count", { arg: "first" });
    await counting.counted("first");
    await first.stop();
    await first.wait(); // which deletes its queue of fanouts, and with it the exchange
    await Promise.all(["x", "y"].map((arg) => client.cast({}, "count", { arg })));
    const next = getRpcServer(transport, { topic: "gone", server: "b" }, [counting]);
    await next.start();
    await client.cast({}, "count", { arg: "last" });
    await counting.counted("last");
    expect([counting.timesOf("first"), counting.timesOf("x"), counting.timesOf("last")]).toEqual([1, 0, 1]);
  });

  test("that no queue receives are MessageUndeliverable with atLeastOnce only", async () => {
    const transport = transportOf(bed.url);
    const client = getRpcClient(transport, { topic: "nowhere" });
    await client.cast({}, "m");
    const strict = getRpcClient(transport, { topic: "nowhere" }, { atLeastOnce: true });
    for (const send of [() => strict.call({}, "m"), () => strict.cast({}, "m")]) {
      expect(await failureOf(send())).toMatchObject({
        name: "MessageUndeliverable",
        exchange: "openstack",
        routingKey: "nowhere",
        replyText: "no queue receives it (released)",
      });
    }
  });

  test("to a full queue with reject-publish are rejected, with the broker's reason", async () => {
    const raw = await channel();
    const table = { "x-max-length": 1, "x-overflow": "reject-publish" };
    await raw.request("queue.declare", { queue: "full", durable: false, arguments: table });
    await raw.request("exchange.declare", { exchange: "filled", type: "topic" });
    await raw.request("queue.bind", { queue: "full", exchange: "filled", routingKey: "full" });
    const client = getRpcClient(transportOf(bed.url, { controlExchange: "filled" }), { topic: "full" });
    await client.cast({}, "m");
    const error = await failureOf(client.cast({}, "m"));
    expect(error).toMatchObject({ name: "MessageDeliveryFailure", outcome: "rejected" });
    expect(error.message).toContain("amqp:resource-limit-exceeded: queue 'full' exceeded maximum length");
  });
});

describe("what a user may not do by amqp://", () => {
  const SECRET = "s3cret";
  const NOTHING = "^$";

  async function urlOf(name: string, configure: string, write: string, read: string): Promise<string> {
    await bed.node.addUser({ username: name, password: SECRET }, bed.virtualHost);
    const permissions = [configure, write, read].map((expression) => `<<"${expression}">>`);
    await bed.node.evaluate(
      `ok = rabbit_auth_backend_internal:set_permissions(<<"${name}">>, <<"${bed.virtualHost}">>, ${permissions.join()}, <<"t">>).`,
    );
    return bed.url.replace("guest:guest", `${name}:${SECRET}`);
  }

  test.for([
    ["configure", NOTHING, ".*", ".*"],
    ["read", ".*", ".*", NOTHING],
    ["write", ".*", NOTHING, ".*"],
  ] as const)(
    "%s: a server does not start, with an error that names it",
    async ([permission, configure, write, read]) => {
      const transport = transportOf(await urlOf(`amqp-without-${permission}`, configure, write, read));
      const error = await failureOf(getRpcServer(transport, { topic: `no-${permission}`, server: "s" }, [{}]).start());
      expect(error.message).toMatch(
        new RegExp(`the user has no permission "${permission}" on (exchange|queue) [\\w-]+: amqp:unauthorized-access`),
      );
      expect(error.cause).toMatchObject({ name: "AmqpError", condition: "amqp:unauthorized-access", code: 403 });
    },
  );

  test("write to one exchange: its messages fail, and those to other exchanges are sent", async () => {
    const counting = new CountingEndpoint();
    const server = getRpcServer(transportOf(bed.url), { topic: "mixed", server: "s" }, [counting]);
    await server.start();
    const transport = transportOf(await urlOf("amqp-mixed", ".*", "^(openstack|reply_.*)$", ".*"));
    const client = getRpcClient(transport, { topic: "mixed" });
    const denied = getRpcClient(transport, { topic: "mixed", exchange: "denied" });
    const sent = Array.from({ length: 20 }, (_, n) => client.cast({}, "count", { arg: `${n}` }));
    const failed = failureOf(denied.cast({}, "count", { arg: "denied" }));
    sent.push(client.cast({}, "count", { arg: "after" }));
    expect((await failed).message).toMatch(/the user has no permission "write" on exchange denied: amqp:unauthorized/);
    await Promise.all(sent);
    await counting.counted("after");
    expect([...counting.counts().values()]).toEqual(Array(21).fill(1));
  });
});

describe("a transport by amqp://", () => {
  test("reports the connection, and what is declared for a target, which it does not declare", async () => {
    const transport = transportOf(bed.url, { controlExchange: "probed" });
    const probe = async () => (await transport.probe({ topic: "reported" })) as RabbitConnectionReport;
    const report = await probe();
    const { host, port } = bed.node.address;
    expect(report).toMatchObject({
      protocol: "AMQP 1.0",
      host: `${host}:${port}`,
      product: "RabbitMQ",
      version: bed.node.release,
      virtualHost: bed.virtualHost,
      heartbeatMs: 30_000,
    });
    for (const { declared } of [report, ...(await Promise.all([probe(), probe()]))]) {
      expect(declared).toContainEqual({ kind: "exchange", name: "probed", state: "missing" });
      expect(declared).toContainEqual({ kind: "queue", name: "reported", state: "missing" });
    }
    await getRpcServer(transport, { topic: "reported", server: "s" }, [{}]).start();
    const again = await probe();
    expect(new Set(again.declared?.map(({ state }) => state))).toEqual(new Set(["declared"]));
  });

  test("consumes a queue again that is deleted, and says so meanwhile", async () => {
    const logger = new RecordingLogger();
    const transport = transportOf(bed.url, { logger });
    await getRpcServer(transport, { topic: "deleted", server: "s" }, [new CountingEndpoint()]).start();
    const client = getRpcClient(transportOf(bed.url), { topic: "deleted" });
    expect(await client.call({}, "count", { arg: "a" })).toBe("a");
    const refused = nextStatus(transport, "refused");
    await (await channel()).request("queue.delete", { queue: "deleted" });
    expect(await refused).toMatchObject({ address: "deleted", error: { message: expect.stringContaining("deleted") } });
    await nextStatus(transport, "connected");
    expect(await client.call({}, "count", { arg: "b" })).toBe("b");
  });

  test("uses an exchange that is declared otherwise, with one warning that has both values", async () => {
    const raw = await channel();
    await raw.request("exchange.declare", { exchange: "otherwise", type: "topic", durable: true });
    const logger = new RecordingLogger();
    const transport = transportOf(bed.url, { logger, controlExchange: "otherwise" });
    for (const server of ["a", "b"]) {
      await getRpcServer(transport, { topic: "otherwise", server }, [new CountingEndpoint()]).start();
    }
    const client = getRpcClient(transport, { topic: "otherwise" });
    for (const server of ["a", "b"]) {
      expect(await client.prepare({ server }).call({}, "count", { arg: server })).toBe(server);
    }
    const about = logger.of("warn").filter((line) => line.includes("inequivalent arg 'durable'"));
    expect(about.length).toBeGreaterThan(0);
    expect(new Set(about).size).toBe(1);
  });

  test("consumes a deleted queue again after kombu_reconnect_delay, not link_retry_delay", async () => {
    const transport = transportOf(bed.url, { amqp: { linkRetryDelayMs: 3_600_000 } });
    await getRpcServer(transport, { topic: "soon", server: "s" }, [new CountingEndpoint()]).start();
    const refused = nextStatus(transport, "refused");
    await (await channel()).request("queue.delete", { queue: "soon" });
    await refused;
    await nextStatus(transport, "connected");
  });

  test("to a virtual host that does not exist fails with an error that names it", async () => {
    const { message } = await failureOf(transportOf(bed.url.replace(bed.virtualHost, "nowhere")).connect());
    expect(message).toContain("when the virtual host nowhere does not exist or the user may not use it");
  });
});
