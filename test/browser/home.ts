import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Browser } from "playwright";

const run = promisify(execFile);

export interface BrowserInit {
  /** The file of a CA that this browser trusts besides its own. */
  trusts?: string | undefined;
}

/**
 * Launches a browser in a home folder that goes when it is closed: it finds nothing there of who runs the tests, and leaves
 * nothing. Firefox does not even start in a home that is somebody else's.
 */
export async function inOwnHome(launch: (home: string) => Promise<Browser>): Promise<Browser> {
  const home = await mkdtemp(join(tmpdir(), "oslo-browser-"));
  const remove = (): Promise<void> => rm(home, { recursive: true, force: true, maxRetries: 3 });
  try {
    const browser = await launch(home);
    const close = browser.close.bind(browser);
    return Object.assign(browser, {
      async close() {
        await close();
        await remove();
      },
    });
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Makes a database of NSS, where Chromium and Firefox look for the CAs that their user trusts, with this one in it. */
export async function makeNssDatabase(folder: string, ca: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const certutil = async (...args: readonly string[]): Promise<void> => {
    try {
      await run("certutil", ["-d", `sql:${folder}`, ...args]);
    } catch (cause) {
      throw new Error("certutil of libnss3-tools is needed: bash scripts/setup.sh", { cause });
    }
  };
  await certutil("-N", "--empty-password");
  await certutil("-A", "-n", "CA of the tests", "-t", "C,,", "-i", ca);
}
