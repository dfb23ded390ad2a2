import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright";

const CHROMIUM = "/usr/bin/chromium";

/** Debian's Chromium without a window, and without what it would do on its own. */
export async function launchChromium(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`Chromium is not there: no ${CHROMIUM}. Install Debian's package chromium: bash scripts/setup.sh`);
  }
  return await chromium.launch({
    executablePath: CHROMIUM,
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
}
