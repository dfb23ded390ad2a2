import type { Browser, Page } from "playwright";
import { libraryFiles } from "../../playground/page-files.js";
import { servePage } from "../../playground/page-server.js";
import type { Listening } from "../../src/core/dial.js";
import { Inbox } from "../support/inbox.js";
import { Tab } from "./tab.js";

declare global {
  /** Within a DriverPage: `dist/web.js`. */
  var oslo: typeof import("../../src/entry/web.js");
  /** Within a DriverPage: hands a value to `DriverPage.told`. */
  var tell: (value: unknown) => Promise<void>;
}

const HTML =
  '<!doctype html><html lang="en"><title>The driver</title><script type="module" src="start.js"></script></html>';
const SCRIPT = 'import * as oslo from "./web.js";\nglobalThis.oslo = oslo;\n';

/** An empty page that has loaded `dist/web.js` as the ES module that it is, under a strict Content-Security-Policy. */
export class DriverPage implements AsyncDisposable {
  readonly page: Page;
  /** What the page has given to `tell`. */
  readonly told = new Inbox<unknown>("the page");
  readonly #tab: Tab;
  readonly #server: Listening;

  private constructor(tab: Tab, server: Listening) {
    this.page = tab.page;
    this.#tab = tab;
    this.#server = server;
  }

  static async open(browser: Browser): Promise<DriverPage> {
    const server = await servePage(
      new Map([
        ["/", { type: "text/html; charset=utf-8", body: HTML }],
        ["/start.js", { type: "text/javascript; charset=utf-8", body: SCRIPT }],
        ["/favicon.ico", { type: "image/x-icon", body: "" }],
        ...(await libraryFiles()),
      ]),
    );
    const tab = await Tab.open(browser, `http://127.0.0.1:${server.port}/`);
    const opened = new DriverPage(tab, server);
    await opened.page.exposeFunction("tell", (value: unknown) => opened.told.put(value));
    await opened.page.waitForFunction(() => "oslo" in globalThis);
    return opened;
  }

  /** See Tab. */
  takeErrors(): readonly string[] {
    return this.#tab.takeErrors();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tab[Symbol.asyncDispose]();
    await this.#server.close();
  }
}
