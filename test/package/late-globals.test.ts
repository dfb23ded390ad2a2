import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import vm from "node:vm";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { ROOT } from "@/test/fixtures/project.js";

const NEVER = (): void => {};

/** What the package needs of a runtime to carry a call. The clock stands still, and timers and microtasks never run. */
const GLOBALS: Readonly<Record<string, unknown>> = {
  AbortController,
  Buffer,
  TextDecoder,
  TextEncoder,
  atob,
  btoa,
  console,
  crypto,
  performance: { now: () => 0 },
  ...Object.fromEntries(
    ["setTimeout", "setInterval", "clearTimeout", "clearInterval", "queueMicrotask"].map((name) => [name, NEVER]),
  ),
};

const CALLS = 2_000;

/** Calls over a memory bus, and then closes all its parts. */
const PROGRAM = `(async () => {
  const intermediary = new all.Intermediary({ kind: "router" });
  const dialers = { "amqp+memory": all.memoryDial(intermediary.accept) };
  const transport = all.getRpcTransport("amqp+memory://here/", { dialers });
  const server = all.getRpcServer(transport, { topic: "calc", server: "s" }, [{ add: (_, { a, b }) => a + b }]);
  await server.start();
  const client = all.getRpcClient(transport, { topic: "calc" });
  let sum = 0;
  for (let i = 0; i < ${CALLS}; i++) sum += await client.call({}, "add", { a: 1, b: 1 });
  const text = "\\u20ac".repeat(99);
  const echoed = await client.call({}, "add", { a: text, b: "" });
  await server.stop();
  await server.wait();
  await transport.close();
  await intermediary.close();
  return [sum, echoed === text];
})()`;

/** What exists in Node and Deno from the start. */
const NODE = { process, require: createRequire(join(ROOT, "package.json")) };
const DENO = { Deno: { permissions: { querySync: () => ({ state: "denied" }) }, pid: 1 } };

const web = readdirSync(join(ROOT, "dist/web")).filter((name) => name.endsWith(".js") && !name.startsWith("chunk-"));

describe("an import before the globals exist", { timeout: 60_000 }, () => {
  test.each(["dist/web.js", "dist/web.min.js", "dist/rabbit.min.js", ...web.map((name) => `dist/web/${name}`)])(
    "%s is imported where no global of a runtime exists",
    async (path) => {
      const external = () => ({}); // of "cloudflare:sockets"
      const context = vm.createContext({ require: external, ...(path.endsWith("deno.js") && DENO) });
      vm.runInContext(await scriptOf(`export * from "./${path}";`, "browser"), context);
    },
  );

  test.each([
    { platform: "browser", files: ["dist/web/web.js", "dist/web/intermediary.js"], atImport: {} },
    { platform: "node", files: ["dist/node.js", "dist/intermediary.js"], atImport: NODE },
  ] as const)(
    "a memory bus for $platform carries calls by globals that were added after the import, and without timers",
    async ({ platform, files, atImport }) => {
      const contents = files.map((file) => `export * from "./${file}";`).join("\n");
      const context = vm.createContext(atImport);
      vm.runInContext(await scriptOf(contents, platform), context);
      Object.assign(context, GLOBALS);
      expect(await vm.runInContext(PROGRAM, context)).toEqual([2 * CALLS, true]);
    },
  );
});

// The fakes of Vitest and Jest clear native timers too.
test("the sources look up timer functions at each use: fake timers may be installed and removed at any time", () => {
  const paths = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  const kept = paths.flatMap((path) => {
    const text = readFileSync(join(ROOT, "src", path), "utf8").replace(/typeof \w+|^ *(?:\/\/|\/?\*).*$/gm, "");
    return (text.match(/\b(?:set|clear)(?:Timeout|Interval|Immediate)\b(?!\().*/g) ?? []).map(
      (use) => `${path}: ${use}`,
    );
  });
  expect(kept).toEqual([]);
});

/** A script for `node:vm` that sets `all` to the exports of a module. */
async function scriptOf(contents: string, platform: "browser" | "node"): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    format: "iife",
    globalName: "all",
    platform,
    external: ["cloudflare:sockets", "ws", "isomorphic-ws"],
    write: false,
    logLevel: "error", // hides warnings of unused imports: the package has no side effects
  });
  return outputFiles[0]?.text ?? "";
}
