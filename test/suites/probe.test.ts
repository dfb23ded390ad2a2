import { expect, test } from "vitest";
import { getRpcServer } from "@/src/entry/node.js";
import { type Bed, overEveryBed, uniqueTopic } from "@/test/fixtures/beds/bed.js";

const PRODUCTS: Readonly<Record<string, string>> = {
  router: "oslo-messaging-router",
  broker: "oslo-messaging-broker",
};

function productOf(bed: Bed): string {
  return bed.embedded ? (PRODUCTS[bed.kind] ?? "") : "apache-activemq-artemis";
}

overEveryBed("Probes", (bed) => {
  test("a probe reports the peer's product, how it is reached and its abilities", async () => {
    await using transport = bed.rpcTransport();
    const report = await transport.probe();
    expect(report).toEqual({
      protocol: "AMQP 1.0",
      host: bed.scheme === "amqp+memory" ? "embedded:5672" : expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      encrypted: false,
      mechanism: expect.stringMatching(/^(ANONYMOUS|PLAIN|SCRAM-SHA-\d+)$/),
      product: productOf(bed),
      version: bed.embedded ? undefined : expect.stringMatching(/^\d+\.\d+/),
      addressing: bed.plan.addressing,
      dynamicReplies: true,
      roundTripMs: expect.any(Number),
    });
    expect(report.roundTripMs).toBeGreaterThan(0);
  });

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
