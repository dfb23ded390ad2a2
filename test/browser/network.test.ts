import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
import { Deferred } from "@/test/fixtures/stages/deferred.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

describe.each([EMBEDDED_ROUTER, EMBEDDED_BROKER])(
  "a page whose network is cut, and comes back, through $name",
  (plan) => {
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
      transport = getRpcTransport(bus.url("amqp"));
      notifications = getNotificationTransport(bus.url("amqp"));
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

    test("loses the call whose answer was to come, keeps the one that was not sent, serves and listens again", async () => {
      await status("connected");
      await tab.page.evaluate(() => globalThis.call("in the air"));
      const lost = await held.take("the call in the air", (answer) => answer);
      await network.cut();
      expect(await status("disconnected")).toContain("WebSocket closed by the server: 1006");
      expect(await outcome("in the air")).toMatch(/^MessageDeliveryFailure: .*WebSocket closed by the server: 1006/);
      lost.resolve("to nobody");

      await tab.page.evaluate(() => globalThis.call("waiting"));
      await restore();
      await status("connected");
      (await held.take("the call that waited", (answer) => answer)).resolve("late, but here");
      expect(await outcome("waiting")).toBe("late, but here");
      await expectService();
    });

    test("finds out within its idle time-out that the cable is out, when nothing else tells it", async () => {
      await tab.page.evaluate(() => globalThis.call("swallowed"));
      await held.take("the call", (answer) => answer);
      network.freeze();
      expect(await status("disconnected")).toMatch(/nothing came for \d{4} ms/);
      expect(await outcome("swallowed")).toMatch(/^MessageDeliveryFailure: .*nothing came for/);
      await network.cut(); // as when it is back: the intermediary learns of the streams that it took for good
      await restore();
      await status("connected");
      await expectService();
    });

    /** Lets bytes pass between the page and the intermediary, for the first time or again. */
    async function restore(): Promise<void> {
      await network.passTo(Number(new URL(bus.url("amqp+ws")).port));
    }

    /** A client, a server and a listener in the page; what becomes of them it tells. */
    async function begin(): Promise<void> {
      const url = `amqp+ws://${network.host}:${network.port}/`;
      await tab.page.evaluate(
        async ({ url, topic, pageTopic }) => {
          const transport = oslo.getRpcTransport(url, {
            amqp: { idleTimeoutMs: 6_000 },
            failFast: true, // else the end of a call depends on whether it was acknowledged before the cut
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

    /** The page answers, and hears what is sent now. */
    async function expectService(): Promise<void> {
      const where = await getRpcClient(transport, { topic: pageTopic }).call({}, "where");
      expect(where).toBe("in the page");
      const eventType = uniqueTopic("event");
      await new Notifier(notifications, { publisherId: "node", topics: [pageTopic] }).info({}, eventType, {});
      await tab.told.take(eventType, (told) => ((told as Told).eventType === eventType ? true : undefined));
    }

    /** Resolves with the reason of the transport's next status of a type. */
    function status(wanted: string): Promise<string> {
      return tab.told.take(wanted, (told) => ((told as Told).type === wanted ? (told as Told).error : undefined));
    }

    /** What became of a call. */
    function outcome(wanted: string): Promise<string> {
      return tab.told.take(wanted, (told) => ((told as Told).name === wanted ? (told as Told).end : undefined));
    }
  },
);

interface Told {
  type?: string;
  error?: string;
  name?: string;
  end?: string;
  eventType?: string;
}

declare global {
  /** Within the page: makes a call that the server holds, and tells its end. */
  var call: (name: string) => void;
}
