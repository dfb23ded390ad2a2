import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Deferred } from "@/src/core/deferred.js";
import {
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type NotificationTransport,
  Notifier,
  type RPCServer,
  type RPCTransport,
} from "@/src/entry/node.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { type Bus, EMBEDDED_BROKER, EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";
import { Relay } from "@/test/fixtures/network/relay.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

describe.each([EMBEDDED_ROUTER, EMBEDDED_BROKER])("through $name", (plan) => {
  const [topic, pageTopic] = [uniqueTopic("node"), uniqueTopic("page")];
  const held = new Inbox<Deferred<string>>("the server");
  let bus: Bus;
  let network: Relay;
  let transport: RPCTransport;
  let notifications: NotificationTransport;
  let server: RPCServer;
  let tab: DriverPage;

  beforeAll(async () => {
    bus = await plan.start();
    network = await Relay.atLocalhost();
    await restore();
    transport = getRpcTransport(bus.url("amqp"), { logger: null });
    notifications = getNotificationTransport(bus.url("amqp"), { logger: null });
    const endpoint = {
      hold() {
        const answer = new Deferred<string>();
        held.put(answer);
        return answer.promise;
      },
    };
    server = getRpcServer(transport, { topic, server: "node" }, [endpoint]);
    await server.start();
    tab = await DriverPage.open(browser);
    await begin();
  });

  afterAll(async () => {
    await tab?.[Symbol.asyncDispose]();
    await server?.stop();
    await Promise.all([transport?.close(), notifications?.close()]);
    await network?.[Symbol.asyncDispose]();
    await bus?.close();
  });

  test("after a cut a page fails its unanswered call, sends the queued one, and serves and listens again", async () => {
    await status("connected");
    await tab.page.evaluate(() => globalThis.call("in the air"));
    const lost = await held.take("the call in the air", (answer) => answer);
    await network.cut();
    expect(await status("disconnected")).toContain("WebSocket closed by the server: 1006");
    expect(await outcome("in the air")).toMatch(/^MessageDeliveryFailure: .*WebSocket closed by the server: 1006/);
    lost.resolve("too late");

    await tab.page.evaluate(() => globalThis.call("waiting"));
    await restore();
    await status("connected");
    (await held.take("the call that waited", (answer) => answer)).resolve("after the cut");
    expect(await outcome("waiting")).toBe("after the cut");
    await expectService();
  });

  test("a page detects a silent network failure within its idle time-out", async () => {
    await tab.page.evaluate(() => globalThis.call("swallowed"));
    await held.take("the call", (answer) => answer);
    network.freeze();
    expect(await status("disconnected")).toMatch(/no data received for \d{4} ms/);
    expect(await outcome("swallowed")).toMatch(/^MessageDeliveryFailure: .*no data received for/);
    await network.cut(); // as a real network does when it returns: the intermediary sees the old streams close
    await restore();
    await status("connected");
    await expectService();
  });

  /** Passes bytes between the page and the intermediary, for the first time or again. */
  async function restore(): Promise<void> {
    await network.passTo(Number(new URL(bus.url("amqp+ws")).port));
  }

  /** Starts a client, a server and a listener in the page, which pass their events to `tell`. */
  async function begin(): Promise<void> {
    const url = `amqp+ws://${network.host}:${network.port}/`;
    await tab.page.evaluate(
      async ({ url, topic, pageTopic }) => {
        const transport = oslo.getRpcTransport(url, {
          amqp: { idleTimeoutMs: 6_000 },
          failFast: true, // otherwise the outcome of a call depends on whether it was acknowledged before the cut
        });
        const client = oslo.getRpcClient(transport, { topic });
        globalThis.call = (name) => {
          const call = client.call({}, "hold").then(String, String);
          void call.then((end) => tell({ name, end }));
        };
        const where = { where: () => "in the page" };
        await oslo.getRpcServer(transport, { topic: pageTopic, server: "page" }, [where]).start();
        const info = (_context: object, _publisher: string, eventType: string) => void tell({ eventType });
        const notifications = oslo.getNotificationTransport(url);
        await oslo.getNotificationListener(notifications, [{ topic: pageTopic }], [{ info }]).start();
        void (async () => {
          for await (const status of transport.status()) {
            void tell({ type: status.type, error: status.type === "disconnected" ? String(status.error) : "" });
          }
        })();
      },
      { url, topic, pageTopic },
    );
  }

  /** Checks that the page's server replies and its listener receives. */
  async function expectService(): Promise<void> {
    const where = await getRpcClient(transport, { topic: pageTopic }).call({}, "where");
    expect(where).toBe("in the page");
    const eventType = uniqueTopic("event");
    await new Notifier(notifications, { publisherId: "node", topics: [pageTopic] }).info({}, eventType, {});
    await tab.told.take(eventType, (told) => ((told as Told).eventType === eventType ? true : undefined));
  }

  /** Resolves with the error of the transport's next status of this type. */
  function status(type: string): Promise<string> {
    return tab.told.take(type, (told) => ((told as Told).type === type ? (told as Told).error : undefined));
  }

  /** Resolves with the result or the error of a call. */
  function outcome(name: string): Promise<string> {
    return tab.told.take(name, (told) => ((told as Told).name === name ? (told as Told).end : undefined));
  }
});

interface Told {
  type?: string;
  error?: string;
  name?: string;
  end?: string;
  eventType?: string;
}

declare global {
  /** Within the page: makes a call that the server holds, and passes its result or error to `tell`. */
  var call: (name: string) => void;
}
