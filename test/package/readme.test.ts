import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { withOptions } from "@/scripts/options-table.js";
import { RABBIT_ROWS } from "@/src/driver/rabbit/option-table.js";
import { getRpcServer, getRpcTransport } from "@/src/entry/node.js";
import { type Bus, EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import { launchChromium } from "@/test/fixtures/browsers/chromium.js";
import { ROOT } from "@/test/fixtures/project.js";
import { example, readme, runExample, writeExample } from "@/test/fixtures/readme.js";
import { BUN, DENO } from "@/test/fixtures/runtimes/command-line.js";
import { RunningWorkerd } from "@/test/fixtures/runtimes/workerd.js";

/** Runs an example against an embedded router. Returns its output. */
async function run(
  name: string,
  environment: Readonly<Record<string, string>> = {},
  command?: readonly [string, ...string[]],
): Promise<string> {
  await using bus = await EMBEDDED_ROUTER.start();
  return await runExample(name, { TRANSPORT_URL: bus.url("amqp"), ...environment }, command);
}

/** Serves the methods that the examples call, until the test ends. */
async function serveCalc(bus: Bus): Promise<void> {
  const transport = getRpcTransport(bus.url("amqp"), { logger: null });
  onTestFinished(() => transport.close());
  const endpoint = { add: (_context: object, { a, b }: { a: number; b: number }) => a + b };
  await getRpcServer(transport, { topic: "calc", server: "calc-1" }, [endpoint]).start();
}

test.each([
  ["Node", [process.execPath]],
  ["Deno", [...DENO, "--allow-env"]],
  ["Bun", BUN],
] as const)("the README's example of RPC runs in %s", async (_runtime, command) => {
  expect(await run("node.mjs", {}, command)).toBe("5\n");
});

test("the README's worker calls a server", async () => {
  await using bus = await EMBEDDED_ROUTER.start();
  await serveCalc(bus);
  const environment = { TRANSPORT_URL: bus.url("amqp") };
  await using running = await RunningWorkerd.start("workerd", await writeExample("worker.mjs"), { environment });
  expect(await (await fetch(running.url)).json()).toBe(5);
});

test("the README's bus inside the program carries a call, and its topology counts it", async () => {
  expect(await run("bus.mjs")).toBe("5\n2 true\n");
});

test("the README's example of notifications receives one", async () => {
  const expected = { publisherId: "compute.host-1", eventType: "compute.instance.create", payload: { id: 1 } };
  expect(JSON.parse(await run("notifications.mjs"))).toEqual(expected);
});

test("the README's page calls a server, without a bundler", async () => {
  await using bus = await EMBEDDED_ROUTER.start();
  await serveCalc(bus);

  const web = createServer((request, response) => {
    void (async () => {
      const path = new URL(request.url ?? "/", "http://page").pathname;
      if (path === "/") return response.setHeader("content-type", "text/html").end(example("browser.html"));
      const name = /^\/oslo-messaging\/([\w.-]+\.js)$/.exec(path)?.[1];
      if (name === undefined) return response.writeHead(404).end();
      const file = await readFile(join(ROOT, "dist", name));
      return response.setHeader("content-type", "text/javascript").end(file);
    })();
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise((resolve) => web.close(() => resolve())));

  const browser = await launchChromium();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const { port } = web.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/?url=${encodeURIComponent(bus.url("amqp+ws"))}`);
  await page.waitForFunction(() => document.querySelector("#answer")?.textContent !== "");
  expect(await page.textContent("#answer")).toBe("5");
});

test("the README's tables of options are up to date (npm run docs:options)", {
  tags: ["options:help", "options:table"],
}, async () => {
  expect(await withOptions(readme)).toBe(readme);
});

test("the README's table of rabbit:// has every option of its group, with what is kept, ignored and fixed", () => {
  const [, table = ""] = readme.split("<!-- options of rabbit");
  const rows = [...table.matchAll(/^\| `(\w+)` \| (\S.*?) \|/gm)].map(([, name, inCode]) => [name, inCode]);
  expect(rows.map(([name]) => name)).toEqual(RABBIT_ROWS.map(([, { name }]) => name));
  expect(rows).toContainEqual(["rabbit_quorum_queue", "`rabbitQuorumQueue`"]);
  expect(rows).toContainEqual(["ssl", "`tls: {}`"]);
  expect(rows).toContainEqual(["heartbeat_rate", "*ignored*"]);
  expect(rows).toContainEqual(["rabbit_stream_fanout", "*fixed*"]);
});

test("the README's example of a configuration file reads one", async () => {
  const conf = join(ROOT, "test/data/conf/nova.conf");
  expect(await run("conf.mjs", { CONF: conf })).toBe("[ 'notifications', 'ceilometer' ]\n");
});

test.each(["README.md", "ARCHITECTURE.md", "docs/rabbitmq.md", "docs/services.md"])(
  "all images of %s and its links into this tree exist",
  async (document) => {
    const text = (await readFile(join(ROOT, document), "utf8"))
      .split("```")
      .filter((_, index) => index % 2 === 0)
      .join("");
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)].map(
      ([, link, url]) => link ?? url,
    );
    const paths = links.flatMap((link = "") => (/^([a-z]+:|#)/.test(link) ? [] : [link.replace(/#.*/, "")]));
    if (document === "README.md") expect(paths).toContain("ARCHITECTURE.md");
    expect(paths.filter((path) => !existsSync(join(ROOT, dirname(document), path)))).toEqual([]);
  },
);

test("the guide for RabbitMQ names only options that exist", async () => {
  const guide = await readFile(join(ROOT, "docs/rabbitmq.md"), "utf8");
  const named = [...guide.matchAll(/`((?:amqp|direct|heartbeat|kombu|rabbit)_\w+)`/g)].map(([, name]) => name);
  expect(named).toContain("rabbit_quorum_queue");
  const names = RABBIT_ROWS.map(([, { name }]) => name);
  expect(named.filter((name = "") => !names.includes(name))).toEqual([]);
});

test("the README's two commands exist in package.json", async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  expect(readme).toContain("npm ci && npm start");
  expect(readme).toContain("npm ci && npm test");
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(["start", "test"]));
});
