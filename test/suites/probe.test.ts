import { expect, test } from "vitest";
import { getRpcServer, TransportURL } from "@/src/entry/node.js";
import { type Bed, overEveryBed, uniqueTopic } from "@/test/fixtures/beds/bed.js";

const PRODUCTS: Readonly<Record<string, string>> = {
  router: "oslo-messaging-router",
  broker: "oslo-messaging-broker",
};

/** Members of a report that depend on the protocol. */
function ownMembersOf({ plan, url, messages }: Bed): object {
  if (messages === "AMQP 1.0") {
    const mechanism = expect.stringMatching(/^(ANONYMOUS|PLAIN|SCRAM-SHA-\d+)$/);
    return { mechanism, addressing: plan.addressing, dynamicReplies: true };
  }
  const { virtualHost } = TransportURL.parse(url);
  const byAmqp10 = { mechanism: "PLAIN", heartbeatMs: 30_000 };
  return { virtualHost, ...(plan.protocol === "AMQP 1.0" ? byAmqp10 : { mechanism: "AMQPLAIN", heartbeatMs: 60_000 }) };
}

function productOf(bed: Bed): string {
  if (bed.plan.isRabbitMq) return "RabbitMQ";
  return bed.embedded ? (PRODUCTS[bed.kind] ?? "") : "apache-activemq-artemis";
}

overEveryBed("Probes", (bed) => {
  test("a probe reports the peer's product, how it is reached and its abilities", async () => {
    await using transport = bed.rpcTransport();
    const report = await transport.probe();
    expect(report).toEqual({
      ...ownMembersOf(bed),
      protocol: bed.protocol,
      host: bed.scheme === "amqp+memory" ? "embedded:5672" : expect.stringMatching(/^127\.\d+\.\d+\.\d+:\d+$/),
      encrypted: false,
      product: productOf(bed),
      version: bed.embedded ? undefined : expect.stringMatching(/^\d+\.\d+/),
      roundTripMs: expect.any(Number),
    });
    expect(report.roundTripMs).toBeGreaterThan(0);
  });

  if (bed.messages === "AMQP 1.0") {
    test("a probe reports the credit for a target, which a router grants only while there is a listener", async () => {
      await using transport = bed.rpcTransport();
      const target = { topic: uniqueTopic("probe"), server: "host-a" };
      const before = await transport.probe(target);
      expect("credit" in before && Number(before.credit) > 0).toBe(bed.storesMessages);
      await using server = getRpcServer(transport, target, [{}]);
      await server.start();
      const report = await transport.probe(target);
      expect(report).toHaveProperty("credit", expect.any(Number));
      expect("credit" in report && report.credit).toBeGreaterThan(0);
    });
  } else {
    test("a probe reports how the exchanges and queues of a target are declared", async () => {
      await using transport = bed.rpcTransport();
      const target = { topic: uniqueTopic("probe"), server: "host-a" };
      const states = async () => {
        const report = await transport.probe(target);
        const declared = "declared" in report ? report.declared : [];
        return declared?.map(({ kind, name, state }) => `${kind} ${name} ${state}`);
      };
      const queues = [target.topic, `${target.topic}.host-a`];
      const before = await states();
      expect(before).toEqual([expect.any(String), ...queues.map((queue) => `queue ${queue} missing`)]);
      await using server = getRpcServer(transport, target, [{}]);
      await server.start();
      expect(await states()).toEqual([
        "exchange openstack declared",
        ...queues.map((queue) => `queue ${queue} declared`),
      ]);
    });
  }

  test("a probe rejects a target without a topic", async () => {
    await using transport = bed.rpcTransport();
    await expect(transport.probe({ server: "host-a" })).rejects.toThrow("A topic is required");
  });

  test("a probe ends when its signal is aborted or its transport is closed", async () => {
    const transport = bed.rpcTransport();
    const reason = new Error("enough");
    await expect(transport.probe(undefined, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const probing = transport.probe({ topic: uniqueTopic("probe") });
    const ended = expect(probing).rejects.toThrow(/closed/);
    await transport.close();
    await ended;
  });
});
