import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { ROOT } from "@/test/fixtures/project.js";

const { exports: subpaths } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  exports: Readonly<Record<string, Subpath | string>>;
};

/** Files by condition; types may depend on the other conditions. */
type Subpath = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** The first match wins: some workers match `browser` too, and Deno and Bun match `node`. */
const ORDER = ["types", "workerd", "edge-light", "deno", "bun", "browser", "node", "default"];

const LISTENERS = ["listenTcp", "listenWebSocket"];
const BY_CONDITION = [".", "./tcp", "./rabbit", "./intermediary", "./conf"];

describe("package.json's exports", () => {
  it("the conditions of all exports have the same order", () => {
    for (const subpath of Object.values(subpaths)) {
      if (typeof subpath === "string") continue;
      for (const conditions of [subpath, subpath["types"]]) {
        if (typeof conditions !== "object") continue;
        const order = Object.keys(conditions);
        expect(order).toEqual(ORDER.filter((condition) => order.includes(condition)));
      }
    }
  });

  it("the subpaths with conditions have all of them", () => {
    for (const name of [".", "./rabbit", "./intermediary", "./conf"])
      expect(conditionsOf(name)).toEqual(ORDER.slice(1));
  });
});

describe.each(BY_CONDITION)("the names of %s", { timeout: 60_000 }, (name) => {
  it("every condition exports the same names, except listeners where the runtime cannot listen", async () => {
    const all = await namesOf(name, "node");
    for (const condition of conditionsOf(name)) {
      const listens = ["bun", "node"].includes(condition);
      expect(await namesOf(name, condition), condition).toEqual(
        listens ? all : all.filter((one) => !LISTENERS.includes(one)),
      );
    }
  });

  it("the exported names equal those of the types", async () => {
    for (const condition of conditionsOf(name)) {
      expect(typedNamesOf(name, condition), condition).toEqual(await namesOf(name, condition));
    }
  });
});

function filesOf(name: string): Subpath {
  const files = subpaths[name];
  if (typeof files !== "object") throw new Error(`${name} has no conditions`);
  return files;
}

function conditionsOf(name: string): string[] {
  return Object.keys(filesOf(name)).filter((condition) => condition !== "types");
}

/** Names that the file of this condition exports. */
async function namesOf(name: string, condition: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [join(ROOT, String(filesOf(name)[condition]))],
    outdir: ROOT,
    metafile: true,
    write: false,
  });
  return Object.values(metafile.outputs)
    .flatMap(({ exports }) => exports)
    .sort();
}

/** The values that TypeScript sees where a bundler's conditions are these. */
function typedNamesOf(name: string, condition: string): string[] {
  const options: ts.CompilerOptions = {
    noLib: true,
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    customConditions: condition === "default" ? [] : [condition],
  };
  const host = ts.createCompilerHost(options);
  const file = join(ROOT, "names.ts");
  const text = `import * as all from "${join("oslo-messaging", name)}"; export type Names = keyof typeof all;`;
  const { getSourceFile } = host;
  host.getSourceFile = (path, version) =>
    path === file ? ts.createSourceFile(path, text, version) : getSourceFile(path, version);
  const program = ts.createProgram([file], options, host);
  const alias = program.getSourceFile(file)?.statements.find(ts.isTypeAliasDeclaration);
  const names = alias && program.getTypeChecker().getTypeFromTypeNode(alias.type);
  const each = names?.isUnion() ? names.types : [names];
  return each.flatMap((type) => (type?.isStringLiteral() ? [type.value] : [])).sort();
}
