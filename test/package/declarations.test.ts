import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { importsOf } from "./source.js";

const types = join(import.meta.dirname, "../../dist/types");
const entry = join(types, "entry/node.d.ts");

describe("the public declarations", { timeout: 60_000 }, () => {
  it("compile for somebody who has no types of Node", () => {
    const program = ts.createProgram([entry], {
      strict: true,
      exactOptionalPropertyTypes: true,
      types: [],
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"],
    });
    const faults = ts.getPreEmitDiagnostics(program);
    expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  });

  it("have nothing of what is internal", async () => {
    const texts = await Promise.all([...(await reachable(entry)).keys()].map((path) => readFile(path, "utf8")));
    expect(texts.filter((text) => text.includes("@internal"))).toEqual([]);
  });

  it("import nothing but one another", async () => {
    const declarations = await reachable(entry);
    expect(declarations.size).toBeGreaterThan(5);
    const foreign = [...declarations].flatMap(([path, imports]) =>
      imports.filter((specifier) => !specifier.startsWith(".")).map((specifier) => `${path} imports ${specifier}`),
    );
    expect(foreign).toEqual([]);
  });
});

/** The file and what it imports, and so on, each with its imports. */
async function reachable(path: string, seen = new Map<string, readonly string[]>()): Promise<typeof seen> {
  if (seen.has(path)) return seen;
  const imports = await importsOf(path);
  seen.set(path, imports);
  for (const specifier of imports) {
    if (specifier.startsWith(".")) await reachable(join(dirname(path), specifier.replace(/\.js$/, ".d.ts")), seen);
  }
  return seen;
}
