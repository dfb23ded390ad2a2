import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { transform } from "esbuild";
import { describe, expect, it } from "vitest";
import { SourceFile } from "./source-file.js";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const dist = join(root, "dist");
const web = join(dist, "web.js");

describe("dist/web.js", () => {
  it("imports nothing", () => {
    expect(new SourceFile(web).imports).toEqual([]);
  });

  it("reads no global of Node", async () => {
    expect(await nodeGlobalsOf(web)).toEqual([]);
  });

  it("does not mention Node's modules", async () => {
    expect(await readFile(web, "utf8")).not.toContain("node:");
  });

  it("evaluates where there is neither process nor Buffer", async () => {
    expect(await exportsOf(web, "delete globalThis.process; delete globalThis.Buffer;")).not.toEqual([]);
  });

  it("offers the same names as dist/node.js", async () => {
    expect(await exportsOf(web)).toEqual(await exportsOf(join(dist, "node.js")));
  });
});

describe("the package", () => {
  it("is what its own name resolves to in Node", async () => {
    expect(await evaluate("", 'import.meta.resolve("oslo-messaging")')).toBe(pathToFileURL(join(dist, "node.js")).href);
  });

  it("runs as a command", async () => {
    const { stdout } = await run("npx", ["oslo-messaging", "--help"], { cwd: root });
    for (const command of ["intermediary", "serve", "call", "cast", "notify", "listen"])
      expect(stdout).toContain(command);
  });

  it("has every class once in what Node and the command load", async () => {
    const names = (await readdir(dist)).filter((name) => name.endsWith(".js") && name !== "web.js");
    const texts = await Promise.all(names.map((name) => readFile(join(dist, name), "utf8")));
    const classes = texts.flatMap((text) => classNames(text));
    expect(classes).toContain("RemoteError");
    expect(classes.filter((name, index) => classes.indexOf(name) !== index)).toEqual([]);
  });

  it("keeps rhea's copyright in everything that contains rhea", async () => {
    const names = (await readdir(dist)).filter((name) => name.endsWith(".js"));
    for (const name of names) {
      const text = await readFile(join(dist, name), "utf8");
      if (text.includes("Connection.prototype")) expect(text, name).toContain("Copyright 2015 Red Hat Inc.");
    }
    expect(await readFile(join(root, "NOTICE"), "utf8")).toContain("Copyright 2015 Red Hat Inc.");
  });

  it("packs what it needs, and nothing else", async () => {
    const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root });
    const [{ files }] = JSON.parse(stdout);
    const paths = files.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(expect.arrayContaining(["package.json", "NOTICE", "LICENSE", "dist/node.js", "dist/web.js"]));
    expect(paths.filter((path: string) => !/^(package\.json|NOTICE|LICENSE|README\.md|dist\/.+)$/.test(path))).toEqual(
      [],
    );
  });
});

/** Runs an expression as a module in a process of its own, in the package's folder. */
async function evaluate(before: string, expression: string): Promise<unknown> {
  const script = `const { stdout } = process; ${before} stdout.write(JSON.stringify(${expression}));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], { cwd: root });
  return JSON.parse(stdout);
}

async function exportsOf(path: string, before = ""): Promise<unknown> {
  return await evaluate(before, `Object.keys(await import(${JSON.stringify(pathToFileURL(path).href)})).sort()`);
}

/** Which of Node's globals a module reads: esbuild replaces a defined name only where nothing in the module declares it. */
async function nodeGlobalsOf(path: string): Promise<string[]> {
  const names = ["process", "Buffer", "global", "require", "module", "exports", "__dirname", "__filename"];
  const define = Object.fromEntries(names.map((name) => [name, `FOUND_${name}`]));
  const { code } = await transform(await readFile(path, "utf8"), { define, format: "esm" });
  return names.filter((name) => code.includes(`FOUND_${name}`));
}

function classNames(text: string): string[] {
  return [...text.matchAll(/^(?:var (\w+) = )?class (\w+)?/gm)].map(([, variable, name]) => variable ?? name ?? "");
}
