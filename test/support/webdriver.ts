import { setTimeout as sleep } from "node:timers/promises";

const START_LIMIT_MS = 20_000;
const SCRIPT_LIMIT_MS = 120_000;

type Json = Readonly<Record<string, unknown>>;

/** A browser's session by W3C WebDriver, as far as the tests need it. */
export class WebDriverSession {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  /** With a driver that may still be starting at this URL; `ended` rejects when it will not. */
  static async start(driver: string, ended: Promise<never>): Promise<WebDriverSession> {
    await Promise.race([listening(driver), ended]);
    const alwaysMatch = { timeouts: { script: SCRIPT_LIMIT_MS } };
    const starting = command("POST", `${driver}/session`, { capabilities: { alwaysMatch } });
    const { sessionId } = (await Promise.race([starting, ended])) as { sessionId: string };
    return new WebDriverSession(`${driver}/session/${sessionId}`);
  }

  /** Resolves when the page has been loaded, with its scripts: WebKit's first page answers before it is there. */
  async navigate(url: string): Promise<void> {
    await command("POST", `${this.#url}/url`, { url });
    await until(() => this.evaluate((url) => location.href === url && document.readyState === "complete", url));
  }

  /** As Playwright's: the function runs in the page, on and to JSON; rejects with what it throws there. */
  async evaluate<R, A>(run: (arg: A) => R | Promise<R>, arg: A): Promise<R> {
    // As text: the driver itself would make null of what is undefined.
    const script = `
      const [arg, done] = arguments;
      const thrown = (error) => done({ thrown: String(error) + "\\n" + (error?.stack ?? "") });
      (async () => done({ text: JSON.stringify({ value: await (${run})(arg) }) }))().catch(thrown);`;
    const outcome = await command("POST", `${this.#url}/execute/async`, { script, args: [arg] });
    const { text, thrown } = outcome as { text: string; thrown?: string };
    if (thrown !== undefined) throw new Error(`the page threw ${thrown}`);
    return JSON.parse(text).value;
  }

  /** Ends the browser. */
  async close(): Promise<void> {
    await command("DELETE", this.#url);
  }
}

/** What the driver answers; rejects with the error that it tells. */
async function command(method: string, url: string, body?: object): Promise<unknown> {
  const json = body && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await fetch(url, { method, ...json });
  const { value } = (await response.json()) as { value: Json | null };
  if (!response.ok) throw new Error(`WebDriver: ${method} ${url}: ${value?.["error"]}: ${value?.["message"]}`);
  return value;
}

/** A driver does not tell when it listens. */
async function listening(driver: string): Promise<void> {
  await until(async () => {
    await command("GET", `${driver}/status`);
    return true;
  });
}

/** Asks again and again until the answer is yes, whatever fails meanwhile. */
async function until(ask: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    const answer = await ask().catch((error: Error) => error);
    if (answer === true) return;
    if (performance.now() > deadline) throw new Error("WebDriver did not come so far", { cause: answer });
    await sleep(50);
  }
}
