import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright";
import { type BrowserInit, inOwnHome, makeNssDatabase } from "./home.js";

const CHROMIUM = "/usr/bin/chromium";

/** Debian's Chromium without a window, and without what it would do on its own. */
export async function launchChromium({ trusts }: BrowserInit = {}): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`Chromium is not there: no ${CHROMIUM}. Install Debian's package chromium: bash scripts/setup.sh`);
  }
  return await inOwnHome(async (home) => {
    if (trusts !== undefined) await makeNssDatabase(join(home, ".pki/nssdb"), trusts);
    return await chromium.launch({
      executablePath: CHROMIUM,
      env: { ...process.env, HOME: home },
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
  });
}
