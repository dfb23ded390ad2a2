import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageFiles } from "@/playground/page-files.js";
import { type PageFile, servePage } from "@/playground/page-server.js";
import type { Listening } from "@/src/core/byte-stream.js";
import { HybridBed, TOPIC } from "@/test/fixtures/beds/hybrid-bed.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { Tab } from "@/test/fixtures/browsers/tab.js";
import { example } from "@/test/fixtures/readme.js";
import { HYBRID_RESULT, type HybridInit, useBothBuses } from "@/test/fixtures/stages/hybrid-client.js";

declare global {
  /** Within the page: what `dist/web` exports. */
  var shipped: Pick<HybridInit, "oslo" | "drivers"> & typeof import("@/src/entry/conf-web.js");
}

const SCRIPT = `
  import * as oslo from "./oslo-messaging/web.js";
  import { parseConf } from "./oslo-messaging/conf.js";
  import { rabbit } from "./oslo-messaging/rabbit.js";
  globalThis.shipped = { oslo, parseConf, drivers: [rabbit] };`;

describe.each([
  ["RPC over amqp:// and notifications over rabbit://", () => HybridBed.start()],
  ["RPC over rabbit:// and notifications over amqp://", () => HybridBed.startReversed()],
])("%s in a page, from one file", (_name, start) => {
  let bed: HybridBed;
  let browser: Browser;
  let site: Listening;

  beforeAll(async () => {
    [bed, browser] = await Promise.all([start(), launchChromium()]);
    site = await servePage(await filesOf(bed));
  });

  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await bed?.[Symbol.asyncDispose]();
  });

  test("a page and a service in Python call and notify each other through the WebSockets of both buses", {
    tags: ["notify:hybrid", "options:file:addresses"],
  }, async () => {
    await using tab = await Tab.open(browser, `http://127.0.0.1:${site.port}/start.html`);
    const { page } = tab;
    await page.waitForFunction(() => "shipped" in globalThis);
    const sources = { text: bed.text, webSockets: bed.webSockets };
    const conf = await page.evaluateHandle(
      ({ text, webSockets }) => globalThis.shipped.parseConf(text, webSockets),
      sources,
    );
    const oslo = await page.evaluateHandle(() => globalThis.shipped.oslo);
    const drivers = await page.evaluateHandle(() => globalThis.shipped.drivers);
    const result = await page.evaluate(useBothBuses, { oslo, conf, drivers, topic: TOPIC });
    expect(result).toEqual({ ...HYBRID_RESULT, products: bed.products });
    expect(await bed.service.warned("volume.full")).toMatchObject({ publisherId: "javascript", payload: { id: 6 } });
    expect(tab.takeErrors()).toEqual([]);
  });

  test("the guide's example of a hybrid page calls a service, and shows its notification", async () => {
    const { rpcUrl, notificationUrl } = bed.webSockets;
    const query = new URLSearchParams({ rpc: rpcUrl, notifications: notificationUrl });
    await using tab = await Tab.open(browser, `http://127.0.0.1:${site.port}/?${query}`);
    await tab.page.locator("#created", { hasText: "instance 2" }).waitFor();
    await tab.page.locator("#notified", { hasText: "instance.create 2" }).waitFor();
    expect(tab.takeErrors()).toEqual([]);
  });
});

async function filesOf(bed: HybridBed): Promise<Map<string, PageFile>> {
  const type = "text/html; charset=utf-8";
  const headers = { "Content-Security-Policy": "default-src 'self' 'unsafe-inline'; connect-src 'self' ws:" };
  return new Map<string, PageFile>([
    ["/", { type, body: example("hybrid.html"), headers }],
    ["/compute.conf", { type: "text/plain; charset=utf-8", body: bed.text }],
    [
      "/start.html",
      { type, body: '<!doctype html><title>Hybrid</title><script type="module" src="start.js"></script>' },
    ],
    ["/start.js", { type: "text/javascript; charset=utf-8", body: SCRIPT }],
    ["/favicon.ico", { type: "image/x-icon", body: "" }],
    ...(await packageFiles()),
  ]);
}
