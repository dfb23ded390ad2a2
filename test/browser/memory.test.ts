import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { getRpcServer, getRpcTransport, type RPCServer, type RPCTransport } from "@/src/entry/node.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { type Bus, EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";
import { Relay } from "@/test/fixtures/network/relay.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const CASTS = 10_000;
const CAST_BYTES = 10_000;
const SLOW = 50_000;
/** Default of `maxQueued.bytes`. */
const QUEUED_BYTES = 64 * 1024 * 1024;
/** Maximum that the driver buffers in a WebSocket: its budget, and the batch that exceeded it. */
const SOCKET_BYTES = 1024 * 1024 + 64 * 1024;

let browser: Browser;
let bus: Bus;
let network: Relay;
let tab: DriverPage;
let transport: RPCTransport;
let server: RPCServer;
let topic: string;
const arrived = new Inbox<number>("the server");

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

beforeEach(async () => {
  topic = uniqueTopic("memory");
  bus = await EMBEDDED_ROUTER.start();
  network = await Relay.atLocalhost();
  await network.passTo(Number(new URL(bus.url("amqp+ws")).port));
  transport = getRpcTransport(bus.url("amqp"), { logger: null });
  const endpoint = { take: (_context: object, { id }: { id: number }) => arrived.put(id) };
  server = getRpcServer(transport, { topic, server: "node" }, [endpoint]);
  await server.start();
  tab = await DriverPage.open(browser);
  await measureWebSockets(tab);
});

afterEach(async () => {
  await tab?.[Symbol.asyncDispose]();
  await server?.stop();
  await transport?.close();
  await network?.[Symbol.asyncDispose]();
  await bus?.close();
});

test("a page that casts 100 MB into a slow network without waiting queues 64 MiB and refuses the rest", async () => {
  const heap = await heapBytes();
  await connect();
  network.throttle(SLOW);
  const refused = await tab.page.evaluate(
    async ([casts, bytes]) => {
      let refused = 0;
      const text = "x".repeat(bytes);
      const sent = Array.from({ length: casts }, (_, id) =>
        globalThis.sendingClient.cast({}, "take", { id, text }).then(
          () => id,
          (error: Error) => {
            if (error.name !== "SendQueueFull") throw error;
            refused++;
            return undefined;
          },
        ),
      );
      globalThis.taken = Promise.all(sent);
      await new Promise((resolve) => setTimeout(resolve)); // refused casts reject at once
      return refused;
    },
    [CASTS, CAST_BYTES] as const,
  );
  expect(refused).toBeGreaterThan(CASTS - QUEUED_BYTES / CAST_BYTES - 1_000);
  expect((await heapBytes()) - heap).toBeLessThan(1.5 * QUEUED_BYTES);
  expect(await mostBuffered()).toBeLessThan(SOCKET_BYTES);

  network.throttle(Number.POSITIVE_INFINITY);
  const taken = (await tab.page.evaluate(() => globalThis.taken)).filter((id) => id !== undefined);
  expect(taken).toHaveLength(CASTS - refused);
  for (const id of taken) await arrived.take(`${id}`, (come) => (come === id ? true : undefined));
  expect(arrived.unread).toEqual([]);
  expect(await mostBuffered()).toBeLessThan(SOCKET_BYTES);
}, 60_000);

test("a page that awaits writable before each cast sends 100 MB without a refusal, in little memory", async () => {
  const heap = await heapBytes();
  await connect({ messages: 100 });
  network.throttle(SLOW);
  const half = tab.told.take("the half", (told) => (told === CASTS / 2 ? true : undefined), 50_000);
  const sending = tab.page.evaluate(
    async ([casts, bytes]) => {
      const text = "x".repeat(bytes);
      const sent: Promise<void>[] = [];
      for (let id = 0; id < casts; id++) {
        await globalThis.sender.writable();
        if (id === 200) void tell("slow");
        if (id === casts / 2) void tell(id);
        sent.push(globalThis.sendingClient.cast({}, "take", { id, text }));
      }
      await Promise.all(sent);
    },
    [CASTS, CAST_BYTES] as const,
  );
  await tab.told.take("200 casts", (told) => (told === "slow" ? true : undefined));
  expect(await mostBuffered()).toBeLessThan(SOCKET_BYTES);
  network.throttle(Number.POSITIVE_INFINITY);
  await half;
  expect((await heapBytes()) - heap).toBeLessThan(20_000_000);
  await sending;
  for (let id = 0; id < CASTS; id++) await arrived.take(`${id}`, (come) => (come === id ? true : undefined));
  expect(await mostBuffered()).toBeLessThan(SOCKET_BYTES);
}, 60_000);

declare global {
  /** Transport of the page under test. */
  var sender: import("@/src/entry/web.js").RPCTransport;
  var sendingClient: import("@/src/entry/web.js").RPCClient;
  /** Ids of all casts, undefined for refused ones; resolves when all have been sent. */
  var taken: Promise<(number | undefined)[]>;
  /** Largest `bufferedAmount` so far. */
  var peak: number;
}

/** Records the buffered amount after each `send`: a WebSocket has no event for it. */
async function measureWebSockets({ page }: DriverPage): Promise<void> {
  await page.evaluate(() => {
    globalThis.peak = 0;
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data: Parameters<typeof send>[0]) {
      send.call(this, data);
      globalThis.peak = Math.max(globalThis.peak, this.bufferedAmount);
    };
  });
}

function mostBuffered(): Promise<number> {
  return tab.page.evaluate(() => globalThis.peak);
}

/** Creates `sender` and `sendingClient` in the page, and checks that a call reaches the server. */
async function connect(maxQueued?: { messages: number }): Promise<void> {
  const url = `amqp+ws://${network.host}:${network.port}/`;
  await tab.page.evaluate(
    async ({ url, topic, maxQueued }) => {
      globalThis.sender = oslo.getRpcTransport(url, { maxQueued });
      globalThis.sendingClient = oslo.getRpcClient(globalThis.sender, { topic });
      await globalThis.sendingClient.call({}, "take", { id: -1 });
    },
    { url, topic, maxQueued },
  );
  await arrived.take("the call", (id) => (id === -1 ? true : undefined));
}

/** Returns the size of the page's objects and ArrayBuffers after a garbage collection. */
async function heapBytes(): Promise<number> {
  const devTools = await tab.page.context().newCDPSession(tab.page);
  await devTools.send("HeapProfiler.collectGarbage");
  const { usedSize, backingStorageSize } = await devTools.send("Runtime.getHeapUsage");
  await devTools.detach();
  return usedSize + backingStorageSize;
}
