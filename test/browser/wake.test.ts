import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Host } from "@/test/fixtures/beds/restartable-host.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";

/** Disables the idle check and retries for the duration of a test. */
const SLOW_RETRY = "?idle_timeout=0&connection_retry_interval=3600&connection_retry_interval_max=3600";
const FAST_RETRY = "?idle_timeout=0&connection_retry_interval=1";

let browser: Browser;
let tab: DriverPage;
let host: Host;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

beforeEach(async () => {
  host = await Host.reserve("amqp+ws");
  tab = await DriverPage.open(browser);
});

afterEach(async () => {
  await tab?.[Symbol.asyncDispose]();
  await host?.kill();
});

describe("a page's transport", () => {
  test("a page's transport connects as soon as the network returns, before its retry is due", {
    tags: ["failover:wake"],
  }, async () => {
    await tab.page.context().setOffline(true);
    await connect(SLOW_RETRY);
    await status("disconnected");
    await host.start({ kind: "router" });
    await tab.page.context().setOffline(false);
    await status("connected");
  });

  test("a page's transport detects a connection lost while offline, and reconnects", {
    tags: ["failover:wake"],
  }, async () => {
    await host.start({ kind: "router" });
    await connect(FAST_RETRY);
    await status("connected");
    host.freeze();
    await tab.page.context().setOffline(true);
    await tab.page.context().setOffline(false);
    expect(await status("disconnected")).toContain("no data received for");
    await status("connected");
  });

  test("a page's transport detects a connection lost while the page was frozen, and reconnects", {
    tags: ["failover:wake"],
  }, async () => {
    await host.start({ kind: "router" });
    await connect(FAST_RETRY);
    await status("connected");
    host.freeze();
    // Headless Chromium never freezes a page, so the test dispatches the event itself.
    await tab.page.evaluate(() => void document.dispatchEvent(new Event("resume")));
    expect(await status("disconnected")).toContain("no data received for");
    await status("connected");
  });

  test("a page's transport keeps a working connection when the network returns", async () => {
    await host.start({ kind: "router" });
    await connect(FAST_RETRY);
    await status("connecting");
    await status("connected");
    await tab.page.evaluate(() => void globalThis.dispatchEvent(new Event("online")));
    // Longer than the time limit for the peer's answer to the check.
    await tab.page.evaluate(() => new Promise<void>((resolve) => setTimeout(resolve, 7_000)));
    expect(tab.told.unread).toEqual([]);
  });
});

/** Creates a transport in the page, which passes each status to `tell`. */
async function connect(query: string): Promise<void> {
  await tab.page.evaluate((url) => {
    const transport = oslo.getRpcTransport(url);
    void transport.connect({ keepTrying: true });
    void (async () => {
      for await (const status of transport.status()) {
        void tell([status.type, status.type === "disconnected" ? String(status.error) : ""]);
      }
    })();
  }, `amqp+ws://${host.name}/${query}`);
}

/** Resolves with the error of the transport's next status of this type. */
function status(type: string): Promise<string> {
  return tab.told.take(type, (told) => {
    const [name, reason] = told as [string, string];
    return name === type ? reason : undefined;
  });
}
