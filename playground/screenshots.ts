import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright";
import { requireInstalled } from "../scripts/prerequisite.js";
import { DemoBackend } from "./demo-backend.js";
import { pageFiles } from "./page-files.js";
import { servePage } from "./page-server.js";
import { PythonEndpoint } from "./python-endpoint.js";

const CHROMIUM = "/usr/bin/chromium";
const SIZE = { width: 1280, height: 900 };
const docs = (name: string): string => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));

// Takes the README's screenshots of the running playground, with the Python server.
requireInstalled("Chromium", CHROMIUM);
await using backend = await DemoBackend.start(() => {});
await serving(backend.tcpUrl, async () => {
  const page = await servePage(await pageFiles(backend));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const url = `http://127.0.0.1:${page.port}/`;
    await picture(browser, "playground-light.png", url, "light", askAround);
    await picture(browser, "playground-dark.png", `${url}#metrics`, "dark", measure);
    await picture(browser, "playground-topology.png", `${url}#topology`, "light", letPass);
  } finally {
    await browser.close();
    await page.close();
  }
});

/** Runs `work` while the Python server runs. Rejects if it cannot start, because the screenshots show it. */
async function serving(tcpUrl: string, work: () => Promise<void>): Promise<void> {
  let report = (_line: string): void => {};
  const reported = new Promise<string>((resolve) => {
    report = resolve;
  });
  await using _python = new PythonEndpoint(tcpUrl, report);
  const line = await reported;
  if (line.startsWith("No ")) {
    process.stderr.write(`${line}: run bash scripts/setup.sh\n`);
    process.exit(1);
  }
  await work();
}

async function picture(
  browser: Browser,
  name: string,
  url: string,
  colorScheme: "light" | "dark",
  act: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await browser.newPage({ viewport: SIZE, colorScheme });
  await page.goto(url);
  await page.locator('#notifications-status[data-state="connected"]').waitFor();
  await act(page);
  await page.screenshot({ path: docs(name) });
  await page.close();
}

async function askAround(page: Page): Promise<void> {
  for (const example of ["fail", "this page", "whoami, Python", "add"]) {
    await page.getByRole("button", { name: example, exact: true }).click();
    await call(page);
  }
}

async function measure(page: Page): Promise<void> {
  for (const calls of ["120", "400", "60", "300"]) {
    await page.getByLabel("Calls", { exact: true }).fill(calls);
    await page.getByRole("button", { name: "Send calls" }).click();
    await page.getByText(`${calls} of ${calls}, in`).waitFor();
    await page.waitForTimeout(2_500); // lets the chart show more than one value
  }
}

async function letPass(page: Page): Promise<void> {
  const echo = async (): Promise<void> => {
    for (const topic of ["demo", "browser"]) {
      await page.locator("#console-form [name=topic]").evaluate((field: HTMLInputElement, text) => {
        field.value = text;
      }, topic);
      await page.locator("#console-form").evaluate((form: HTMLFormElement) => form.requestSubmit());
    }
  };
  await page.locator("#topology-picture svg").waitFor();
  await echo();
  await page.waitForTimeout(1_500); // until the picture shows all clients
  await echo();
  await page.locator("#topology-picture .pulse").nth(3).waitFor();
  await page.waitForTimeout(300); // until the pulses are halfway
}

async function call(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Call", exact: true }).click();
  await page.locator('#exchanges > li:first-child:is([data-outcome="ok"], [data-outcome="failed"])').waitFor();
}
