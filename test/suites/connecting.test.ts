import { describe, expect, inject, test } from "vitest";
import {
  AuthenticationError,
  ConnectionLost,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  MessagingTimeout,
} from "@/src/entry/node.js";
import { RabbitHost } from "@/test/fixtures/beds/rabbit-host.js";
import { Host } from "@/test/fixtures/beds/restartable-host.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { closedPort, peerThatSays, tcp } from "@/test/fixtures/peers/bad-peers.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";
import { nextStatus } from "@/test/fixtures/stages/status.js";

const USERS = new Map([["joe", "secret"]]);

/** A server that accepts connections and stays silent. */
const silentPeer = () => tcp(() => {});

/** A host that refuses connections until it is started. */
interface Place extends AsyncDisposable {
  readonly name: string;
  /** The URL of these hosts, by default of this one alone, with the right password. */
  url(hosts?: readonly string[], password?: string): string;
  start(): Promise<void>;
}

async function embeddedPlace(): Promise<Place> {
  const host = await Host.reserve("amqp");
  return {
    name: host.name,
    url: (hosts = [host.name], password = "secret") =>
      `amqp://${hosts.map((name) => `joe:${password}@${name}`).join(",")}/`,
    start: () => host.start({ kind: "router", users: USERS }),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

async function rabbitPlace(): Promise<Place> {
  const host = await RabbitHost.reserve();
  return {
    name: host.name,
    url: (hosts, password) => host.url(hosts, "", password),
    start: () => host.start(),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

/** By their schemes. The quick tests have no RabbitMQ. */
const PLACES: readonly { scheme: string; reserve: () => Promise<Place>; firstPauseMs: number }[] = [
  { scheme: "amqp", reserve: embeddedPlace, firstPauseMs: 500 },
  ...(inject("rabbitMq") === undefined ? [] : [{ scheme: "rabbit", reserve: rabbitPlace, firstPauseMs: 1_000 }]),
];

describe.concurrent.each(PLACES)("connect by $scheme", ({ scheme, reserve, firstPauseMs }) => {
  test("connect rejects at once when the port is closed, and the transport can be used later", {
    tags: ["connect:round"],
  }, async () => {
    await using host = await reserve();
    await using transport = getRpcTransport(host.url(), { logger: null });
    for (const connecting of [transport.connect(), transport.probe()]) {
      await expect(connecting).rejects.toThrow("connection refused");
    }
    expect(transport.state).toMatchObject({ type: "disconnected", host: host.name, retryInMs: undefined });
    await host.start();
    await transport.connect();
    await transport.connect();
    expect(transport.state).toMatchObject({ type: "connected" });
  });

  test("connect reaches the second host when the first one refuses, and with a wrong password rejects with the reason", {
    tags: ["connect:round", "auth:bad"],
  }, async () => {
    await using closed = await closedPort();
    await using host = await reserve();
    await host.start();
    const hosts = [`${closed.host}:${closed.port}`, host.name];
    await using good = getRpcTransport(host.url(hosts), { logger: null, random: () => 0 });
    await good.connect();
    expect(good.state).toMatchObject({ type: "connected", host: host.name });
    await using bad = getRpcTransport(host.url(hosts, "wrong"), { logger: null, random: () => 0 });
    const startedMs = performance.now();
    expect(await failureOf(bad.connect())).toBeInstanceOf(AuthenticationError);
    expect(performance.now() - startedMs).toBeLessThan(3_000);
  });

  test("connect with keepTrying waits for the host", { tags: ["connect:round"] }, async () => {
    await using host = await reserve();
    await using transport = getRpcTransport(host.url(), { logger: null, random: () => 0 });
    const connecting = transport.connect({ keepTrying: true });
    expect(await nextStatus(transport, "disconnected")).toMatchObject({ retryInMs: firstPauseMs });
    await host.start();
    await connecting;
  });

  test("a call waits on although a connect has failed meanwhile", { tags: ["connect:round"] }, async () => {
    await using host = await reserve();
    await using transport = getRpcTransport(host.url(), { logger: null, random: () => 0 });
    const calling = getRpcClient(transport, { topic: "t" }).call({}, "echo", { arg: 1 }, { timeoutMs: 10_000 });
    await nextStatus(transport, "disconnected");
    await expect(transport.connect()).rejects.toThrow("connection refused");
    expect(await nextStatus(transport, "disconnected")).toMatchObject({ retryInMs: expect.any(Number) });
    await host.start();
    await using serving = getRpcTransport(host.url(), { logger: null });
    await getRpcServer(serving, { topic: "t", server: "s" }, [
      { echo: (_: object, { arg }: { arg: number }) => arg },
    ]).start();
    expect(await calling).toBe(1);
  });

  test("connect, probe and start end after timeoutMs with the last failure as the cause, and leave nothing running", {
    tags: ["connect:timeout"],
  }, async () => {
    await using closed = await closedPort();
    const where = `${closed.host}:${closed.port}`;
    await using transport = getRpcTransport(`${scheme}://${where}/`, { logger: null });
    await using notifications = getNotificationTransport(`${scheme}://${where}/`, { logger: null });
    const limits = { timeoutMs: 1_000, keepTrying: true };
    const server = getRpcServer(transport, { topic: "t", server: "s" }, [{}]);
    const endpoint = { info: () => {} };
    const listener = getNotificationListener(notifications, [{ topic: "a" }], [endpoint]);
    const errors = await Promise.all([
      failureOf(transport.connect(limits)),
      failureOf(transport.probe({ topic: "t" }, limits)),
      failureOf(server.start({ timeoutMs: 1_000 })),
      failureOf(listener.start({ timeoutMs: 1_000 })),
    ]);
    const cause = { message: expect.stringMatching("connection refused") };
    for (const error of errors) {
      expect(error).toBeInstanceOf(MessagingTimeout);
      expect(error).toMatchObject({ phase: "connecting", host: where, cause });
    }
    const [connecting, , starting] = errors.map(({ message }) => message);
    expect(connecting).toMatch(`connecting to ${where} failed: timed out`);
    expect(starting).toMatch("listening on <Target topic=t, server=s> failed: timed out");
    for (const { state } of [transport, notifications]) {
      expect(state).toMatchObject({ type: "disconnected", retryInMs: undefined });
    }
    await server.wait();
  });

  test("connect that is given up during the handshake aborts it", { tags: ["connect:timeout"] }, async () => {
    await using peer = await silentPeer();
    await using transport = getRpcTransport(`${scheme}://${peer.host}:${peer.port}/`, { logger: null });
    const reason = new Error("enough");
    const abort = new AbortController();
    const connecting = failureOf(transport.connect({ signal: abort.signal }));
    abort.abort(reason);
    expect(await connecting).toBe(reason);
    expect(await failureOf(transport.connect({ timeoutMs: 50 }))).toBeInstanceOf(MessagingTimeout);
    expect(await nextStatus(transport, "disconnected")).toMatchObject({
      error: expect.any(ConnectionLost),
      retryInMs: undefined,
    });
  });

  test("connect that times out at a silent peer says that it got no answer", {
    tags: ["connect:timeout"],
  }, async () => {
    await using peer = await silentPeer();
    const where = `${peer.host}:${peer.port}`;
    await using transport = getRpcTransport(`${scheme}://${where}/`, { logger: null });
    for (const why of ["no answer from the host yet", `no connection to ${where} until the attempt was given up`]) {
      const { name, message } = await failureOf(transport.connect({ timeoutMs: 50 }));
      expect(name).toBe("MessagingTimeout");
      expect(message).toMatch(new RegExp(`: ${why}$`));
    }
  });

  test.each(["timeoutMs", "keepTrying", "signal"])("connect and probe refuse an invalid %s", async (key) => {
    await using transport = getRpcTransport(`${scheme}://localhost/`, { logger: null });
    const options = { [key]: "5" };
    expect(await failureOf(transport.connect(options))).toMatchObject({ name: "ConfigurationError", key });
    expect(await failureOf(transport.probe(undefined, options))).toMatchObject({ key });
  });
});

test("a peer whose connections break at once is dialled less and less often", {
  tags: ["failover:stable", "connect:log"],
}, async () => {
  await using peer = await peerThatSays(Uint8Array.of(0, 0, 0, 4));
  const logger = new RecordingLogger();
  await using transport = getRpcTransport(`amqp://${peer.host}:${peer.port}/`, { logger, random: () => 0 });
  await transport.connect();
  const pauses: unknown[] = [];
  for await (const status of transport.status()) {
    if (status.type === "disconnected") pauses.push(status.retryInMs);
    if (pauses.length === 3) break;
  }
  expect(pauses).toEqual([500, 1_000, 2_000]);
  expect(logger.of("warn")).toHaveLength(1);
});
