import type { TestProject } from "vitest/node";
import { Addresser } from "@/src/driver/amqp/addressing.js";
import { productOf } from "@/src/driver/amqp/products.js";
import { resolveOptions } from "@/src/driver/options/options.js";
import {
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  NotificationResult,
  Notifier,
  type RPCTransport,
  TransportURL,
} from "@/src/entry/node.js";
import type { IntermediaryKind } from "@/src/intermediary/address-table.js";
import type { Scheme } from "./bus.js";
import type { Foreign } from "./foreign.js";
import { Inbox } from "./inbox.js";
import { uniqueTopic } from "./unique-topic.js";

const SHAPES_ADDRESSES = /_(prefix|address|exchange)$/;

const VARIABLE = "OSLO_MESSAGING_TEST_URL";

/** What does not come within it is not coming. */
const LIMIT_MS = 5_000;

/** Finds out, once for a run, what the intermediaries of OSLO_MESSAGING_TEST_URL can do. */
export default async function setup(project: TestProject): Promise<void> {
  const urls = (process.env[VARIABLE] ?? "").split(/\s+/).filter((url) => url !== "");
  if (urls.length === 0) {
    throw new Error(`${VARIABLE} is not set: it has the transport URLs to test against, parted by spaces`);
  }
  project.provide("foreign", await Promise.all(urls.map(examine)));
}

/** @throws when there is no connection, and why. */
async function examine(text: string): Promise<Foreign> {
  const url = TransportURL.parse(text);
  await using transport = getRpcTransport(text);
  const { product, host } = await connected(transport);
  const row = productOf(product);
  const options = resolveOptions({ query: url.query });
  const { virtualHost } = url;
  const kind = row.kind === "unknown" ? await kindOf(transport) : row.kind;
  const [multicasts, requeues] = await Promise.all([reachesAll(transport), deliversAgain(text)]);
  return {
    name: `${product ?? "an unnamed product"} at ${host}`,
    url: text,
    scheme: url.scheme as Scheme,
    kind,
    addressing: new Addresser({ options, controlExchange: "openstack", virtualHost, product }).mode,
    abilities: {
      multicasts,
      requeues,
      takesAnyAddress: row.capabilities.multicast.length > 0,
      usualAddresses: !virtualHost && !Object.keys(url.query).some((name) => SHAPES_ADDRESSES.test(name)),
    },
  };
}

async function connected(transport: RPCTransport): Promise<{ product: string | undefined; host: string }> {
  transport.connect().catch(() => {}); // the status tells
  for await (const status of transport.status()) {
    if (status.type === "connected") return status;
    if (status.type === "disconnected") {
      throw new Error(`${VARIABLE}: ${status.host} cannot be used: ${status.error?.message}`, { cause: status.error });
    }
  }
  throw new Error("the transport was closed");
}

/** A product that nobody knows stores messages if it takes one that nobody listens for. */
async function kindOf(transport: RPCTransport): Promise<IntermediaryKind> {
  const client = getRpcClient(transport, { topic: uniqueTopic("examined") });
  const stored = await succeeds(client.cast({}, "nothing", {}, { timeoutMs: LIMIT_MS }));
  return stored ? "broker" : "router";
}

/** Whether each of two servers gets a fanout. */
async function reachesAll(transport: RPCTransport): Promise<boolean> {
  const topic = uniqueTopic("examined");
  const heard = new Inbox<string>("the servers");
  const servers = ["a", "b"];
  const started = servers.map((server) =>
    getRpcServer(transport, { topic, server }, [{ hear: () => heard.put(server) }]).start(),
  );
  await Promise.all(started);
  await getRpcClient(transport, { topic }).prepare({ fanout: true }).cast({}, "hear");
  const each = servers.map((server) => heard.take(server, (name) => (name === server ? true : undefined), LIMIT_MS));
  return await succeeds(Promise.all(each));
}

/** Whether a notification that its listener gives back comes again. */
async function deliversAgain(url: string): Promise<boolean> {
  await using transport = getNotificationTransport(url, { amqp: { linkRetryDelayMs: 1_000 } });
  const topic = uniqueTopic("examined");
  const attempts = new Inbox<number>("the listener");
  let count = 0;
  const info = (): NotificationResult => {
    attempts.put(++count);
    return count === 1 ? NotificationResult.REQUEUE : NotificationResult.HANDLED;
  };
  await getNotificationListener(transport, [{ topic }], [{ info }], { allowRequeue: true }).start();
  const notified = new Notifier(transport, { publisherId: "examiner", topics: [topic] }).info({}, "event", {});
  const again = attempts.take("a second time", (attempt) => (attempt === 2 ? attempt : undefined), LIMIT_MS);
  return await succeeds(Promise.all([notified, again]));
}

async function succeeds(promise: Promise<unknown>): Promise<boolean> {
  return await promise.then(
    () => true,
    () => false,
  );
}
