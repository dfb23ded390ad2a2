import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bus, EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { Tab } from "@/test/fixtures/browsers/tab.js";
import { serveFolder } from "@/test/fixtures/network/folder-server.js";
import { Child, exitsWithParent } from "@/test/fixtures/processes/child.js";
import { Workspace } from "@/test/fixtures/processes/workspace.js";
import { PythonNotifier, PythonServer } from "@/test/fixtures/python/python.js";
import { uniqueTopic } from "@/test/fixtures/stages/unique-topic.js";

const run = promisify(execFile);

/** Key of the error that each app shows when `ConfigurationError` is the same class in both subpaths. */
const REFUSED = "[oslo_messaging_amqp] idle_timeout";

const WARNING = /warning|deprecat|\(!\)/i;

interface App {
  name: string;
  folder: string;
  /** Output of a successful build of the bundler. */
  built: RegExp;
  /** Folder that is served. */
  served: string;
  /** Texts that the page shows, by the ids of its outputs. */
  shows: Readonly<Record<string, string>>;
}

const APPS: readonly App[] = [
  {
    name: "Vite",
    folder: "vite",
    built: /✓ built in/,
    served: "vite/dist",
    shows: { greeting: "Hello, Vite!", answer: "Vite", refusal: REFUSED },
  },
  {
    name: "webpack",
    folder: "webpack",
    built: /compiled successfully/,
    served: "webpack",
    shows: { answer: "webpack", refusal: REFUSED },
  },
  {
    name: "esbuild",
    folder: "esbuild",
    built: /Done in/,
    served: "esbuild",
    shows: { answer: "esbuild", refusal: REFUSED },
  },
];

/** Pages of the app without a bundler, by the contents of their import maps. */
const PAGES = [
  { name: "web.min.js", page: "index.html", shows: { answer: "import map" } },
  { name: "the root and its subpaths", page: "subpaths.html", shows: { answer: "import map", refusal: REFUSED } },
];

describe("the packed package", { timeout: 90_000 }, () => {
  const topic = uniqueTopic("python");
  let bus: Bus;
  let server: PythonServer;
  let notifier: PythonNotifier;
  let workspace: Workspace;
  let browser: Browser;

  beforeAll(async () => {
    workspace = await Workspace.make("vite", "webpack", "esbuild", "import-map", "worker", "node");
    bus = await EMBEDDED_ROUTER.start();
    browser = await launchChromium();
    const url = bus.url("amqp");
    [server, notifier] = await Promise.all([
      PythonServer.start({ url, topic, server: "python" }),
      PythonNotifier.start(url),
    ]);
  });

  afterAll(async () => {
    await workspace?.[Symbol.asyncDispose]();
    await browser?.close();
    await Promise.all([server, notifier].map((peer) => peer?.stop()));
    await bus?.close();
  });

  describe.each(APPS)("in an app of $name", ({ folder, built, served, shows }) => {
    let output: string;

    beforeAll(async () => {
      output = await workspace.build(folder);
    }, 180_000);

    it("the bundler builds the app with default settings and without a warning", () => {
      expect(output).toMatch(built);
      expect(output).not.toMatch(WARNING);
    });

    it("the built app calls Python, receives Python's notifications, and contains each class once", async () => {
      await using site = await serveFolder(workspace.path(served));
      await expectPage(site.port, "", shows);
    });
  });

  it.each(PAGES)(
    "a page without a bundler uses the package through an import map of $name",
    async ({ page, shows }) => {
      await using site = await serveFolder(workspace.path("import-map"));
      await expectPage(site.port, page, shows);
    },
  );

  it("a worker is built for workerd, and runs there without Node's modules", async () => {
    expect(await workspace.build("worker", "build:workerd")).not.toMatch(WARNING);
    const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };
    const command = exitsWithParent([workerd, "serve", "--control-fd=1", workspace.path("worker/workerd.capnp")]);
    await using child = new Child({ name: "workerd", command });
    const port = await child.waitForJson("its port", ({ event, port }) => (event === "listen" ? port : undefined));
    const response = await fetch(`http://127.0.0.1:${port}/?${query()}`);
    expect(await response.json()).toEqual({ answer: "worker", refusal: REFUSED });
  });

  it("a worker is built for edge-light, and runs without Node", async () => {
    expect(await workspace.build("worker", "build:edge-light")).not.toMatch(WARNING);
    await using site = await serveFolder(workspace.path("worker/dist"));
    await using tab = await Tab.open(browser, `http://127.0.0.1:${site.port}/edge-light.js`);
    // As text, because vitest would rewrite the import.
    const answer = await tab.page.evaluate(`(async () => {
      const { default: worker } = await import(location.href);
      return await (await worker.fetch(new Request("http://h/?${query()}"))).json();
    })()`);
    expect(answer).toEqual({ answer: "worker", refusal: REFUSED });
  });

  describe("for Node", () => {
    it("esbuild builds an app for Node without a warning, and it runs", async () => {
      expect(await workspace.build("node", "build:esbuild")).not.toMatch(WARNING);
      await expectNodeApp("esbuild.cjs");
    });

    it("webpack builds an app for Node, with warnings only for optional modules of ws, and it runs", async () => {
      const output = await workspace.build("node", "build:webpack");
      const missing = [...output.matchAll(/^(?:Module not found: .*|\w.*compiled .*warnings?)/gm)].map(
        ([line]) => line,
      );
      expect(missing).toEqual([
        expect.stringMatching(/'bufferutil' in '.*ws\/lib'$/),
        expect.stringMatching(/'utf-8-validate' in '.*ws\/lib'$/),
        expect.stringMatching(/compiled with 2 warnings/),
      ]);
      await expectNodeApp("webpack.cjs");
    });

    async function expectNodeApp(name: string): Promise<void> {
      const urls = (["amqp", "amqp+ws"] as const).map((scheme) => bus.url(scheme));
      const command = [workspace.path("node/dist", name), topic, ...urls];
      const { stdout } = await run(process.execPath, command, { timeout: 30_000 });
      expect(JSON.parse(stdout)).toEqual({ answers: ["amqp:", "amqp+ws:"], refusal: REFUSED });
    }
  });

  /** Query of an app's page: the URL of the message bus and Python's topic. */
  function query(): URLSearchParams {
    return new URLSearchParams({ url: bus.url("amqp+ws"), topic });
  }

  async function expectPage(port: number, page: string, shows: Readonly<Record<string, string>>): Promise<void> {
    await using tab = await Tab.open(browser, `http://127.0.0.1:${port}/${page}?${query()}`);
    const shown = (id: string) => expect.poll(() => tab.page.locator(`#${id}`).textContent(), { timeout: 20_000 });
    for (const [id, text] of Object.entries(shows)) await shown(id).toBe(text);
    const event = { driver: "messagingv2", topic, priority: "info", publisherId: "python", payload: {} } as const;
    await notifier.notify({ ...event, eventType: `event.${port}` });
    await shown("notification").toBe(`event.${port}`);
    expect(tab.takeErrors()).toEqual([]);
  }
});
