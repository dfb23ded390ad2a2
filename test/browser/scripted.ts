import type { Browser } from "playwright";
import type { BrowserInit } from "./home.js";

/** What the tests need of a page, whatever drives its browser: as Playwright's pages have it. */
export interface ScriptedPage {
  /** Runs a function in the page, on and to JSON; rejects with what it throws there. */
  evaluate<R, A>(run: (arg: A) => R | Promise<R>, arg: A): Promise<R>;
  close(): Promise<void>;
}

export interface ScriptedBrowser {
  /** Shows a page, which may be instead of the one before. */
  open(url: string): Promise<ScriptedPage>;
  close(): Promise<void>;
}

export type Launch = (init: BrowserInit) => Promise<ScriptedBrowser>;

/** The same by Playwright. */
export function scripted(launch: (init: BrowserInit) => Promise<Browser>): Launch {
  return async (init) => {
    const browser = await launch(init);
    return {
      async open(url) {
        const page = await browser.newPage();
        await page.goto(url);
        return page;
      },
      close: () => browser.close(),
    };
  };
}
