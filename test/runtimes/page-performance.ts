import type { ScriptedBrowser } from "../browser/scripted.js";
import type { Place } from "./page/page.js";
import type { Performance } from "./runtime-suite.js";
import { type Published, serveSite } from "./site.js";

/** A performance in a page of a browser, or in a worker of it. */
export function inBrowser(browser: () => ScriptedBrowser, place: Place, published: Published): Performance {
  return async (setting, tell) => {
    const site = await serveSite();
    try {
      const page = await browser().open(site.url(published));
      await page.evaluate(({ place, setting }) => startPerforming(place, setting), { place, setting });
      for (;;) {
        const { report, failure } = await page.evaluate(() => nextTold(), undefined);
        if (failure !== undefined) throw new Error(failure);
        if (report === undefined) break;
        tell(report);
      }
      await page.close();
    } finally {
      await site.close();
    }
  };
}
