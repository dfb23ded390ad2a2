import type { Browser, BrowserContext, Page } from "playwright";
import { libraryFiles } from "@/playground/page-files.js";
import { type PageFile, servePage } from "@/playground/page-server.js";
import type { Listening } from "@/src/core/byte-stream.js";
import { Inbox } from "../support/inbox.js";
import { Tab } from "./tab.js";

declare global {
  /** Within a DriverPage: `dist/web.js`. */
  var oslo: typeof import("@/src/entry/web.js");
  /** Within a DriverPage: hands a value to `DriverPage.told`. */
  var tell: (value: unknown) => Promise<void>;
}

const HTTPS_ORIGIN = "https://console.example";
const HTML =
  '<!doctype html><html lang="en"><title>The driver</title><script type="module" src="start.js"></script></html>';
const SCRIPT = 'import * as oslo from "./web.js";\nglobalThis.oslo = oslo;\n';

/** An empty page that has loaded `dist/web.js` as the ES module that it is, under a strict Content-Security-Policy. */
export class DriverPage implements AsyncDisposable {
  readonly page: Page;
  /** What the page has given to `tell`. */
  readonly told = new Inbox<unknown>("the page");
  readonly #tab: Tab;
  /** Absent: another page's. */
  readonly #server: Listening | undefined;

  private constructor(tab: Tab, server?: Listening) {
    this.page = tab.page;
    this.#tab = tab;
    this.#server = server;
  }

  static async open(browser: Browser): Promise<DriverPage> {
    return await DriverPage.openIn(await browser.newContext());
  }

  /** In this profile, which ends with its last page. */
  static async openIn(profile: BrowserContext): Promise<DriverPage> {
    const server = await servePage(await driverFiles());
    return await new DriverPage(await Tab.openIn(profile, `http://127.0.0.1:${server.port}/`), server).#begin();
  }

  /** At an origin of its own by https, which no server serves: the browser is given the files. */
  static async openByHttps(browser: Browser): Promise<DriverPage> {
    const profile = await browser.newContext();
    const files = await driverFiles();
    await profile.route(`${HTTPS_ORIGIN}/**`, async (route) => {
      const file = files.get(new URL(route.request().url()).pathname);
      if (file === undefined) await route.fulfill({ status: 404 });
      else await route.fulfill({ contentType: file.type, body: Buffer.from(file.body) });
    });
    return await new DriverPage(await Tab.openIn(profile, `${HTTPS_ORIGIN}/`)).#begin();
  }

  /** Another tab with the same page, in the same profile. */
  async another(): Promise<DriverPage> {
    return await new DriverPage(await Tab.openIn(this.page.context(), this.page.url())).#begin();
  }

  /** As its user does; what the page was doing is over. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.#loaded();
  }

  /** See Tab. */
  takeErrors(): readonly string[] {
    return this.#tab.takeErrors();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tab[Symbol.asyncDispose]();
    await this.#server?.close();
  }

  async #begin(): Promise<this> {
    await this.page.exposeFunction("tell", (value: unknown) => this.told.put(value));
    await this.#loaded();
    return this;
  }

  async #loaded(): Promise<void> {
    await this.page.waitForFunction(() => "oslo" in globalThis);
  }
}

async function driverFiles(): Promise<Map<string, PageFile>> {
  return new Map<string, PageFile>([
    ["/", { type: "text/html; charset=utf-8", body: HTML }],
    ["/start.js", { type: "text/javascript; charset=utf-8", body: SCRIPT }],
    ["/favicon.ico", { type: "image/x-icon", body: "" }],
    ...(await libraryFiles()),
  ]);
}
