import { readdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { projectPath } from "@/test/fixtures/project.js";
import { globalsOf, importsOf, nodeGlobalsOf } from "@/test/fixtures/source.js";

const src = projectPath("src");

/** Which rooms the files of a room may import from, besides their own. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  transports: ["core"],
  driver: ["core"],
  conf: ["core", "driver"],
  intermediary: ["core"],
  recipes: ["core", "driver", "intermediary"],
  "topology-client": ["core", "driver", "intermediary"],
  entry: ["core", "transports", "driver", "conf", "intermediary", "topology-client"],
  cli: ["core", "transports", "driver", "conf", "intermediary", "recipes", "entry"],
};

/** The only files that may know Node: the others run in a browser. */
const nodeFiles = [/^transports\/node\//, /^entry\/(((conf|tcp|intermediary)-)?node|node-runtime)\.ts$/, /^cli\//];

/** The only files that may know Deno, besides what declares it. */
const denoFiles = [/^transports\/streams\/deno-stream\.ts$/, /^entry\/(conf-)?deno\.ts$/];

/** Which files may import a package. */
const packages: Readonly<Record<string, readonly RegExp[]>> = {
  rhea: [/^core\/connection\/control\//],
  ws: [/^transports\/node\/websocket-listener\.ts$/],
  "isomorphic-ws": [/^transports\/node\/websocket-node\.ts$/],
  "cloudflare:sockets": [/^transports\/streams\/workerd-stream\.ts$/],
  commander: [/^cli\//],
  "js-ini": [/^conf\/ini\.ts$/],
  yaml: [/^conf\/notification-section\.ts$/],
};

interface Source {
  path: string;
  imports: readonly string[];
  nodeGlobals: readonly string[];
  knowsDeno: boolean;
}

describe("the sources", { timeout: 60_000 }, () => {
  let sources: readonly Source[];

  beforeAll(async () => {
    const paths = (await readdir(src, { recursive: true })).filter((path) => path.endsWith(".ts"));
    sources = await Promise.all(paths.map(read));
  }, 60_000);

  it("are all in a room", () => {
    expect(sources.map(({ path }) => path).filter((path) => !(roomOf(path) in mayImport))).toEqual([]);
    expect(new Set(sources.map(({ path }) => roomOf(path)))).toEqual(new Set(Object.keys(mayImport)));
  });

  it("import from rooms below only", () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => relative(src, join(src, dirname(path), specifier)))
        .filter((imported) => !isAllowed(roomOf(path), roomOf(imported)))
        .map((imported) => `${path} imports ${imported}`),
    );
    expect(wrong).toEqual([]);
  });

  it("import a package only where it belongs", () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => !/^(\.|node:)/.test(specifier))
        .filter((specifier) => !isOneOf(packages[packageOf(specifier)] ?? [], path))
        .map((specifier) => `${path} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it("know Node only where they may", () => {
    const wrong = sources
      .filter(({ path }) => !isOneOf(nodeFiles, path))
      .flatMap(({ path, imports, nodeGlobals }) => [
        ...imports.filter((specifier) => specifier.startsWith("node:")).map((name) => `${path} imports ${name}`),
        ...nodeGlobals.map((name) => `${path} uses ${name}`),
      ]);
    // rhea takes Buffers; the web build has one of its own for it
    expect(wrong).toEqual(["core/connection/control/control.ts uses Buffer"]);
  });

  it("know Deno only where they must", () => {
    const wise = sources.filter(({ knowsDeno }) => knowsDeno).map(({ path }) => path);
    expect(wise).toContain("entry/deno.ts");
    expect(wise.filter((path) => !isOneOf(denoFiles, path))).toEqual([]);
  });
});

async function read(path: string): Promise<Source> {
  const file = join(src, path);
  const knowsDeno = (await globalsOf(file, ["Deno"])).length > 0;
  return { path, imports: await importsOf(file), nodeGlobals: await nodeGlobalsOf(file), knowsDeno };
}

function isAllowed(from: string, to: string): boolean {
  return from === to || (mayImport[from] ?? []).includes(to);
}

function isOneOf(patterns: readonly RegExp[], path: string): boolean {
  return patterns.some((pattern) => pattern.test(path));
}

function roomOf(path: string): string {
  return path.split("/")[0] ?? "";
}

function packageOf(specifier: string): string {
  return specifier.split("/")[0] ?? "";
}
