import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { getRpcClient, getRpcServer, getRpcTransport } from "@/src/entry/node.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RABBITMQ_VERSIONS } from "@/test/fixtures/beds/rabbitmq-installation.js";
import { FrameRelay, type PassingFrame } from "@/test/fixtures/network/frame-relay.js";
import { closedPort } from "@/test/fixtures/peers/bad-peers.js";
import { ROOT } from "@/test/fixtures/project.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { CountingEndpoint, rabbitStage, SHORT_PAUSES } from "@/test/fixtures/stages/rabbit-stage.js";
import { waitFor } from "@/test/fixtures/stages/wait-for.js";

/** The frame behind which a connection is silent, by the phase in which the transport is closed. */
const PHASES: readonly (readonly [string, PassingFrame["direction"], string])[] = [
  ["before the broker answers", ">", "header"],
  ["during the login", "<", "connection.tune"],
  ["before the open", "<", "connection.open-ok"],
  ["before its channel is open", "<", "channel.open-ok"],
  ["during the declare of an exchange", "<", "exchange.declare-ok"],
  ["during the declare of a queue", "<", "queue.declare-ok"],
  ["during the bind of a queue", "<", "queue.bind-ok"],
  ["before the start of a consumer", "<", "basic.consume-ok"],
  ["before a confirm", "<", "basic.ack"],
  ["before a reply", "<", "basic.deliver"],
];

describe.concurrent.each(RABBITMQ_VERSIONS)("a transport at RabbitMQ %s", (version) => {
  let bed: RabbitMqBed;
  beforeAll(async () => {
    bed = await rabbitMqBed(version);
  });

  test.for(PHASES)("that is closed %s settles every promise", async ([, direction, name]) => {
    await using relay = await FrameRelay.before(bed.node.address);
    await using stage = rabbitStage(bed.url, "closing");
    await stage.serve("s", [new CountingEndpoint()]);
    const url = bed.node.url(bed.virtualHost, relay.address);
    const transport = getRpcTransport(url, { logger: null, rabbit: SHORT_PAUSES });
    const client = getRpcClient(transport, { topic: stage.topic });
    const reached = relay.next("silence", (frame) => frame.direction === direction && frame.name === name);
    const server = getRpcServer(transport, { topic: `${stage.topic}-other`, server: "s" }, [{}]);
    const promises: Promise<unknown>[] = [
      transport.connect(),
      client.call({}, "count", { arg: "a" }),
      client.call({}, "count", { arg: "b" }, { callMonitorTimeoutMs: 20_000 }),
      client.cast({}, "count", { arg: "c" }),
      client.prepare({ fanout: true }).cast({}, "count", { arg: "d" }),
      server.start(),
      transport.probe(),
    ];
    const settled = Promise.allSettled(promises);
    await reached;
    const startMs = performance.now();
    await transport.close();
    const ends = await settled;
    expect(performance.now() - startMs).toBeLessThan(10_000);
    for (const end of ends) {
      if (end.status === "rejected") expect(end.reason.message).toMatch(/closed/);
    }
    expect(transport.state).toEqual({ type: "closed" });
    await server.stop();
    await server.wait();
  });

  test("that is closed while its server handles a call gives the waiting requests back", async () => {
    await using stage = rabbitStage(bed.url, "closing");
    const held = new BlockingEndpoint();
    const transport = stage.rpcTransport();
    await stage.serve("s", [held], { concurrency: 1, transport });
    const client = await stage.client();
    const calls = ["a", "b", "c", "d"].map((arg) => client.call({}, "hold", { arg }));
    const settled = Promise.allSettled(calls);
    await held.begun("a");
    await transport.close();
    held.release();
    const next = new BlockingEndpoint();
    next.release();
    await stage.serve("t", [next]);
    await waitFor("the other calls", () => next.calls.length === 3);
    await Promise.all(calls.slice(1));
    await stage[Symbol.asyncDispose]();
    expect((await settled).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled", "fulfilled"]);
  });
});

/** Uses everything, and closes nothing that failed, or closes what worked. */
const PROGRAM = `
import { getNotificationListener, getNotificationTransport, getRpcClient, getRpcServer, getRpcTransport, Notifier } from "oslo-messaging";

const [, url, closed, secret] = process.argv;
const options = { logger: null };
const limits = { timeoutMs: 200 };
const wrong = url.replace("guest:guest", "guest:" + secret);
for (const bad of [closed, wrong]) {
  const ends = await Promise.allSettled([
    getRpcTransport(bad, options).connect(),
    getRpcServer(getRpcTransport(bad, options), { topic: "t", server: "s" }, [{}]).start(limits),
    getRpcClient(getRpcTransport(bad, options), { topic: "t" }).call({}, "m", {}, limits),
    getRpcClient(getRpcTransport(bad, options), { topic: "t" }).cast({}, "m", {}, limits),
  ]);
  console.log(ends.map(({ reason }) => reason.name).join());
}
const transport = getRpcTransport(url, options);
const server = getRpcServer(transport, { topic: "ends", server: "s" }, [{ echo: (_, { arg }) => arg }]);
await server.start();
const client = getRpcClient(transport, { topic: "ends" });
console.log(await client.call({}, "echo", { arg: 1 }, { callMonitorTimeoutMs: 10_000 }));
await client.prepare({ topic: "nowhere" }).call({}, "m", {}, limits).catch((error) => console.log(error.name));
const events = getNotificationTransport(url, options);
const listener = getNotificationListener(events, [{ topic: "ends-n" }], [{ info() {} }]);
await listener.start();
await new Notifier(events, { publisherId: "p", topics: ["ends-n"] }).info({}, "e", 1);
await server.stop();
await server.wait();
await listener.stop();
await listener.wait();
await Promise.all([transport.close(), events.close()]);
console.log("closed");
`;

test("a Node process ends by itself, after failed attempts and after a close", { timeout: 60_000 }, async () => {
  const { url } = await rabbitMqBed("3.10.8");
  await using closed = await closedPort();
  const dead = `rabbit://${closed.host}:${closed.port}/`;
  const command = ["--input-type=module", "--eval", PROGRAM, url, dead, "wr0ng"];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { cwd: ROOT, timeout: 30_000 });
  const timeouts = Array(3).fill("MessagingTimeout").join();
  expect([stdout.split("\n"), stderr]).toEqual([
    [`Error,${timeouts}`, `AuthenticationError,${timeouts}`, "1", "MessagingTimeout", "closed", ""],
    "",
  ]);
});
