import { dirname, join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { SourceFile } from "./source-file.js";

const types = join(import.meta.dirname, "../../dist/types");
const entry = join(types, "entry/node.d.ts");

describe("the public declarations", () => {
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

  it("name nothing of Node, rhea or ws", () => {
    const files = [...reachable(entry)];
    expect(files.length).toBeGreaterThan(5);
    const wrong = files.flatMap(({ path, imports, names }) => [
      ...imports.filter((specifier) => !specifier.startsWith(".")).map((specifier) => `${path} imports ${specifier}`),
      ...["Buffer", "NodeJS", "process"].filter((name) => names.has(name)).map((name) => `${path} names ${name}`),
    ]);
    expect(wrong).toEqual([]);
  });
});

/** The file and what it imports, and so on. */
function reachable(path: string, seen = new Map<string, SourceFile>()): Iterable<SourceFile> {
  if (seen.has(path)) return [];
  const file = new SourceFile(path);
  seen.set(path, file);
  for (const specifier of file.imports) {
    if (specifier.startsWith(".")) reachable(join(dirname(path), specifier.replace(/\.js$/, ".d.ts")), seen);
  }
  return seen.values();
}
