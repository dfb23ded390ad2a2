import type { OpenPage } from "../browser/scripted-page.js";
import type { Place } from "./page/page.js";
import type { Performance } from "./runtime-suite.js";
import { type Published, serveSite } from "./site.js";

/** A performance in a page, or in a worker of it, that has loaded these files of the package. */
export function byPage(open: OpenPage, place: Place, published: Published): Performance {
  return async (setting, tell) => {
    const site = await serveSite();
    try {
      const page = await open(`http://127.0.0.1:${site.port}/${published}/`);
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
