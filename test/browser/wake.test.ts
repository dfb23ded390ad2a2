import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Host } from "@/test/fixtures/beds/restartable-host.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { DriverPage } from "@/test/fixtures/browsers/driver-page.js";

/** Without a check nothing would happen within the time of a test. */
const PATIENT = "?idle_timeout=0&connection_retry_interval=3600&connection_retry_interval_max=3600";
const HASTY = "?idle_timeout=0&connection_retry_interval=1";

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
  test("connects as soon as the network is back, however long its pause still is", {
    tags: ["failover:wake"],
  }, async () => {
    await tab.page.context().setOffline(true);
    await connect(PATIENT);
    await status("disconnected");
    await host.start({ kind: "router" });
    await tab.page.context().setOffline(false);
    await status("connected");
  });

  test("finds out that its connection was lost while the network was away, and makes another one", {
    tags: ["failover:wake"],
  }, async () => {
    await host.start({ kind: "router" });
    await connect(HASTY);
    await status("connected");
    host.freeze();
    await tab.page.context().setOffline(true);
    await tab.page.context().setOffline(false);
    expect(await status("disconnected")).toContain("nothing came for");
    await status("connected");
  });

  test("finds out that its connection was lost while its page was frozen, and makes another one", {
    tags: ["failover:wake"],
  }, async () => {
    await host.start({ kind: "router" });
    await connect(HASTY);
    await status("connected");
    host.freeze();
    // Chromium without a window freezes no page: the event is ours, what it leads to is not.
    await tab.page.evaluate(() => void document.dispatchEvent(new Event("resume")));
    expect(await status("disconnected")).toContain("nothing came for");
    await status("connected");
  });

  test("keeps a connection that is good", async () => {
    await host.start({ kind: "router" });
    await connect(HASTY);
    await status("connecting");
    await status("connected");
    await tab.page.evaluate(() => void globalThis.dispatchEvent(new Event("online")));
    // Longer than a peer may be silent that owes an answer.
    await tab.page.evaluate(() => new Promise<void>((resolve) => setTimeout(resolve, 7_000)));
    expect(tab.told.unread).toEqual([]);
  });
});

/** Makes a transport in the page, which tells its status from now on. */
async function connect(query: string): Promise<void> {
  await tab.page.evaluate((url) => {
    const transport = oslo.getRpcTransport(url);
    void transport.connect();
    void (async () => {
      for await (const status of transport.status()) {
        void tell([status.type, status.type === "disconnected" ? String(status.error) : ""]);
      }
    })();
  }, `amqp+ws://${host.name}/${query}`);
}

/** Resolves with the reason of the transport's next status of a type. */
function status(type: string): Promise<string> {
  return tab.told.take(type, (told) => {
    const [name, reason] = told as [string, string];
    return name === type ? reason : undefined;
  });
}
