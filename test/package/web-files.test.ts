import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ROOT } from "@/test/fixtures/project.js";
import { importsOf, nodeGlobalsOf } from "@/test/fixtures/source.js";

const dist = join(ROOT, "dist");

/** Files without chunks, each with its imports. */
const ALONE = new Map([
  ["web.js", []],
  ["web.min.js", []],
  ["rabbit.min.js", ["./web.min.js"]],
]);

const CHUNK = /^\.\/[\w-]+\.js$/;

/** A module of another runtime than Node. */
const FOREIGN = /^cloudflare:/;

/** Files for Deno only: they read its globals. */
const DENOS = /[/-]deno\.js$/;

const inDist = await scriptsIn(dist);
const inWeb = await scriptsIn(join(dist, "web"));
const web = [...[...ALONE.keys()].map((name) => join(dist, name)), ...inWeb];
const imports = new Map(await Promise.all(web.map(async (path) => [path, await importsOf(path)] as const)));

describe("every file for runtimes without Node", { timeout: 60_000 }, () => {
  it("every web file imports only chunks and modules of its runtime", () => {
    for (const [path, names] of imports) {
      const isAllowed = (name: string): boolean => CHUNK.test(name) || FOREIGN.test(name);
      expect(names, path).toEqual(ALONE.get(relative(dist, path)) ?? names.filter(isAllowed));
    }
  });

  it("every web file reads no global of Node", async () => {
    expect(await eachOf(web, nodeGlobalsOf)).toEqual([]);
  });

  it("every web file evaluates without process and Buffer, and without code generation from strings", async () => {
    const paths = web.filter((path) => !DENOS.test(path) && !imports.get(path)?.some((name) => FOREIGN.test(name)));
    const script = `
      const { stdout } = process;
      for (const name of ["process", "Buffer", "global"]) delete globalThis[name];
      const modules = await Promise.all(${JSON.stringify(paths.map((path) => pathToFileURL(path)))}.map((url) => import(url)));
      stdout.write(String(modules.length));`;
    const flags = ["--disallow-code-generation-from-strings", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, flags);
    expect(stdout).toBe(String(paths.length));
  });
});

describe("no module, and so no class, is there twice", { timeout: 60_000 }, () => {
  it.each([
    ["dist", inDist.filter((path) => !ALONE.has(relative(dist, path)))],
    ["dist/web", inWeb],
  ])("no module is contained twice in %s", async (_name, paths) => {
    const sources = await eachOf(paths, sourcesOf);
    expect(sources).toContain("src/driver/target.ts");
    expect(sources.filter((source, at) => sources.indexOf(source) !== at)).toEqual([]);
  });
});

async function scriptsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(".js")).map((name) => join(folder, name));
}

async function eachOf<T, R>(items: readonly T[], find: (item: T) => Promise<readonly R[]>): Promise<R[]> {
  return (await Promise.all(items.map(find))).flat();
}

/** The files that a bundle is made of: esbuild writes the path of each in a comment above its parts. */
async function sourcesOf(path: string): Promise<string[]> {
  const comments = (await readFile(path, "utf8")).matchAll(/^\/\/ (\S+\.[jt]s)$/gm);
  return [...new Set(Array.from(comments, ([, source = ""]) => source))];
}
