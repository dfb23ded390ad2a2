import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, firefox } from "playwright";
import { type BrowserInit, inOwnHome, makeNssDatabase } from "./home.js";

const FIREFOX = "/usr/bin/firefox-esr";

/** Debian's Firefox without a window. Playwright drives one that is not its own by WebDriver BiDi. */
export async function launchFirefox({ trusts }: BrowserInit = {}): Promise<Browser> {
  if (!existsSync(FIREFOX)) {
    throw new Error(`Firefox is not there: no ${FIREFOX}. Install Debian's package firefox-esr: bash scripts/setup.sh`);
  }
  return await inOwnHome(async (home) => {
    const profile = join(home, "profile");
    if (trusts !== undefined) await makeNssDatabase(profile, trusts);
    const context = await firefox.launchPersistentContext(profile, {
      executablePath: FIREFOX,
      channel: "moz-firefox",
      env: { ...process.env, HOME: home },
    });
    const browser = context.browser();
    if (browser === null) throw new Error("Playwright gives no browser for Firefox's profile");
    return browser;
  });
}
