import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { ARTEMIS_LEGACY, ARTEMIS_ROUTABLE, type Bus } from "@/test/fixtures/beds/bus-plan.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";
import { PythonListener, PythonNotifier, PythonServer } from "@/test/fixtures/python/python.js";

const MEGABYTE = 1_000_000;

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

for (const plan of [ARTEMIS_ROUTABLE, ARTEMIS_LEGACY]) {
  describe(`through ${plan.name}, with the page on WebSocket and Python on TCP`, () => {
    const topic = uniqueTopic("python");
    const pageTopic = uniqueTopic("page");
    let bus: Bus;
    let tab: DriverPage;
    let server: PythonServer;
    let listener: PythonListener;
    let notifier: PythonNotifier;

    beforeAll(async () => {
      bus = await plan.start();
      const url = bus.url("amqp");
      [tab, server, listener, notifier] = await Promise.all([
        DriverPage.open(browser),
        PythonServer.start({ url, topic, server: "python" }),
        PythonListener.start(url, topic),
        PythonNotifier.start(url),
      ]);
    });

    afterEach(() => {
      expect(tab.takeErrors()).toEqual([]);
    });

    afterAll(async () => {
      await tab?.[Symbol.asyncDispose]();
      await Promise.all([server, listener, notifier].map((peer) => peer?.stop()));
      await bus?.close();
    });

    test("a page's call to Python returns any JSON", async () => {
      const arg = { text: "héllo", list: [1, 2.5, null, true], deep: { "": {} } };
      const page = { url: bus.url("amqp+ws"), topic, arg };
      const answer = await tab.page.evaluate(async ({ url, topic, arg }) => {
        const transport = oslo.getRpcTransport(url);
        const client = oslo.getRpcClient(transport, { topic, version: "1.0" });
        const answer = await client.call({ user: "ü" }, "echo", { arg });
        await transport.close();
        return answer;
      }, page);
      expect(answer).toEqual(arg);
    });

    test("a page's call of 1 MB to Python returns complete, sent in WebSocket messages of at most 64 KiB", async () => {
      const sent: number[] = [];
      tab.page.once("websocket", (socket) => {
        socket.on("framesent", ({ payload }) => sent.push(payload.length));
      });
      const page = { url: bus.url("amqp+ws"), topic, size: MEGABYTE };
      const isWhole = await tab.page.evaluate(async ({ url, topic, size }) => {
        const arg = "0123456789".repeat(size / 10);
        const transport = oslo.getRpcTransport(url);
        const answer = await oslo.getRpcClient(transport, { topic }).call({}, "echo", { arg });
        await transport.close();
        return answer === arg;
      }, page);
      expect(isWhole).toBe(true);
      expect(sent.reduce((total, size) => total + size, 0)).toBeGreaterThan(MEGABYTE);
      expect(Math.max(...sent)).toBeLessThanOrEqual(64 * 1024);
    });

    test("a page's cast reaches Python", async () => {
      const note = uniqueTopic("note");
      const page = { url: bus.url("amqp+ws"), topic, note };
      await tab.page.evaluate(async ({ url, topic, note }) => {
        const transport = oslo.getRpcTransport(url);
        await oslo.getRpcClient(transport, { topic, server: "python" }).cast({}, "note", { arg: note });
        await transport.close({ graceMs: 5_000 });
      }, page);
      await server.noted(note);
    });

    test("a page's call throws Python's error with its type and message", async () => {
      const page = { url: bus.url("amqp+ws"), topic };
      const error = await tab.page.evaluate(async ({ url, topic }) => {
        const transport = oslo.getRpcTransport(url);
        try {
          return await oslo.getRpcClient(transport, { topic }).call({}, "fail", { kind: "value" });
        } catch (error) {
          if (!(error instanceof oslo.RemoteError)) throw error;
          const { name, excType, module, value } = error;
          return { name, excType, module, value };
        } finally {
          await transport.close();
        }
      }, page);
      const expected = { name: "RemoteError", excType: "ValueError", module: "builtins", value: "bad value é" };
      expect(error).toEqual(expected);
    });

    test("a page's notification reaches Python", async () => {
      const page = { url: bus.url("amqp+ws"), topic };
      await tab.page.evaluate(async ({ url, topic }) => {
        const transport = oslo.getNotificationTransport(url);
        const notifier = new oslo.Notifier(transport, { publisherId: "page.host1", topics: [topic] });
        await notifier.warn({}, "page.event", { text: "héllo" });
        await transport.close();
      }, page);
      await expect(listener.saw("page.event")).resolves.toMatchObject({
        priority: "warn",
        publisherId: "page.host1",
        payload: { text: "héllo" },
      });
    });

    test("Python's notification reaches a page", async () => {
      await tab.page.evaluate(
        async ({ url, topic }) => {
          const transport = oslo.getNotificationTransport(url);
          const error = (_context: object, publisherId: string, eventType: string, payload: unknown) =>
            void tell({ publisherId, eventType, payload });
          await oslo.getNotificationListener(transport, [{ topic }], [{ error }]).start();
        },
        { url: bus.url("amqp+ws"), topic: pageTopic },
      );
      const notification = { publisherId: "python.host1", eventType: "python.event", payload: { text: "héllo" } };
      await notifier.notify({ driver: "messagingv2", topic: pageTopic, priority: "error", ...notification });
      await expect(tab.told.take("the notification", (value) => value)).resolves.toEqual(notification);
    });
  });
}
