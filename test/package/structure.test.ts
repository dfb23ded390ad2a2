import { readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { SourceFile } from "./source-file.js";

const src = join(import.meta.dirname, "../../src");

/** Which rooms the files of a room may import from, besides their own. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  transports: ["core"],
  driver: ["core"],
  intermediary: ["core"],
  entry: ["core", "transports", "driver", "intermediary"],
  cli: ["core", "transports", "driver", "intermediary", "entry"],
};

/** The only files that may know Node: the others run in a browser. */
const nodeFiles = [/^transports\/(tcp.*|websocket-listener)\.ts$/, /^entry\/node\.ts$/, /^cli\//];

/** Which files may import a package. */
const packages: Readonly<Record<string, readonly RegExp[]>> = {
  rhea: [/^core\/control\.ts$/],
  ws: [/^transports\/websocket-listener\.ts$/, /^entry\/node\.ts$/],
  "isomorphic-ws": [/^entry\/node\.ts$/],
  commander: [/^cli\//],
};

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path, file: new SourceFile(join(src, path)) }));

describe("the sources", () => {
  it("are all in a room", () => {
    expect(files.map(({ path }) => path).filter((path) => !(roomOf(path) in mayImport))).toEqual([]);
  });

  it("import from rooms below only", () => {
    const wrong = files.flatMap(({ path, file }) =>
      file.imports
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => relative(src, join(src, dirname(path), specifier)))
        .filter((imported) => !isAllowed(roomOf(path), roomOf(imported)))
        .map((imported) => `${path} imports ${imported}`),
    );
    expect(wrong).toEqual([]);
  });

  it("import a package only where it belongs", () => {
    const wrong = files.flatMap(({ path, file }) =>
      file.imports
        .filter((specifier) => !/^(\.|node:)/.test(specifier))
        .filter((specifier) => !isOneOf(packages[packageOf(specifier)] ?? [], path))
        .map((specifier) => `${path} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it("know Node only where they may", () => {
    const wrong = files
      .filter(({ path }) => !isOneOf(nodeFiles, path))
      .flatMap(({ path, file }) => nodeNamesOf(path, file).map((name) => `${path} uses ${name}`));
    expect(wrong).toEqual([]);
  });
});

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

/** rhea takes Buffers, and the web build has one of its own for it. */
function nodeNamesOf(path: string, file: SourceFile): string[] {
  const names = ["process", "global", "require", "NodeJS", "__dirname", "__filename"];
  if (path !== "core/control.ts") names.push("Buffer");
  return [
    ...file.imports.filter((specifier) => specifier.startsWith("node:")),
    ...names.filter((name) => file.names.has(name)),
  ];
}
