import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { type Bus, EMBEDDED_BROKER } from "@/test/fixtures/beds/bus-plan.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";
import { launchFirefox } from "@/test/fixtures/browsers/firefox.js";
import { FragmentingProxy } from "@/test/fixtures/network/fragmenting-proxy.js";
import { PythonClient, PythonServer } from "@/test/fixtures/python/python.js";

const TEN_MEGABYTES = 10_000_000;

describe.each([
  { name: "Chromium", launch: launchChromium },
  { name: "Firefox", launch: launchFirefox },
])("in $name", ({ launch }) => {
  let browser: Browser;
  let tab: DriverPage;
  let bus: Bus;
  let server: PythonServer;
  const topic = uniqueTopic("python");

  beforeAll(async () => {
    bus = await EMBEDDED_BROKER.start();
    browser = await launch();
    [tab, server] = await Promise.all([
      DriverPage.open(browser),
      PythonServer.start({ url: bus.url("amqp"), topic, server: "python" }),
    ]);
  });

  afterAll(async () => {
    await tab?.[Symbol.asyncDispose]();
    await browser?.close();
    await server?.stop();
    await bus?.close();
  });

  test("a server in a page returns 10 MB to a Python client", async () => {
    const page = { url: bus.url("amqp+ws"), topic: uniqueTopic("page") };
    await tab.page.evaluate(async ({ url, topic }) => {
      const echo = (_context: object, { arg }: { arg: string }) => arg;
      await oslo.getRpcServer(oslo.getRpcTransport(url), { topic, server: "page" }, [{ echo }]).start();
    }, page);
    await using client = await PythonClient.start(bus.url("amqp"));
    const arg = "abcdefghij".repeat(TEN_MEGABYTES / 10);
    const answer = await client.call({ target: { topic: page.topic }, method: "echo", args: { arg } });
    expect(answer === arg).toBe(true);
  });

  test.each(["messages", "fragments"] as const)(
    "a page connects and calls although the WebSocket %s have 1 byte each",
    async (pieces) => {
      await using proxy = await FragmentingProxy.start(bus.url("amqp+ws"), pieces);
      const page = { url: `amqp+ws://127.0.0.1:${proxy.port}/`, topic, arg: "0123456789".repeat(1_000) };
      const answer = await tab.page.evaluate(async ({ url, topic, arg }) => {
        const transport = oslo.getRpcTransport(url);
        const answer = await oslo.getRpcClient(transport, { topic }).call({}, "echo", { arg });
        await transport.close();
        return answer;
      }, page);
      expect(answer).toBe(page.arg);
      expect(proxy.pieces).toBeGreaterThan(2 * page.arg.length);
    },
  );
});
