import { expect, vi } from "vitest";
import { BuiltinEndpoint } from "@/src/cli/builtin-endpoint.js";
import { encodeRequest } from "@/src/driver/rabbit/wire.js";
import {
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type NotificationDriver,
  NotificationResult,
  Notifier,
  type RPCClient,
} from "@/src/entry/node.js";
import { rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { FrameRecorder, type RecordedFrame } from "@/test/fixtures/peers/recorded-frames.js";
import { openConnection, PROPERTIES } from "@/test/fixtures/stages/amqp091-stage.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const CONTEXT = { request_id: "req-1", user: "ué" };
const ARGUMENT = { s: "héllo", n: 1, l: [1, 2.5, null, true] };
const SERVER = "server-1";

/** What a scenario runs with: the URL of the recorded end, that of its peer, and the frames of the recorded one. */
interface Ends {
  url: string;
  peer: string;
  frames: readonly RecordedFrame[];
}

/** Runs a scenario of test/data/rabbit-golden.json with our driver. Returns the frames of its connections. */
export async function record(name: string): Promise<readonly RecordedFrame[]> {
  const act = ACTS[name];
  if (act === undefined) throw new Error(`unknown scenario: ${name}`);
  return await recorded(act);
}

/** Runs a server with a client, a notifier, and a listener for what was sent before, with the same options on all connections. */
export async function recordVariant(
  name: string,
  query: Readonly<Record<string, string>>,
): Promise<readonly RecordedFrame[]> {
  const frames = await recorded(async ({ url }) => {
    const withOptions = `${url}?${new URLSearchParams(query)}`;
    const options = { logger: null, controlExchange: `x_${name}` };
    const topic = `v_${name}`;
    {
      await using server = await serving(withOptions, topic, options);
      await using transport = getRpcTransport(withOptions, options);
      const client = getRpcClient(transport, { topic, version: "1.0" }, { timeoutMs: 5_000 });
      await client.call(CONTEXT, "echo", { arg: ARGUMENT });
      await server.noting(client.prepare({ fanout: true }).cast(CONTEXT, "note", { arg: "fanout-1" }));
    }
    await using transport = getNotificationTransport(withOptions, options);
    await notifierOf(transport, `vn_${name}`).info({ request_id: "req-1" }, "event", { i: 0, s: "hé" });
  });
  return frames.filter(({ m }) => VARIED.test(m) || (m === "basic.publish" && "kombu_compression" in query));
}

/** The methods that the file has of a variant. */
const VARIED = /^(exchange\.declare|queue\.(declare|bind|delete)|basic\.(qos|consume))$/;

async function recorded(act: (ends: Ends) => Promise<void>): Promise<readonly RecordedFrame[]> {
  const { node, virtualHost, url: peer } = await rabbitMqBed("3.10.8");
  await using recorder = await FrameRecorder.start(node.address);
  await act({ url: node.url(virtualHost, recorder.address), peer, frames: recorder.frames });
  return recorder.frames;
}

const ACTS: Readonly<Record<string, (ends: Ends) => Promise<void>>> = {
  async rpc_client({ url, peer, frames }) {
    await using server = await serving(peer, "g1", {}, () => heartbeats(frames, "<", 2));
    await request(url, "g1", async (client) => {
      const one = client.prepare({ server: SERVER });
      await expect(client.call(CONTEXT, "echo", { arg: ARGUMENT })).resolves.toEqual(ARGUMENT);
      await server.noting(client.cast(CONTEXT, "note", { arg: "cast-1" }));
      await server.noting(client.prepare({ fanout: true }).cast(CONTEXT, "note", { arg: "fanout-1" }));
      await expect(one.call(CONTEXT, "whoami")).resolves.toEqual({ server: SERVER, ctxt: CONTEXT });
      await server.noting(one.cast(CONTEXT, "note", { arg: "direct-cast-1" }));
      await expect(client.call(CONTEXT, "fail", { kind: "custom" })).rejects.toThrow("custom trouble");
      await expect(client.call(CONTEXT, "no_such_method")).rejects.toMatchObject({ excType: "NoSuchMethod" });
    });
    await request(url, "g1", callSlow);
  },

  async rpc_server({ url, peer, frames }) {
    await using server = await serving(url, "g2", {}, () => heartbeats(frames, ">", 2));
    await request(peer, "g2", async (client) => {
      await expect(client.call(CONTEXT, "echo", { arg: ARGUMENT })).resolves.toEqual(ARGUMENT);
      await server.noting(client.cast(CONTEXT, "note", { arg: "cast-1" }));
      await server.noting(client.prepare({ fanout: true }).cast(CONTEXT, "note", { arg: "fanout-1" }));
      await client.prepare({ server: SERVER }).call(CONTEXT, "whoami");
      const failing: readonly [method: string, args?: object][] = [
        ["fail", { kind: "value" }],
        ["fail", { kind: "custom" }],
        ["fail_expected"],
        ["no_such_method"],
      ];
      for (const [method, args] of failing) {
        await expect(client.call(CONTEXT, method, args)).rejects.toMatchObject({ name: "RemoteError" });
      }
    });
    await request(peer, "g2", callSlow);
  },

  async reply_undeliverable({ url, peer, frames }) {
    const timeout = "kombu_missing_consumer_retry_timeout=1";
    await using _server = await serving(`${url}?${timeout}`, "g7", {}, () => heartbeats(frames, ">", 1));
    const { hostname, port, pathname } = new URL(peer);
    const connection = await openConnection(
      { scheme: "amqp", hostname, port: Number(port) },
      { virtualHost: decodeURIComponent(pathname.slice(1)) },
    );
    const channel = await connection.openChannel();
    await channel.confirmSelect();
    const id = (digit: string): string => digit.repeat(32);
    const replyTo = { messageId: id("1"), replyQueue: `reply_${id("2")}`, callMonitorTimeoutMs: 2_000 };
    const body = { method: "slow", args: { secs: 3 }, version: "1.0" };
    await channel.publish({
      exchange: "openstack",
      routingKey: "g7",
      mandatory: false,
      properties: { ...PROPERTIES, expiration: "30000" },
      body: encodeRequest({ body, context: CONTEXT, uniqueId: id("3"), replyTo }),
    });
    const returned = (): number => frames.filter(({ m }) => m === "basic.return").length;
    await vi.waitFor(() => expect(returned()).toBeGreaterThan(2), 20_000);
  },

  notifier_messagingv2: ({ url }) => notify(url, "g3v2", "messagingv2"),
  notifier_messaging: ({ url }) => notify(url, "g3", "messaging"),
  listener: (ends) => listen(ends, "g4", ["info", "warn", "error"], [NotificationResult.HANDLED]),
  listener_requeue: (ends) =>
    listen(ends, "g5", ["error", "info", "warn"], [NotificationResult.REQUEUE, NotificationResult.HANDLED]),
  listener_pool: (ends) => listen(ends, "g6", ["info", "warn", "error"], [NotificationResult.HANDLED], "archive"),
};

/** Endpoint of the Python peers. */
class Endpoint extends BuiltinEndpoint {
  readonly #isSlept: () => Promise<void>;

  constructor(onNote: (note: unknown) => void, isSlept: () => Promise<void>) {
    super(SERVER, onNote);
    this.#isSlept = isSlept;
  }

  fail_expected(): never {
    throw Object.assign(new Error("'expected-key'"), { name: "KeyError" });
  }

  override async slow(): Promise<string> {
    await this.#isSlept();
    return "slept 3.0";
  }
}

async function serving(url: string, topic: string, options: object = {}, isSlept = async () => {}) {
  const transport = getRpcTransport(url, { logger: null, ...options });
  const notes = new Inbox<unknown>("the server");
  const endpoint = new Endpoint((note) => notes.put(note), isSlept);
  await getRpcServer(transport, { topic, server: SERVER }, [endpoint]).start();
  return {
    /** Resolves when a cast has been handled. */
    async noting(cast: Promise<void>): Promise<void> {
      await cast;
      await notes.take("a note", () => true);
    },
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

async function request(url: string, topic: string, act: (client: RPCClient) => Promise<void>): Promise<void> {
  await using transport = getRpcTransport(url, { logger: null });
  await act(getRpcClient(transport, { topic, version: "1.0" }, { timeoutMs: 5_000 }));
}

async function callSlow(client: RPCClient): Promise<void> {
  const limits = { timeoutMs: 30_000, callMonitorTimeoutMs: 2_000 };
  await expect(client.call(CONTEXT, "slow", { secs: 3 }, limits)).resolves.toBe("slept 3.0");
}

/** Resolves when so many heartbeats of the call monitor have passed. */
async function heartbeats(frames: readonly RecordedFrame[], direction: ">" | "<", count: number): Promise<void> {
  const seen = (): number =>
    frames.filter(({ d, m, b }) => d === direction && /publish|deliver/.test(m) && isHeartbeat(b)).length;
  await vi.waitFor(() => expect(seen()).toBe(count), 20_000);
}

function isHeartbeat(body: unknown): boolean {
  return JSON.stringify(body)?.includes('"ending":false') ?? false;
}

function notifierOf(
  transport: ReturnType<typeof getNotificationTransport>,
  topic: string,
  driver?: NotificationDriver,
) {
  return new Notifier(transport, {
    publisherId: "peers.host1",
    topics: [topic],
    drivers: [driver ?? "messagingv2"],
    sanitizeContext: (context) => context,
  });
}

async function notify(url: string, topic: string, driver: NotificationDriver, count = 2): Promise<void> {
  await using transport = getNotificationTransport(url, { logger: null });
  const notifier = notifierOf(transport, topic, driver);
  for (let i = 0; i < count; i++) {
    await notifier.info({ request_id: "req-1" }, "compute.instance.create", { i, s: "hé" });
  }
}

/** Receives one notification, with a result for each of its deliveries. */
async function listen(
  { url, peer }: Ends,
  topic: string,
  priorities: readonly string[],
  results: readonly NotificationResult[],
  pool?: string,
): Promise<void> {
  await using transport = getNotificationTransport(url, { logger: null });
  const seen = new Inbox<NotificationResult>("the listener");
  let times = 0;
  const method = (): NotificationResult => {
    const result = results[times++] ?? NotificationResult.HANDLED;
    seen.put(result);
    return result;
  };
  const endpoint = Object.fromEntries(priorities.map((priority) => [priority, method]));
  const listener = getNotificationListener(transport, [{ topic }], [endpoint], { allowRequeue: true, pool });
  await listener.start();
  await notify(peer, topic, "messagingv2", 1);
  for (const result of results) await seen.take("a delivery", (it) => it === result || undefined);
  await listener.stop();
}
