import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { Running, RunningIntermediary } from "@/test/fixtures/processes/command.js";
import { ROOT } from "@/test/fixtures/project.js";

const run = promisify(execFile);
const dist = join(ROOT, "dist");
const web = join(dist, "web.js");

describe("dist/web.js", { timeout: 60_000 }, () => {
  it("dist/web.js calls a server over WebSocket, with shims for the Node modules of rhea", async () => {
    await using intermediary = await RunningIntermediary.start();
    await using _server = await Running.ready(
      "serve",
      "--url",
      `amqp://${intermediary.tcp}/`,
      "--topic",
      "t",
      "--server",
      "s",
    );
    const script = `
      const { getRpcClient, getRpcTransport } = await import(${JSON.stringify(pathToFileURL(web).href)});
      const transport = getRpcTransport("amqp+ws://${intermediary.ws}/");
      process.stdout.write(await getRpcClient(transport, { topic: "t" }).call({}, "ping"));
      await transport.close();`;
    const { stdout } = await run(process.execPath, [
      "--experimental-websocket",
      "--input-type=module",
      "--eval",
      script,
    ]);
    expect(stdout).toBe("pong from s");
  });
});

describe("the package", { timeout: 60_000 }, () => {
  it.each(["web.js", "web.min.js", "bun.js", "web/web.js", "web/workerd.js"])(
    "dist/%s exports the same names as dist/node.js",
    async (name) => {
      expect(await exportsOf(join(dist, name))).toEqual(await exportsOf(join(dist, "node.js")));
    },
  );

  it("the name of the package resolves to dist/node.js in Node", async () => {
    expect(await evaluate('import.meta.resolve("oslo-messaging")')).toBe(pathToFileURL(join(dist, "node.js")).href);
  });

  it("the package runs as a command", async () => {
    // a cache of its own, and no build by npm's prepare: other tests use dist at the same time
    const cache = await mkdtemp(join(tmpdir(), "oslo-npx-"));
    const env = {
      ...process.env,
      npm_config_cache: cache,
      npm_config_ignore_scripts: "true",
      npm_config_offline: "true",
    };
    try {
      const { stdout } = await run("npx", ["oslo-messaging", "--help"], { cwd: ROOT, env });
      for (const name of ["intermediary", "serve", "call", "cast", "notify", "listen"]) expect(stdout).toContain(name);
    } finally {
      await rm(cache, { recursive: true });
    }
  });

  it("every file that contains rhea has its copyright", async () => {
    const names = (await readdir(dist)).filter((name) => name.endsWith(".js"));
    for (const name of names) {
      const text = await readFile(join(dist, name), "utf8");
      if (text.includes("Connection.prototype")) expect(text, name).toContain("Copyright 2015 Red Hat Inc.");
    }
    expect(await readFile(join(ROOT, "NOTICE"), "utf8")).toContain("Copyright 2015 Red Hat Inc.");
  });

  it("npm pack contains the needed files, and no others, in at most 3 MB", async () => {
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT });
    const [{ files, unpackedSize }] = JSON.parse(stdout);
    expect(unpackedSize).toBeLessThan(3_000_000);
    const paths = files.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(expect.arrayContaining(["package.json", "NOTICE", "LICENSE", "dist/node.js", "dist/web.js"]));
    expect(
      paths.filter(
        (path: string) => !/^(package\.json|NOTICE|LICENSE|README\.md|dist\/.+\.js|dist\/.+\.d\.ts)$/.test(path),
      ),
    ).toEqual([]);
  });
});

/** Runs an expression as a module in a process of its own, in the package's folder. */
async function evaluate<T>(expression: string): Promise<T> {
  const script = `process.stdout.write(JSON.stringify(${expression}));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: ROOT });
  return JSON.parse(stdout);
}

async function exportsOf(path: string): Promise<string[]> {
  return await evaluate<string[]>(`Object.keys(await import(${JSON.stringify(pathToFileURL(path).href)})).sort()`);
}
