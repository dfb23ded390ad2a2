import { describe, expect, test } from "vitest";
import {
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type RPCTransport,
  type TransportOptions,
  type TransportStatus,
} from "@/src/entry/node.js";
import { Host, type HostScheme } from "@/test/fixtures/beds/restartable-host.js";
import { CA } from "@/test/fixtures/network/tls.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Frames } from "@/test/fixtures/stages/frame-recorder.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { nextStatus } from "@/test/fixtures/stages/status.js";

const SCHEMES: readonly HostScheme[] = ["amqp", "amqp+ws", "amqps"];
const KINDS = ["router", "broker"] as const;

/** The first attempts to reconnect come after 0.5 s and 1 s more. */
const SOON: TransportOptions = { random: () => 0 };

/** Longer than the first attempts to reconnect take, on a busy machine. */
const LIMIT = { timeoutMs: 6_000 };

const TOPIC = "failover";

// An unhandled rejection fails the run too. The tests mostly wait for reconnections.
describe.concurrent.each(SCHEMES)("Failover over %s", (scheme) => {
  describe.concurrent.each(KINDS)("when a %s is killed and started again", (kind) => {
    test("calls that wait for a reply time out, unsent calls are answered, and client and server reconnect by themselves", async () => {
      await using host = await Host.reserve(scheme);
      await host.start({ kind });
      await using serving = transportTo([host], SOON);
      await using calling = transportTo([host], SOON);
      const held = new BlockingEndpoint();
      const server = getRpcServer(serving, { topic: TOPIC, server: "a" }, [held], { concurrency: 1 });
      await server.start();
      const frames = new Frames();
      await using watched = transportTo([host], { ...SOON, onFrame: frames.onFrame });
      const client = getRpcClient(calling, { topic: TOPIC });

      const started = failureOf(client.call({}, "hold", { arg: "started" }, LIMIT));
      await held.begun("started");
      const unheard = failureOf(client.prepare({ topic: "without a server" }).call({}, "echo", {}, LIMIT));
      const waiting = failureOf(getRpcClient(watched, { topic: TOPIC }).call({}, "echo", { arg: 1 }, LIMIT));
      // A router waits for the busy server to accept the request; a broker accepts it itself.
      await (kind === "router" ? frames.passed("out", "transfer") : frames.passed("in", "disposition"));

      const lost = nextStatus(calling, "disconnected");
      await host.kill();
      await lost;
      const meanwhile = client.call({}, "echo", { arg: "meanwhile" });
      held.release();
      await host.start({ kind });
      expect(await meanwhile).toBe("meanwhile");
      expect(await client.prepare({ server: "a" }).call({}, "echo", { arg: "afterwards" })).toBe("afterwards");

      const noReply = { name: "MessagingTimeout", phase: "reply" };
      expect(await Promise.all([started, unheard, waiting])).toMatchObject([
        noReply,
        kind === "router" ? { name: "MessagingTimeout", phase: "credit" } : noReply,
        kind === "router" ? { name: "MessageDeliveryFailure", outcome: "unknown", phase: "acknowledgement" } : noReply,
      ]);
    });

    test("each of 500 concurrent calls settles", async () => {
      await using host = await Host.reserve(scheme);
      await host.start({ kind });
      await using serving = transportTo([host], SOON);
      await using calling = transportTo([host], SOON);
      await getRpcServer(serving, { topic: TOPIC, server: "a" }, [new BlockingEndpoint()]).start();
      const client = getRpcClient(calling, { topic: TOPIC }, LIMIT);
      await client.call({}, "echo", { arg: "attached" });

      const killed = client.call({}, "echo", { arg: "first" }).then(() => host.kill());
      const calls = Array.from({ length: 500 }, (_, arg) => client.call({}, "echo", { arg }));
      const results = Promise.allSettled(calls);
      await killed;
      await host.start({ kind });
      const failed = (await results).filter((result) => result.status === "rejected");
      const names = failed.map(({ reason }) => reason.name);
      expect(names).not.toEqual([]);
      expect(["MessageDeliveryFailure", "MessagingTimeout"]).toEqual(expect.arrayContaining([...new Set(names)]));
      expect(await client.prepare({ timeoutMs: null }).call({}, "echo", { arg: "afterwards" })).toBe("afterwards");
    });
  });

  test("the status reports the connection, its loss, and the next connection", {
    tags: ["failover:jitter"],
  }, async () => {
    await using host = await Host.reserve(scheme);
    await host.start({ kind: "router" });
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
        await host.start({ kind: "broker" });
      } else if (status.type === "connected") {
        void transport.close();
      }
    }
    expect(seen).toEqual([
      { type: "connecting", host: name, attempt: 1 },
      { type: "connected", host: name, product: "oslo-messaging-router" },
      {
        type: "disconnected",
        host: name,
        error: expect.objectContaining({ name: "ConnectionLost" }),
        retryInMs: 750,
      },
      { type: "connecting", host: name, attempt: 1 },
      { type: "connected", host: name, product: "oslo-messaging-broker" },
      { type: "closed" },
    ]);
  });

  test.each<{ loss: string; lose: (host: Host) => unknown; error: object; query?: string }>([
    { loss: "is killed", lose: (host) => host.kill(), error: { name: "ConnectionLost" } },
    {
      loss: "closes its connections",
      lose: (host) => host.intermediary.close(),
      error: { condition: "amqp:connection:forced" },
    },
    {
      loss: "falls silent",
      lose: (host) => host.freeze(),
      error: { message: expect.stringMatching(/no data received for \d+ ms/) },
      query: "?idle_timeout=2",
    },
  ])(
    "when a host $loss, the status tells why, and all servers of a topic listen at the next host",
    { tags: ["failover:crash", "failover:shutdown", "failover:heartbeat", "failover:listeners", "tls:failover"] },
    async ({ lose, error, query }) => {
      await using first = await Host.reserve(scheme);
      await using second = await Host.reserve(scheme);
      await first.start({ kind: "router", product: "qpid-cpp" });
      await second.start({ kind: "router" });
      const inFirst = { random: () => 0 };
      await using serving = transportTo([first, second], inFirst, query);
      await using calling = transportTo([first, second], inFirst, query);
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
      const again = [serving, calling].map(async (transport, index) => {
        await losses[index];
        await nextStatus(transport, "connected");
      });
      await lose(first);
      await Promise.all(again);
      expect(await Promise.all(losses)).toMatchObject([{ error }, { error }]);
      expect([serving, calling].map(({ state }) => state)).toMatchObject([
        { host: second.name },
        { host: second.name },
      ]);
      expect(await client.call({}, "whoami")).toMatch(/^[ab]$/); // the links to the servers are attached
      await everyServer("at the second");
      expect(noted.unread).toEqual([]);
    },
  );

  test.each([
    {
      from: { kind: "router", product: "qpid-cpp" },
      to: { kind: "broker" },
      addresses: ["unicast.openstack", "anycast/openstack"],
    },
    {
      from: { kind: "broker" },
      to: { kind: "router", product: "qpid-cpp" },
      addresses: ["anycast/openstack", "unicast.openstack"],
    },
  ] as const)(
    "calls go to the next host, at the addresses of its kind and product: from $from to $to",
    { tags: ["failover:crash", "tls:failover"] },
    async ({ from, to, addresses }) => {
      await using first = await Host.reserve(scheme);
      await using second = await Host.reserve(scheme);
      await first.start(from);
      const frames = new Frames();
      await using serving = transportTo([first, second]);
      await using calling = transportTo([first, second], { onFrame: frames.onFrame });
      const target = { topic: TOPIC, server: "a" };
      await getRpcServer(serving, target, [new BlockingEndpoint()]).start();
      const client = getRpcClient(calling, { topic: TOPIC });
      expect(await client.call({}, "echo", { arg: "before" })).toBe("before");
      await frames.passed("out", "attach", addresses[0]);

      const lost = nextStatus(calling, "disconnected");
      await first.kill();
      await lost;
      // Made without a connection, and sent to the address that the next peer uses.
      const meanwhile = client.call({}, "echo", { arg: "meanwhile" });
      await second.start(to);
      expect(await meanwhile).toBe("meanwhile");
      await frames.passed("out", "attach", addresses[1]);
      expect(await client.prepare({ server: "a" }).call({}, "echo", { arg: "after" })).toBe("after");
      expect(calling.state).toMatchObject({ type: "connected", host: second.name });
    },
  );
});

function transportTo(hosts: readonly [Host, ...Host[]], options?: TransportOptions, query = ""): RPCTransport {
  const url = `${hosts[0].scheme}://${hosts.map(({ name }) => name).join(",")}/${query}`;
  const tls = hosts[0].scheme === "amqps" ? { tls: { ca: CA } } : {};
  return getRpcTransport(url, { logger: null, ...tls, ...options });
}
