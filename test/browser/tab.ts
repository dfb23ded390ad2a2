import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright";

/** A page in a browser, which remembers everything that went wrong in it. */
export class Tab implements AsyncDisposable {
  readonly page: Page;
  readonly #errors: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (error) => this.#errors.push(error.stack ?? error.message));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.#errors.push(`${message.type()}: ${message.text()}`);
    });
  }

  /** In a profile of its own. */
  static async open(browser: Browser, url: string, options?: BrowserContextOptions): Promise<Tab> {
    return await Tab.openIn(await browser.newContext(options), url);
  }

  /** In this profile, which ends with its last page. */
  static async openIn(profile: BrowserContext, url: string): Promise<Tab> {
    const tab = new Tab(await profile.newPage());
    await tab.page.goto(url);
    return tab;
  }

  /** What the page threw, and what the browser or the page wrote as errors and warnings, since this was asked last. */
  takeErrors(): readonly string[] {
    return this.#errors.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const profile = this.page.context();
    await this.page.close();
    if (profile.pages().length === 0) await profile.close();
  }
}
