import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Listening } from "@/src/core/byte-stream.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { PlaygroundPage } from "@/test/fixtures/browsers/playground-page.js";
import { playground } from "@/test/fixtures/browsers/running-playground.js";
import { Tab } from "@/test/fixtures/browsers/tab.js";
import { serveFolder } from "@/test/fixtures/network/folder-server.js";
import { projectPath } from "@/test/fixtures/project.js";

const SITE = projectPath(".cache/playground");
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'none'";

describe("the playground on a static host, in a page that may connect to nothing", () => {
  let host: Listening;
  let browser: Browser;
  let tab: Tab;
  let page: PlaygroundPage;

  beforeAll(async () => {
    await using building = playground("playground/static-site.ts");
    expect(await building.exited).toBe(0);
    [host, browser] = await Promise.all([
      serveFolder(SITE, { under: "/some/where/", headers: { "Content-Security-Policy": POLICY } }),
      launchChromium(),
    ]);
    tab = await Tab.open(browser, `http://127.0.0.1:${host.port}/some/where/`);
    page = new PlaygroundPage(tab.page);
  });

  afterEach(() => {
    expect(tab.takeErrors()).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    await host?.close();
  });

  test("the static playground connects to the message bus in the page, and offers no embedded router", async () => {
    await page.connected("oslo-messaging-router");
    expect(await page.page.getByText("Embedded router").isVisible()).toBe(false);
  });

  test("the demo servers and the page's server reply to calls in the static playground", async () => {
    expect(await page.example("add")).toMatch(/^ok.*\b42$/s);
    expect(await page.example("whoami, node-2")).toContain('"server": "node-2"');
    expect(await page.example("slow")).toMatch(/^ok.*"slept 2"$/s);
    expect(await page.example("this page")).toMatch(/^ok\s+call browser/);
  });

  test("a fanout reaches each server in the static playground, and notifications report it", async () => {
    await page.request("Fanout", { method: "note", args: '{"arg": "in memory"}' });
    await page.tab("Notifications");
    for (const server of ["node-1", "node-2"]) {
      await page
        .notifications("in memory")
        .filter({ hasText: `"server":"${server}"` })
        .waitFor();
    }
    expect(await page.notify("warn", "test.static", "1")).toMatch(/^accepted after/);
    await page.notifications("test.static").waitFor();
  });

  test("the static playground shows the topology of its router", async () => {
    const panel = await page.tab("Topology");
    await panel.getByText(/^oslo-messaging-router: \d+ connections/).waitFor();
    await panel.locator("text.name", { hasText: "demo servers" }).first().waitFor();
  });

  test("Disconnect stops the message bus in the page, and Connect starts a new one", async () => {
    await page.button("Disconnect").click();
    await page.status("RPC", "not connected");
    await page.button("Connect").click();
    await page.connected();
    expect(await page.example("echo")).toMatch(/^ok/);
  });
});
