import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CARRIED, carryBus, type Libraries } from "@/test/fixtures/beds/page-bus.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { Tab } from "@/test/fixtures/browsers/tab.js";
import { projectPath } from "@/test/fixtures/project.js";

declare global {
  /** Within the page: the library and the intermediary of `dist/web`. */
  var libraries: Libraries;
}

const DIST = projectPath("dist/web");
/** A name that does not resolve: the test supplies all files of the page. */
const ORIGIN = "https://static.test";
const HTML =
  '<!doctype html><html lang="en"><title>A bus in a page</title><link rel="icon" href="data:,"><script type="module" src="start.js"></script></html>';
const SCRIPT = `
  import * as oslo from "./web.js";
  import * as embedded from "./intermediary.js";
  globalThis.libraries = { oslo, embedded };`;
const POLICY = "default-src 'none'; script-src 'self'; img-src data:; connect-src 'none'";

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(() => browser?.close());

test.each(["router", "broker"] as const)(
  "a page runs a complete message bus with a %s, and opens no connection",
  async (kind) => {
    await using tab = await Tab.open(browser, "about:blank");
    const { page } = tab;
    const requested = await serveFromTest(page);
    page.on("websocket", (socket) => requested.push(socket.url()));
    await page.goto(`${ORIGIN}/`);
    await page.waitForFunction(() => "libraries" in globalThis);
    const loaded = requested.length;
    const libraries = await page.evaluateHandle(() => globalThis.libraries);
    expect(await page.evaluate(carryBus, { libraries, kind })).toEqual(CARRIED);
    expect(requested.slice(loaded)).toEqual([]);
    expect(tab.takeErrors()).toEqual([]);
  },
);

/** Answers the page's requests without a server. Returns the list of requested paths, which grows with each request. */
async function serveFromTest(page: Page): Promise<string[]> {
  const names = (await readdir(DIST)).filter((name) => name.endsWith(".js"));
  const scripts = await Promise.all(
    names.map(async (name) => [`/${name}`, await readFile(join(DIST, name), "utf8")] as const),
  );
  const bodies = new Map<string, string>([...scripts, ["/start.js", SCRIPT]]);
  const requested: string[] = [];
  await page.route(
    () => true,
    async (route) => {
      const { pathname } = new URL(route.request().url());
      requested.push(pathname);
      const script = bodies.get(pathname);
      const contentType = `text/${script === undefined ? "html" : "javascript"}; charset=utf-8`;
      await route.fulfill({ body: script ?? HTML, contentType, headers: { "Content-Security-Policy": POLICY } });
    },
  );
  return requested;
}
