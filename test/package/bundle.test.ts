import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
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
  it.each(["web.js", "bun.js", "web/web.js", "web/workerd.js"])(
    "dist/%s exports the same names as dist/node.js",
    async (name) => {
      expect(await exportsOf(join(dist, name))).toEqual(await exportsOf(join(dist, "node.js")));
    },
  );

  it("dist/web.min.js exports the same names, and what dist/rabbit.min.js shares with it", async () => {
    const [internals, ...others] = (await exportsOf(join(dist, "web.min.js"))).sort(internalsFirst);
    expect(internals).toMatch(/^internals_\d+_\d+_\d+_[0-9a-f]{6}$/);
    expect(others).toEqual(await exportsOf(join(dist, "node.js")));
    expect(await exportsOf(join(dist, "rabbit.min.js"))).toEqual(["rabbit"]);
  });

  it("dist/rabbit.min.js beside another build's web.min.js is refused by name when it is loaded", async () => {
    const folder = await mkdtemp(join(tmpdir(), "oslo-mixed-"));
    try {
      await writeFile(join(folder, "package.json"), '{ "type": "module" }');
      await copyFile(join(dist, "rabbit.min.js"), join(folder, "rabbit.min.js"));
      const text = await readFile(join(dist, "web.min.js"), "utf8");
      await writeFile(join(folder, "web.min.js"), text.replace(/\binternals_\w+/, "internals_9_9_9_012345"));
      await expect(exportsOf(join(folder, "rabbit.min.js"))).rejects.toThrow(
        /requested module '\.\/web\.min\.js' does not provide an export named 'internals_\d+_\d+_\d+_[0-9a-f]{6}'/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

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

function internalsFirst(a: string, b: string): number {
  return Number(b.startsWith("internals_")) - Number(a.startsWith("internals_"));
}

/** Runs an expression as a module in a process of its own, in the package's folder. */
async function evaluate<T>(expression: string): Promise<T> {
  const script = `process.stdout.write(JSON.stringify(${expression}));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: ROOT });
  return JSON.parse(stdout);
}

async function exportsOf(path: string): Promise<string[]> {
  return await evaluate<string[]>(`Object.keys(await import(${JSON.stringify(pathToFileURL(path).href)})).sort()`);
}
