import type { Browser } from "playwright";

/** What the tests need of a page, whatever drives its browser, as Playwright's pages have it. */
export interface ScriptedPage {
  /** Runs a function in the page, on and to JSON; rejects with what it throws there. */
  evaluate<R, A>(run: (arg: A) => R | Promise<R>, arg: A): Promise<R>;
  close(): Promise<void>;
}

/** Shows a page in a browser. */
export type OpenPage = (url: string) => Promise<ScriptedPage>;

/** In a browser of Playwright, once there is one; each page in a profile of its own. */
export function openIn(browser: () => Browser): OpenPage {
  return async (url) => {
    const page = await browser().newPage();
    await page.goto(url);
    return page;
  };
}
