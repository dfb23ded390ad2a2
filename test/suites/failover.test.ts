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
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Frames } from "@/test/fixtures/stages/frame-recorder.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const SCHEMES: readonly HostScheme[] = ["amqp", "amqp+ws", "amqps"];
const KINDS = ["router", "broker"] as const;

/** Beyond the first attempts to reconnect, which come after 1 s and 2 s more at the latest. */
const LIMIT_MS = 6_000;

const TOPIC = "failover";

// A promise that nobody waits for and that is rejected fails the run too. The tests mostly wait for reconnections.
describe.concurrent.each(SCHEMES)("over %s", (scheme) => {
  describe.concurrent.each(KINDS)("when a %s is killed and comes back", (kind) => {
    test("calls that wait for its answers fail in time, those still to be sent are answered, and nobody is restarted", async () => {
      await using host = await Host.reserve(scheme);
      await host.start({ kind });
      await using serving = transportTo([host]);
      await using calling = transportTo([host]);
      const held = new BlockingEndpoint();
      const server = getRpcServer(serving, { topic: TOPIC, server: "a" }, [held], { concurrency: 1 });
      await server.start();
      const frames = new Frames();
      await using watched = transportTo([host], { onFrame: frames.onFrame });
      const client = getRpcClient(calling, { topic: TOPIC }, { timeoutMs: LIMIT_MS });

      const inHand = client.call({}, "hold", { arg: "in hand" });
      await held.begun("in hand");
      const unheard = client.prepare({ topic: "nobody's" }).call({}, "echo");
      const waiting = getRpcClient(watched, { topic: TOPIC }, { timeoutMs: LIMIT_MS }).call({}, "echo", { arg: 1 });
      // A router answers for the server, which has no room for it yet; a broker for itself.
      await (kind === "router" ? frames.passed("out", "transfer") : frames.passed("in", "disposition"));
      const failures = Promise.all([inHand, unheard, waiting].map((call) => call.catch((error: unknown) => error)));

      const lost = until(calling, "disconnected");
      await host.kill();
      await lost;
      const meanwhile = client.call({}, "echo", { arg: "meanwhile" });
      held.release();
      await host.start({ kind });
      expect(await meanwhile).toBe("meanwhile");
      expect(await client.prepare({ server: "a" }).call({}, "echo", { arg: "afterwards" })).toBe("afterwards");

      const noReply = { name: "MessagingTimeout", phase: "reply" };
      expect(await failures).toMatchObject([
        noReply,
        kind === "router" ? { name: "MessagingTimeout", phase: "credit" } : noReply,
        kind === "router" ? { name: "MessageDeliveryFailure", outcome: "unknown", phase: "acknowledgement" } : noReply,
      ]);
    });

    test("each of the calls that are in the air settles", async () => {
      await using host = await Host.reserve(scheme);
      await host.start({ kind });
      await using serving = transportTo([host]);
      await using calling = transportTo([host]);
      await getRpcServer(serving, { topic: TOPIC, server: "a" }, [new BlockingEndpoint()]).start();
      const client = getRpcClient(calling, { topic: TOPIC }, { timeoutMs: LIMIT_MS });
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
      expect(await client.call({}, "echo", { arg: "afterwards" })).toBe("afterwards");
    });
  });

  test("the status tells of the connection, its loss, and the next one", { tags: ["failover:jitter"] }, async () => {
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

  test("an intermediary that closes says so, and the status passes it on", async () => {
    await using host = await Host.reserve(scheme);
    await host.start({ kind: "router" });
    await using transport = transportTo([host]);
    await transport.connect();
    const lost = until(transport, "disconnected");
    await host.intermediary.close();
    expect(await lost).toMatchObject({ error: { condition: "amqp:connection:forced" } });
  });

  test.each<{ loss: string; lose: (host: Host) => unknown; query?: string }>([
    { loss: "is killed", lose: (host) => host.kill() },
    { loss: "is shut down and says so", lose: (host) => host.intermediary.close() },
    { loss: "falls silent", lose: (host) => host.freeze(), query: "?idle_timeout=2" },
  ])(
    "when a host $loss the servers of a topic listen at the next one, all of them",
    { tags: ["failover:crash", "failover:shutdown", "failover:heartbeat", "failover:listeners", "tls:failover"] },
    async ({ lose, query }) => {
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

      const losses = [serving, calling].map((transport) => until(transport, "disconnected"));
      const again = [serving, calling].map(async (transport, index) => {
        await losses[index];
        await until(transport, "connected");
      });
      await lose(first);
      await Promise.all(again);
      expect([serving, calling].map(({ state }) => state)).toMatchObject([
        { host: second.name },
        { host: second.name },
      ]);
      expect(await client.call({}, "whoami")).toMatch(/^[ab]$/); // links to the servers are there
      await everyServer("at the second");
      expect(noted.unread).toEqual([]);
    },
  );

  test.each([
    { from: { kind: "router" }, to: { kind: "broker" }, addresses: ["anycast/openstack", "anycast/openstack"] },
    { from: { kind: "broker" }, to: { kind: "router" }, addresses: ["anycast/openstack", "anycast/openstack"] },
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
    "the next host of the URL takes over, of whatever kind and product it is: from $from to $to",
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

      const lost = until(calling, "disconnected");
      await first.kill();
      await lost;
      // Made while there is no connection, and sent as the next one wants it.
      const meanwhile = client.call({}, "echo", { arg: "meanwhile" });
      await second.start(to);
      expect(await meanwhile).toBe("meanwhile");
      await frames.passed("out", "attach", addresses[1]);
      expect(await client.prepare({ server: "a" }).call({}, "echo", { arg: "after" })).toBe("after");
      expect(calling.state).toMatchObject({ type: "connected", host: second.name });
    },
  );

  test("what waited for credit is sent to where it belongs at the next host", async () => {
    await using first = await Host.reserve(scheme);
    await using second = await Host.reserve(scheme);
    await first.start({ kind: "router", product: "qpid-cpp" });
    const frames = new Frames();
    await using calling = transportTo([first, second], { onFrame: frames.onFrame });
    const client = getRpcClient(calling, { topic: TOPIC });
    const waiting = [1, 2, 3].map((arg) => client.call({}, "echo", { arg }));
    const cast = client.cast({}, "echo", { arg: 4 });
    await frames.passed("in", "attach", `unicast.openstack.${TOPIC}`);

    await first.kill();
    await second.start({ kind: "router" });
    await using serving = transportTo([second]);
    await getRpcServer(serving, { topic: TOPIC, server: "a" }, [new BlockingEndpoint()]).start();
    expect(await Promise.all(waiting)).toEqual([1, 2, 3]);
    await cast;
    await frames.passed("in", "attach", `openstack.org/om/rpc/anycast/openstack/${TOPIC}`);
  });
});

function transportTo(hosts: readonly [Host, ...Host[]], options?: TransportOptions, query = ""): RPCTransport {
  const url = `${hosts[0].scheme}://${hosts.map(({ name }) => name).join(",")}/${query}`;
  return getRpcTransport(url, hosts[0].scheme === "amqps" ? { tls: { ca: CA }, ...options } : options);
}

/** Resolves with the transport's next status of this type. */
async function until(transport: RPCTransport, type: TransportStatus["type"]): Promise<TransportStatus> {
  for await (const status of transport.status()) if (status.type === type) return status;
  throw new Error(`the transport was closed before it was ${type}`);
}
