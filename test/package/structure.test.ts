import { readdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { projectPath } from "@/test/fixtures/project.js";
import { globalsOf, importsOf, nodeGlobalsOf } from "@/test/fixtures/source.js";

const src = projectPath("src");

/** Folders that the files of each folder may import from, besides their own. `driver/*`: with everything below it. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  "core/types": ["core"],
  "core/messages": ["core", "core/types"],
  "core/sasl": ["core", "core/types"],
  "core/sasl/client": ["core", "core/types", "core/sasl"],
  "core/sasl/server": ["core", "core/types", "core/sasl"],
  "core/frames": ["core", "core/types", "core/messages", "core/sasl"],
  "core/links": ["core", "core/types", "core/messages", "core/frames"],
  "core/connection/control": ["core", "core/types", "core/frames", "core/links"],
  "core/connection": ["core", "core/types", "core/sasl/*", "core/frames", "core/links", "core/connection/control"],
  amqp091: ["core", "core/types", "core/sasl", "core/sasl/client", "core/frames", "core/links", "core/connection"],
  transports: ["core"],
  "transports/streams": ["core", "core/types", "transports"],
  "transports/websocket": ["core", "transports"],
  "transports/node": ["core", "core/types", "transports", "transports/websocket"],
  driver: ["core/*", "driver/values", "driver/options"],
  "driver/values": ["core", "core/types", "driver"],
  "driver/options": ["core", "core/types", "core/sasl", "core/frames", "driver", "driver/values", "driver/rabbit"],
  "driver/sending": ["core", "core/messages", "driver", "driver/values"],
  "driver/serving": ["core", "driver", "driver/values", "driver/options"],
  "driver/amqp": ["core/*", "driver", "driver/values", "driver/options", "driver/sending"],
  "driver/rabbit": [
    "core",
    "core/messages",
    "core/types",
    "core/connection",
    "amqp091",
    "driver",
    "driver/values",
    "driver/options",
    "driver/sending",
    "driver/rabbit/amqp091",
    "driver/rabbit/amqp10",
  ],
  "driver/rabbit/amqp10": [
    "core",
    "core/types",
    "core/messages",
    "core/links",
    "core/connection",
    "amqp091",
    "driver/rabbit",
  ],
  "driver/rabbit/amqp091": [
    "core",
    "core/messages",
    "core/sasl",
    "amqp091",
    "driver",
    "driver/values",
    "driver/options",
    "driver/sending",
    "driver/rabbit",
  ],
  "driver/rpc": ["core", "driver", "driver/values", "driver/options", "driver/serving"],
  "driver/notify": ["core", "driver"],
  "driver/notify/sending": ["core", "driver", "driver/values", "driver/options", "driver/notify"],
  "driver/notify/listening": ["core", "driver", "driver/values", "driver/options", "driver/serving", "driver/notify"],
  conf: ["core", "driver", "driver/values", "driver/options", "driver/rabbit", "driver/notify/sending"],
  intermediary: ["core/*"],
  relay: ["core", "transports", "transports/node", "transports/websocket"],
  recipes: ["core", "driver", "driver/options", "driver/rabbit", "intermediary"],
  "topology-client": ["core/*", "driver/*", "intermediary"],
  entry: ["core/*", "amqp091", "transports/*", "driver/*", "conf", "intermediary", "topology-client"],
  cli: ["core", "driver/values", "driver/rabbit", "entry", "cli/commands"],
  "cli/arguments": ["core", "driver/values", "driver/rabbit", "transports/node", "entry", "cli"],
  "cli/check": [
    "core/*",
    "amqp091",
    "driver",
    "driver/amqp",
    "driver/rabbit",
    "driver/sending",
    "intermediary",
    "recipes",
    "entry",
  ],
  "cli/commands": [
    "core",
    "driver/*",
    "transports/node",
    "intermediary",
    "recipes",
    "relay",
    "entry",
    "cli",
    "cli/arguments",
    "cli/check",
  ],
};

/** The only files that may know Node: the others run in a browser. */
const nodeFiles = [
  /^transports\/node\//,
  /^entry\/(((conf|tcp|intermediary)-)?node|node-runtime)\.ts$/,
  /^relay\//,
  /^cli\//,
];

/** The only files that may know Deno, besides what declares it. */
const denoFiles = [/^transports\/streams\/deno-stream\.ts$/, /^entry\/(conf-)?deno\.ts$/];

/** Which files may import a package. */
const packages: Readonly<Record<string, readonly RegExp[]>> = {
  rhea: [/^core\/connection\/control\//],
  ws: [/^transports\/node\/websocket-server\.ts$/, /^relay\//],
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

  it("import one another in one circle of types at most", () => {
    const circles = circlesOf(sources);
    expect(circles.filter((circle) => circle.join() !== "driver/exceptions.ts,driver/target.ts")).toEqual([]);
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
    expect(wrong).toEqual([]);
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

/** Files that import each other, directly or through others: each circle sorted by path. */
function circlesOf(sources: readonly Source[]): string[][] {
  const importsOfFile = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.filter((name) => name.startsWith(".")).map((name) => join(dirname(path), name).replace(/\.js$/, ".ts")),
    ]),
  );
  const reachable = new Map([...importsOfFile.keys()].map((path) => [path, reachedFrom(path, importsOfFile)]));
  const circleOf = (path: string): string[] =>
    [...(reachable.get(path) ?? [])].filter((other) => reachable.get(other)?.has(path)).sort();
  const circles = new Map([...reachable.keys()].map((path) => [circleOf(path).join(), circleOf(path)]));
  return [...circles.values()].filter((circle) => circle.length > 0);
}

function reachedFrom(path: string, importsOfFile: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set<string>();
  const pending = [...(importsOfFile.get(path) ?? [])];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    pending.push(...(importsOfFile.get(next) ?? []));
  }
  return reached;
}

function isAllowed(from: string, to: string): boolean {
  const isIn = (room: string): boolean => `${to}/`.startsWith(room.replace(/\*$/, ""));
  return from === to || (mayImport[from] ?? []).some((room) => (room.endsWith("/*") ? isIn(room) : room === to));
}

function isOneOf(patterns: readonly RegExp[], path: string): boolean {
  return patterns.some((pattern) => pattern.test(path));
}

function roomOf(path: string): string {
  return dirname(path);
}

function packageOf(specifier: string): string {
  return specifier.split("/")[0] ?? "";
}
