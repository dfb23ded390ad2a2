import { describe, expect, test } from "vitest";
import {
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type RPCTransport,
  type TransportOptions,
  type TransportStatus,
} from "@/src/entry/node.js";
import { RabbitHost } from "@/test/fixtures/beds/rabbit-host.js";
import { rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Frames } from "@/test/fixtures/stages/frame-recorder.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { nextStatus } from "@/test/fixtures/stages/status.js";

/** The first attempts to reconnect come after 1 s and 1.5 s more. */
const SOON: TransportOptions = { random: () => 0 };

/** Longer than the first attempts to reconnect take, on a busy machine. */
const LIMIT = { timeoutMs: 20_000 };

const TOPIC = "failover";

// The tests mostly wait for reconnections. RabbitMQ itself keeps running, with its queues and their messages.
describe.concurrent("Failover over rabbit", () => {
  test("calls that wait for a busy server or a reply, and unsent ones, are answered when their host is back", {
    tags: ["failover:crash"],
  }, async () => {
    await using host = await RabbitHost.reserve();
    await host.start();
    await using serving = transportTo([host], SOON);
    await using calling = transportTo([host], SOON);
    const held = new BlockingEndpoint();
    await getRpcServer(serving, { topic: TOPIC, server: "a" }, [held], { concurrency: 1 }).start();
    const frames = new Frames();
    await using watched = transportTo([host], { ...SOON, onFrame: frames.onFrame });
    const client = getRpcClient(calling, { topic: TOPIC }, LIMIT);

    const started = client.call({}, "hold", { arg: "started" });
    await held.begun("started");
    const limits = { timeoutMs: 3_000 };
    const unheard = failureOf(client.prepare({ topic: "without a server" }).call({}, "echo", {}, limits));
    const waiting = getRpcClient(watched, { topic: TOPIC }, LIMIT).call({}, "echo", { arg: "waiting" });
    await frames.passed("in", "basic.ack");

    const lost = nextStatus(calling, "disconnected");
    await host.kill();
    await lost;
    const meanwhile = client.call({}, "echo", { arg: "meanwhile" });
    held.release();
    await host.start();
    expect(await Promise.all([started, waiting, meanwhile])).toEqual(["started", "waiting", "meanwhile"]);
    expect(held.calls).toEqual(["started"]);
    expect(await client.prepare({ server: "a" }).call({}, "echo", { arg: "afterwards" })).toBe("afterwards");
    expect(await unheard).toMatchObject({ name: "MessagingTimeout", phase: "reply" });
  });

  test("each of 500 concurrent calls is answered, and runs once", { tags: ["failover:crash"] }, async () => {
    await using host = await RabbitHost.reserve();
    await host.start();
    await using serving = transportTo([host], SOON);
    await using calling = transportTo([host], SOON);
    const served: number[] = [];
    const count = (_context: object, { arg }: { arg: number }): number => {
      served.push(arg);
      return arg;
    };
    await getRpcServer(serving, { topic: TOPIC, server: "a" }, [{ count }]).start();
    const client = getRpcClient(calling, { topic: TOPIC }, LIMIT);
    await client.call({}, "count", { arg: -1 });

    const lost = [serving, calling].map((transport) => nextStatus(transport, "disconnected"));
    const killed = client.call({}, "count", { arg: -2 }).then(() => host.kill());
    const args = Array.from({ length: 500 }, (_, arg) => arg);
    const calls = Promise.all(args.map((arg) => client.call({}, "count", { arg })));
    await killed;
    await Promise.all(lost);
    await host.start();
    expect(await calls).toEqual(args);
    expect(served.sort((a, b) => a - b)).toEqual([-2, -1, ...args]);
  });

  test("the status reports the connection, its loss, and the next connection", {
    tags: ["failover:jitter"],
  }, async () => {
    await using host = await RabbitHost.reserve();
    await host.start();
    const transport = transportTo([host], { random: () => 0.5 });
    const { name } = host;
    const seen: TransportStatus[] = [];
    expect(transport.state).toEqual({ type: "idle" });
    const connected = transport.connect();
    for await (const status of transport.status()) {
      seen.push(status);
      const count = seen.filter(({ type }) => type === "connected").length;
      if (status.type === "connected" && count === 1) {
        await connected;
        await host.kill();
        await host.start();
      } else if (status.type === "connected") {
        void transport.close();
      }
    }
    const error = expect.objectContaining({ name: "ConnectionLost" });
    expect(seen).toEqual([
      { type: "connecting", host: name, attempt: 1 },
      { type: "connected", host: name, product: "RabbitMQ" },
      { type: "disconnected", host: name, error, retryInMs: 1_250 },
      { type: "connecting", host: name, attempt: 1 },
      { type: "connected", host: name, product: "RabbitMQ" },
      { type: "closed" },
    ]);
  });

  test("a host whose connections break at once is dialled less and less often", {
    tags: ["failover:stable", "connect:log"],
  }, async () => {
    await using host = await RabbitHost.reserve();
    await host.start();
    const logger = new RecordingLogger();
    await using transport = transportTo([host], { ...SOON, logger });
    await getRpcServer(transport, { topic: TOPIC, server: "a" }, [{}]).start();
    const pauses: unknown[] = [];
    for await (const status of transport.status()) {
      if (status.type === "disconnected") pauses.push(status.retryInMs);
      if (pauses.length === 3) break;
      if (status.type !== "connected") continue;
      await host.kill();
      await host.start();
    }
    expect(pauses).toEqual([1_000, 1_500, 2_500]);
  });

  test.each<{ loss: string; lose: (host: RabbitHost) => unknown; error: object; query?: string }>([
    { loss: "is killed", lose: (host) => host.kill(), error: { name: "ConnectionLost" } },
    { loss: "closes its connections", lose: closeConnections, error: { name: "Amqp091Error", code: 320 } },
    {
      loss: "falls silent",
      lose: (host) => host.freeze(),
      error: { message: expect.stringMatching(/no data received for \d+ ms/) },
      query: "?heartbeat_timeout_threshold=2",
    },
  ])(
    "when a host $loss, the status tells why, and all servers of a topic listen at the next host",
    { tags: ["failover:crash", "failover:shutdown", "failover:heartbeat", "failover:listeners"] },
    async ({ lose, error, query }) => {
      const bed = await rabbitMqBed("3.10.8");
      await using first = await RabbitHost.reserve(bed);
      await using second = await RabbitHost.reserve(bed);
      await first.start();
      await second.start();
      await using serving = transportTo([first, second], SOON, query);
      await using calling = transportTo([first, second], SOON, query);
      const noted = new Inbox<string>("the servers");
      const servers = ["a", "b"].map((server) => {
        const note = (_context: object, { arg }: { arg: string }): void => noted.put(`${arg} by ${server}`);
        return getRpcServer(serving, { topic: TOPIC, server }, [{ note, whoami: () => server }]);
      });
      await Promise.all(servers.map((server) => server.start()));
      const client = getRpcClient(calling, { topic: TOPIC });
      const everyServer = async (arg: string): Promise<void> => {
        await client.prepare({ fanout: true }).cast({}, "note", { arg });
        for (const server of ["a", "b"])
          await noted.take(`${arg} by ${server}`, (note) => note === `${arg} by ${server}` || undefined);
        for (const server of ["a", "b"]) expect(await client.prepare({ server }).call({}, "whoami")).toBe(server);
      };
      await everyServer("at the first");

      const losses = [serving, calling].map((transport) => nextStatus(transport, "disconnected"));
      await lose(first);
      expect(await Promise.all(losses)).toMatchObject([{ error }, { error }]);
      await everyServer("at the second");
      await Promise.all([serving, calling].map((transport) => nextStatus(transport, "connected")));
      expect([serving, calling].map(({ state }) => state)).toMatchObject([
        { host: second.name },
        { host: second.name },
      ]);
      expect(noted.unread).toEqual([]);
    },
  );
});

/** Closes the connections of the virtual host, as an operator does. */
async function closeConnections({ bed: { node, virtualHost } }: RabbitHost): Promise<void> {
  const isOurs = `(catch rabbit_networking:connection_info(P, [vhost])) =:= [{vhost, <<"${virtualHost}">>}]`;
  await node.evaluate(
    `[rabbit_networking:close_connection(P, "maintenance") || P <- rabbit_networking:connections(), ${isOurs}], ok.`,
  );
}

function transportTo(
  hosts: readonly [RabbitHost, ...RabbitHost[]],
  options?: TransportOptions,
  query = "",
): RPCTransport {
  const names = hosts.map(({ name }) => name);
  return getRpcTransport(hosts[0].url(names, query), { logger: null, ...options });
}
