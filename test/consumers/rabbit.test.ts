import { readdir, readFile } from "node:fs/promises";
import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Relay } from "@/src/relay/relay.js";
import { rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { Tab } from "@/test/fixtures/browsers/tab.js";
import { serveFolder } from "@/test/fixtures/network/folder-server.js";
import { Workspace } from "@/test/fixtures/processes/workspace.js";
import { PythonServer } from "@/test/fixtures/python/python.js";
import { uniqueTopic } from "@/test/fixtures/stages/unique-topic.js";

/** What only the driver of RabbitMQ contains: a method and an argument of queues. */
const DRIVER = ["basic.consume", "x-expires"];

interface App {
  /** Of a bundler, and of the app's script that runs it. */
  name: string;
  /** Folder that is served, and the page that calls through RabbitMQ. */
  served: string;
  page: string;
  /** Folders or files of the app's bundle with the driver, and of the one without it. */
  using: string;
  without: string;
}

const APPS: readonly App[] = [
  {
    name: "vite",
    served: "dist/vite/rabbit",
    page: "",
    using: "dist/vite/rabbit/assets",
    without: "dist/vite/amqp/assets",
  },
  {
    name: "webpack",
    served: "",
    page: "webpack.html",
    using: "dist/webpack/rabbit.js",
    without: "dist/webpack/amqp.js",
  },
  {
    name: "esbuild",
    served: "",
    page: "esbuild.html",
    using: "dist/esbuild/rabbit.js",
    without: "dist/esbuild/amqp.js",
  },
];

describe("the packed package and RabbitMQ", { timeout: 90_000 }, () => {
  const topic = uniqueTopic("python");
  let url: string;
  let relay: Relay;
  let server: PythonServer;
  let workspace: Workspace;
  let browser: Browser;

  beforeAll(async () => {
    workspace = await Workspace.make("rabbit");
    const bed = await rabbitMqBed("4");
    const { host, port } = bed.node.address;
    const to = { scheme: "amqp", hostname: host, port };
    relay = await Relay.start({ host: "127.0.0.1", port: 0, maxConnections: 100, idleTimeoutMs: 60_000, to });
    url = `rabbit+${relay.url.replace("//", "//guest:guest@")}${bed.virtualHost}`;
    [browser, server] = await Promise.all([
      launchChromium(),
      PythonServer.start({ url: bed.url, topic, server: "python" }),
    ]);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await relay?.close();
    await workspace?.[Symbol.asyncDispose]();
  });

  describe.each(APPS)("in an app of $name", ({ name, served, page, using, without }) => {
    let output: string;

    beforeAll(async () => {
      output = await workspace.build("rabbit", `build:${name}`);
    }, 180_000);

    it("the bundler builds the app without a warning, with the driver only where it is used", async () => {
      expect(output).not.toMatch(/warning|deprecat|\(!\)/i);
      for (const text of DRIVER) {
        expect(await scriptsIn(using)).toContain(text);
        expect(await scriptsIn(without)).not.toContain(text);
      }
    });

    it("the built app calls Python through RabbitMQ, and contains each class once", async () => {
      await using site = await serveFolder(workspace.path("rabbit", served));
      await expectPage(site.port, page);
    });
  });

  it("a page without a bundler calls Python through RabbitMQ, with web.min.js and rabbit.min.js", async () => {
    await using site = await serveFolder(workspace.path("rabbit"));
    await expectPage(site.port, "import-map.html");
  });

  /** The text of the scripts of a folder, or of a file. */
  async function scriptsIn(path: string): Promise<string> {
    const full = workspace.path("rabbit", path);
    if (path.endsWith(".js")) return await readFile(full, "utf8");
    const names = (await readdir(full)).filter((name) => name.endsWith(".js"));
    return (await Promise.all(names.map((name) => readFile(`${full}/${name}`, "utf8")))).join("\n");
  }

  async function expectPage(port: number, page: string): Promise<void> {
    await using tab = await Tab.open(
      browser,
      `http://127.0.0.1:${port}/${page}?${new URLSearchParams({ url, topic })}`,
    );
    const shown = (id: string) => expect.poll(() => tab.page.locator(`#${id}`).textContent(), { timeout: 20_000 });
    await shown("refusal").toBe("rabbit_ha_queues");
    await shown("answer").toBe("page");
    expect(tab.takeErrors()).toEqual([]);
  }
});
