import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { importsOf } from "./source.js";

const types = join(import.meta.dirname, "../../dist/types");
const entries = ["node", "conf-node"].map((name) => join(types, `entry/${name}.d.ts`));

describe("the public declarations", { timeout: 60_000 }, () => {
  it("compile for somebody who has no types of Node", () => {
    const program = ts.createProgram(entries, {
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
    const declarations = await allDeclarations();
    const texts = await Promise.all([...declarations.keys()].map((path) => readFile(path, "utf8")));
    expect(texts.filter((text) => text.includes("@internal"))).toEqual([]);
  });

  it("import nothing but one another", async () => {
    const declarations = await allDeclarations();
    expect(declarations.size).toBeGreaterThan(5);
    const foreign = [...declarations].flatMap(([path, imports]) =>
      imports.filter((specifier) => !specifier.startsWith(".")).map((specifier) => `${path} imports ${specifier}`),
    );
    expect(foreign).toEqual([]);
  });
});

describe("the options of [oslo_messaging_amqp]", { timeout: 60_000 }, () => {
  it("each tell an editor what they mean", { tags: ["options:help"] }, () => {
    const path = join(types, "driver/option-table.d.ts");
    const program = ts.createProgram([path], { strict: true, types: [] });
    const checker = program.getTypeChecker();
    const alias = program.getSourceFile(path)?.statements.find(isAmqpOptions);
    const options = alias === undefined ? [] : checker.getTypeAtLocation(alias).getProperties();
    const silent = options.filter((option) => option.getDocumentationComment(checker).length === 0);
    expect(options.map(({ name }) => name)).toContain("idleTimeoutMs");
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});

function isAmqpOptions(node: ts.Statement): node is ts.TypeAliasDeclaration {
  return ts.isTypeAliasDeclaration(node) && node.name.text === "AmqpOptions";
}

async function allDeclarations(): Promise<Map<string, readonly string[]>> {
  const declarations = new Map<string, readonly string[]>();
  for (const entry of entries) await reachable(entry, declarations);
  return declarations;
}

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
