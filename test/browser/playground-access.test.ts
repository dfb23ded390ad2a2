import { readFile } from "node:fs/promises";
import type axe from "axe-core";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pageFiles } from "@/playground/page-files.js";
import { servePage } from "@/playground/page-server.js";
import type { Listening } from "@/src/core/byte-stream.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { PlaygroundPage, TABS } from "@/test/fixtures/browsers/playground-page.js";
import { Tab } from "@/test/fixtures/browsers/tab.js";
import { projectPath } from "@/test/fixtures/project.js";

const AXE = projectPath("node_modules/axe-core/axe.min.js");
const SIZES = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 844 } };

describe("accessibility of the playground", () => {
  let server: Listening;
  let browser: Browser;
  let axeSource: string;
  let url: string;

  beforeAll(async () => {
    const [files, launched, source] = await Promise.all([
      pageFiles({ webSocketUrl: "", tcpUrl: "" }),
      launchChromium(),
      readFile(AXE, "utf8"),
    ]);
    [browser, axeSource] = [launched, source];
    server = await servePage(files);
    url = `http://127.0.0.1:${server.port}/`;
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const looks = (["light", "dark"] as const).flatMap((colorScheme) =>
    (["wide", "narrow"] as const).map((size) => ({ colorScheme, size })),
  );

  test.each(looks)(
    "axe finds no violations in any tab of the playground, $colorScheme and $size",
    async ({ colorScheme, size }) => {
      await using tab = await Tab.open(browser, url, { colorScheme, viewport: SIZES[size], reducedMotion: "reduce" });
      const page = new PlaygroundPage(tab.page);
      await tab.page.evaluate(axeSource);
      await page.connected();
      await page.example("fail");
      await page.example("add");
      for (const name of TABS) {
        await page.tab(name);
        expect(await violations(tab.page, "[role=tabpanel]:not([hidden])"), `in the tab ${name}`).toEqual([]);
      }
      await page.connect("amqp://");
      await tab.page.getByRole("checkbox", { name: "Use another URL for notifications" }).check();
      expect(await violations(tab.page, "html"), "with the fields of a URL").toEqual([]);
      expect(await sideways(tab.page)).toBe(0);
      expect(tab.takeErrors()).toEqual([]);
    },
    120_000,
  );

  test("the playground can be used by keyboard alone", async () => {
    await using tab = await Tab.open(browser, url, { viewport: SIZES.wide });
    const page = new PlaygroundPage(tab.page);
    const { keyboard } = tab.page;
    const reach = async (role: string, name: string): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        if ((await focused(tab.page)) === `${role} ${name}`) return;
        await keyboard.press("Tab");
      }
      throw new Error(`no Tab leads to the ${role} ${name}`);
    };
    await page.connected();

    await reach("radio", "Auto");
    await keyboard.press("ArrowRight");
    await keyboard.press("ArrowRight");
    expect(await tab.page.evaluate(() => getComputedStyle(document.body).colorScheme)).toBe("dark");

    await reach("tab", "RPC");
    await reach("textarea", "Arguments, a JSON object");
    await keyboard.press("Control+a");
    await keyboard.type('{"arg": "by keys"}');
    await keyboard.press("Control+Enter");
    expect(await page.outcome()).toMatch(/^ok.*"by keys"$/s);
    await tab.page.getByRole("status").getByText("call demo echo: ok").waitFor();

    await tab.page.getByRole("tab", { name: "RPC" }).focus();
    await keyboard.press("End");
    expect(await focused(tab.page)).toBe("tab Log");
    await keyboard.press("ArrowRight");
    expect(await focused(tab.page)).toBe("tab RPC");
    for (const name of ["Serve", "Notifications"]) {
      await keyboard.press("ArrowRight");
      expect(await focused(tab.page)).toBe(`tab ${name}`);
    }
    await reach("textarea", "Payload, any JSON");
    await keyboard.press("Control+a");
    await keyboard.type('"typed"');
    await reach("button", "Send");
    await keyboard.press("Enter");
    await page.notifications("typed").waitFor();
    expect(tab.takeErrors()).toEqual([]);
  });

  test("the playground applies the chosen colours before its script has loaded", async () => {
    await using tab = await Tab.open(browser, url, { colorScheme: "light" });
    const ground = (): Promise<string> => tab.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await tab.page.getByText("Dark", { exact: true }).click();
    await expect.poll(ground).not.toBe(light);
    const dark = await ground();
    await tab.page.route("**/main.js", () => {}); // is never delivered
    await tab.page.reload({ waitUntil: "commit" });
    await tab.page.getByText("Dark", { exact: true }).waitFor();
    expect(await ground()).toBe(dark);
  });

  test("the playground shows the same tab after a reload", async () => {
    await using tab = await Tab.open(browser, url);
    const page = new PlaygroundPage(tab.page);
    await page.tab("Metrics");
    await tab.page.reload();
    await tab.page.getByRole("tabpanel", { name: "Metrics" }).waitFor();
  });
});

/** Returns the violations that axe finds within an element, with their places. */
async function violations(page: Page, selector: string): Promise<string[]> {
  return await page.evaluate(async (selector) => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const results: axe.AxeResults = await axe.run(selector, { resultTypes: ["violations"] });
    return results.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
    );
  }, selector);
}

/** Returns by how many pixels the page is wider than the window. */
async function sideways(page: Page): Promise<number> {
  return await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Returns the role and the name of the focused element. */
async function focused(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement)) return "";
    // The field's own text is not part of its label.
    const nameOf = (label: HTMLLabelElement): string =>
      Array.from(label.childNodes, (node) => (node === element ? "" : node.textContent)).join("");
    const labels =
      element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? element.labels : null;
    const role =
      element.getAttribute("role") ?? (element instanceof HTMLInputElement ? element.type : element.localName);
    return `${role} ${(labels?.[0] ? nameOf(labels[0]) : (element.textContent ?? "")).replace(/\s+/g, " ").trim()}`;
  });
}
