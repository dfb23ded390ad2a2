import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright";
import { Child, leashed } from "../support/child.js";
import type { Screen } from "../support/screen.js";
import { type BrowserInit, inOwnHome, makeNssDatabase } from "./home.js";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Debian's Chromium without a window, and without what it would do on its own. */
export async function launchChromium({ trusts }: BrowserInit = {}): Promise<Browser> {
  requireChromium();
  return await inOwnHome(async (home) => {
    if (trusts !== undefined) await makeNssDatabase(join(home, ".pki/nssdb"), trusts);
    return await chromium.launch({
      executablePath: CHROMIUM,
      env: { ...process.env, HOME: home },
      args: [...FLAGS],
    });
  });
}

/** Chromium in the hands of its user, who has a screen: Playwright would keep every page visible, and awake. */
export async function launchChromiumOn(screen: Screen, ...flags: readonly string[]): Promise<Browser> {
  requireChromium();
  return await inOwnHome(async (home) => {
    const own = ["--remote-debugging-port=0", `--user-data-dir=${join(home, "profile")}`];
    const options = [...own, ...FLAGS, ...flags, "about:blank"]; // and not a page that it would get from elsewhere
    const child = new Child({
      name: "Chromium",
      command: leashed(["sh", "-c", 'exec "$@" 2>&1', "sh", CHROMIUM, ...options]), // stderr has the line that counts
      env: { HOME: home, DISPLAY: screen.display },
    });
    try {
      const endpoint = await child.waitFor("DevTools", (line) => /DevTools listening on (\S+)/.exec(line)?.[1]);
      const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true });
      return Object.assign(browser, { close: () => child.stop() });
    } catch (error) {
      await child.stop();
      throw error;
    }
  });
}

function requireChromium(): void {
  if (existsSync(CHROMIUM)) return;
  throw new Error(`Chromium is not there: no ${CHROMIUM}. Install Debian's package chromium: bash scripts/setup.sh`);
}
