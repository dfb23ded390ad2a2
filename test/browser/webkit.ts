import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../suites/host.js";
import { Child, leashed } from "../support/child.js";
import { Screen } from "../support/screen.js";
import { WebDriverSession } from "../support/webdriver.js";
import type { BrowserInit } from "./home.js";
import type { ScriptedBrowser, ScriptedPage } from "./scripted.js";

const DRIVER = "/usr/bin/WebKitWebDriver";
/** Where GnuTLS finds the CAs of the system: WebKitGTK asks nobody else, and no variable leads it elsewhere. */
const SYSTEM_CAS = "/etc/ssl/certs/ca-certificates.crt";

/** Debian's WebKitGTK in its MiniBrowser, by WebDriver: one window, on a screen and in a home folder of its own. */
export class WebKit implements ScriptedBrowser {
  readonly #session: WebDriverSession;
  readonly #end: () => Promise<void>;

  private constructor(session: WebDriverSession, end: () => Promise<void>) {
    this.#session = session;
    this.#end = end;
  }

  static async launch({ trusts }: BrowserInit = {}): Promise<WebKit> {
    if (!existsSync(DRIVER)) {
      throw new Error(`WebKitGTK is not there: no ${DRIVER}. Install webkit2gtk-driver: bash scripts/setup.sh`);
    }
    const port = await freePort();
    const screen = await Screen.open();
    const home = await mkdtemp(join(tmpdir(), "oslo-browser-"));
    const driver = new Child({
      name: "WebKitWebDriver",
      command: leashed([...(trusts === undefined ? [] : trusting(trusts)), DRIVER, `--port=${port}`]),
      env: { DISPLAY: screen.display, GDK_BACKEND: "x11", HOME: home },
    });
    const end = async (): Promise<void> => {
      await driver.stop();
      await screen.close();
      await rm(home, { recursive: true, maxRetries: 3 });
    };
    const ended = driver.exited.then((code) => {
      throw new Error(`WebKitWebDriver ended with ${code}: ${driver.stderr}`);
    });
    try {
      return new WebKit(await WebDriverSession.start(`http://127.0.0.1:${port}`, ended), end);
    } catch (error) {
      await end();
      throw error;
    }
  }

  /** Shows a page, instead of the one before. */
  async open(url: string): Promise<ScriptedPage> {
    const session = this.#session;
    await session.navigate(url);
    return { evaluate: (run, arg) => session.evaluate(run, arg), close: () => session.navigate("about:blank") };
  }

  async close(): Promise<void> {
    try {
      await this.#session.close();
    } finally {
      await this.#end();
    }
  }
}

/**
 * A command that sees this CA, and no other, as the system's. bubblewrap, which WebKitGTK needs for its own sandbox, needs
 * namespaces: root or a kernel that lets users have them.
 */
function trusting(ca: string): readonly string[] {
  const seen = ["--dev-bind", "/", "/", "--proc", "/proc", "--ro-bind", ca, SYSTEM_CAS];
  return ["bwrap", ...seen, "--unshare-pid", "--die-with-parent", "--"];
}
