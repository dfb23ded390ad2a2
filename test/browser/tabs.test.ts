import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getRpcClient, getRpcTransport, type RPCTransport } from "@/src/entry/node.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { type Bus, EMBEDDED_BROKER, EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

describe.each([EMBEDDED_ROUTER, EMBEDDED_BROKER])("through $name", (plan) => {
  const topic = uniqueTopic("tabs");
  let bus: Bus;
  let transport: RPCTransport;
  let first: DriverPage;
  let second: DriverPage;

  beforeAll(async () => {
    bus = await plan.start();
    transport = getRpcTransport(bus.url("amqp"), { logger: null });
    first = await DriverPage.open(browser);
    second = await first.another();
    await serve(first, "first");
    await serve(second, "second");
  });

  afterAll(async () => {
    await second?.[Symbol.asyncDispose]();
    await first?.[Symbol.asyncDispose]();
    await transport?.close();
    await bus?.close();
  });

  /** Starts a server in a tab, and a client: `ask` calls the method `name` of the given server. */
  async function serve({ page }: DriverPage, name: string): Promise<void> {
    await page.evaluate(
      async ({ url, topic, name }) => {
        const transport = oslo.getRpcTransport(url, {
          onFrame({ direction, fields }) {
            const reply = direction === "in" && "source" in fields && JSON.stringify(fields.source);
            if (typeof reply === "string" && reply.includes("dynamic")) void tell({ reply });
          },
        });
        const endpoint = {
          name: () => name,
          shout: (_context: object, { text }: { text: string }) => void tell({ text }),
        };
        const server = oslo.getRpcServer(transport, { topic, server: name }, [endpoint]);
        await server.start();
        const client = oslo.getRpcClient(transport, { topic });
        globalThis.ask = async (server) => (await client.prepare({ server }).call({}, "name")) as string;
      },
      { url: bus.url("amqp+ws"), topic, name },
    );
  }

  const client = () => getRpcClient(transport, { topic });
  const heard = (tab: DriverPage, text: string) =>
    tab.told.take(text, (told) => ((told as { text?: string }).text === text ? true : undefined));

  test("a fanout reaches two tabs of one page", async () => {
    for (const server of ["first", "second"]) await client().prepare({ server }).call({}, "name");
    await client().prepare({ fanout: true }).cast({}, "shout", { text: "to all tabs" });
    await Promise.all([heard(first, "to all tabs"), heard(second, "to all tabs")]);
  });

  test("two tabs of one page have different reply addresses, and each receives its own replies", async () => {
    const asked = await Promise.all(
      [first, second].flatMap(({ page }) =>
        ["first", "second"].map((server) => page.evaluate((name) => globalThis.ask(name), server)),
      ),
    );
    expect(asked).toEqual(["first", "second", "first", "second"]);
    const replyAddress = (tab: DriverPage) =>
      tab.told.take("its reply address", (told) => (told as { reply?: string }).reply);
    expect(await replyAddress(first)).not.toBe(await replyAddress(second));
  });

  test("a tab continues when another tab of the same page is closed", async () => {
    const answer = second.page.evaluate(() => globalThis.ask("second")).catch(() => {}); // its reply may arrive before the tab closes
    await second[Symbol.asyncDispose]();
    await answer;
    await client().prepare({ fanout: true }).cast({}, "shout", { text: "to the other tab" });
    await heard(first, "to the other tab");
    expect(await client().call({}, "name")).toBe("first");
    expect(await first.page.evaluate(() => globalThis.ask("first"))).toBe("first");
  });
});

declare global {
  /** Within a tab: calls the server of this name. */
  var ask: (server: string) => Promise<string>;
}
