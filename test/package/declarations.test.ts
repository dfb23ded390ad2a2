import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "@/test/fixtures/project.js";
import { importsOf } from "@/test/fixtures/source.js";

const types = join(ROOT, "dist/types");
const entries = [
  "node",
  "web",
  "tcp-node",
  "rabbit",
  "intermediary-node",
  "intermediary-web",
  "conf-node",
  "conf-web",
].map((name) => join(types, `entry/${name}.d.ts`));

const PAGES = ["vite/src/main.ts", "esbuild/src/app.ts"].map((path) => join(ROOT, "test/consumers", path));
const SERVICE = [join(ROOT, "test/types/service.ts")];
const ROOT_ONLY = [join(ROOT, "test/types/root.ts")];
const { CommonJS, NodeNext, ESNext } = ts.ModuleKind;

/** Users of the package by its name, with their compiler options. */
const CONSUMERS: readonly Consumer[] = [
  { who: "a page", files: PAGES, lib: ["es2022", "dom", "dom.iterable"], module: ESNext },
  { who: "a page that is resolved as by Node", files: PAGES, lib: ["es2023", "dom"], module: NodeNext },
  { who: "a service", files: SERVICE, lib: ["es2023"], ambient: ["node"], module: NodeNext },
  {
    who: "a service that is bundled for Node",
    files: SERVICE,
    lib: ["es2023"],
    ambient: ["node"],
    module: ESNext,
    customConditions: ["node"],
  },
  { who: "an old page", files: PAGES, lib: ["es2020", "dom"], module: ESNext },
  {
    who: "an old service that is resolved as by Node 10",
    files: ROOT_ONLY,
    lib: ["es2020"],
    ambient: ["node"],
    module: CommonJS,
  },
  {
    who: "all declarations, in a worker",
    files: entries,
    lib: ["es2023", "webworker"],
    module: ESNext,
    customConditions: ["workerd", "worker", "browser"],
  },
];

interface Consumer {
  who: string;
  files: readonly string[];
  lib: readonly string[];
  /** Packages whose types are everywhere. */
  ambient?: string[];
  module: ts.ModuleKind;
  customConditions?: string[];
}

const installed = mkdtempSync(join(tmpdir(), "oslo-declarations-"));
mkdirSync(join(installed, "node_modules"));
symlinkSync(ROOT, join(installed, "node_modules/oslo-messaging"));
afterAll(() => rm(installed, { recursive: true }));

describe("the public declarations", { timeout: 120_000 }, () => {
  it.each(CONSUMERS)("the declarations compile for $who", ({ files, lib, ambient = [], module, customConditions }) => {
    const options: ts.CompilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: ambient,
      target: ts.ScriptTarget.ES2022,
      module,
      ...(module === ESNext && { moduleResolution: ts.ModuleResolutionKind.Bundler }),
      ...(module === CommonJS && {
        moduleResolution: ts.ModuleResolutionKind.Node10,
        esModuleInterop: true,
        ignoreDeprecations: "6.0",
      }),
      ...(customConditions && { customConditions }),
      lib: lib.map((name) => `lib.${name}.d.ts`),
    };
    const program = ts.createProgram(files, options, hostWithPackage(options));
    expect(program.getSourceFile(join(types, "driver/transport.d.ts"))).toBeDefined();
    const faults = ts.getPreEmitDiagnostics(program);
    expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  });

  it("the declarations contain no names of Node and rhea", async () => {
    const declarations = await allDeclarations();
    const found = [...declarations.keys()].flatMap((path) => {
      const text = ts.sys.readFile(path) ?? "";
      const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
      const code = ts.createPrinter({ removeComments: true }).printFile(tree);
      const names = code.match(/\b(Buffer|NodeJS|node:\w+|rhea)\b/g) ?? [];
      return [...names, ...tree.typeReferenceDirectives.map(({ fileName }) => fileName)].map(
        (name) => `${path}: ${name}`,
      );
    });
    expect(found).toEqual([]);
  });

  it("the declarations contain no @internal members", async () => {
    const declarations = await allDeclarations();
    const texts = await Promise.all([...declarations.keys()].map((path) => readFile(path, "utf8")));
    expect(texts.filter((text) => text.includes("@internal"))).toEqual([]);
  });

  it("the declarations import only each other", async () => {
    const declarations = await allDeclarations();
    expect(declarations.size).toBeGreaterThan(5);
    const foreign = [...declarations].flatMap(([path, imports]) =>
      imports.filter((specifier) => !specifier.startsWith(".")).map((specifier) => `${path} imports ${specifier}`),
    );
    expect(foreign).toEqual([]);
  });
});

describe("the options of [oslo_messaging_amqp]", { timeout: 60_000 }, () => {
  it("every option of [oslo_messaging_amqp] has a doc comment", { tags: ["options:help"] }, () => {
    const path = join(types, "driver/options/option-table.d.ts");
    const program = ts.createProgram([path], { strict: true, types: [] });
    const checker = program.getTypeChecker();
    const alias = program.getSourceFile(path)?.statements.find(isAmqpOptions);
    const options = alias === undefined ? [] : checker.getTypeAtLocation(alias).getProperties();
    const silent = options.filter((option) => option.getDocumentationComment(checker).length === 0);
    expect(options.map(({ name }) => name)).toContain("idleTimeoutMs");
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});

/** Resolves the package's name as in a folder where it is installed. */
function hostWithPackage(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const within = join(installed, "consumer.ts");
  host.resolveModuleNameLiterals = (names, path, _redirect, _options, file) =>
    names.map((name) => {
      const from = name.text.startsWith("oslo-messaging") ? within : path;
      const mode = ts.getModeForUsageLocation(file, name, options);
      return ts.resolveModuleName(name.text, from, options, host, undefined, undefined, mode);
    });
  return host;
}

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
