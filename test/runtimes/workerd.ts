import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import workerd from "workerd";
import { Child, leashed } from "../support/child.js";
import { bundled, ROOT } from "./command-line.js";
import type { Performance } from "./runtime-suite.js";

export interface WorkerdOptions {
  /** Of compatibility. Absent: none. */
  flags?: readonly string[] | undefined;
  /** The file of a CA whose certificates it takes. */
  caFile?: string | undefined;
  /** What its handlers get as `env`. */
  environment?: Readonly<Record<string, string>> | undefined;
}

/** A performance by workerd: by a worker that is asked for it by HTTP. */
export function byWorkerd(name: string, options: WorkerdOptions): Performance {
  return async (setting, tell) => {
    await using running = await RunningWorkerd.start(name, "worker.ts", options);
    const { ok, status, body } = await fetch(running.url, { method: "POST", body: JSON.stringify(setting) });
    if (!ok || body === null) throw new Error(`${name} answered with ${status}: ${running.stderr}`);
    const lines = createInterface({ input: Readable.fromWeb(body as ReadableStream) });
    for await (const line of lines) tell(JSON.parse(line));
  };
}

/** A worker that answers HTTP. */
export class RunningWorkerd implements AsyncDisposable {
  readonly #child: Child;
  readonly #folder: string;
  #port: unknown;

  private constructor(child: Child, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  static async start(name: string, worker: string, options: WorkerdOptions): Promise<RunningWorkerd> {
    const program = await bundled(worker);
    const folder = await mkdtemp(join(ROOT, ".cache/runtimes/workerd-"));
    await writeFile(join(folder, "config.capnp"), await configOf(program, folder, options));
    const command = leashed([workerd, "serve", "--control-fd=1", join(folder, "config.capnp")]);
    const running = new RunningWorkerd(new Child({ name, command }), folder);
    try {
      await running.#listening();
      return running;
    } catch (error) {
      await running[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #listening(): Promise<void> {
    this.#port = await this.#child.waitForJson("its port", ({ event, port }) =>
      event === "listen" ? port : undefined,
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  get stderr(): string {
    return this.#child.stderr;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
    await rm(this.#folder, { recursive: true });
  }
}

async function configOf(
  program: string,
  folder: string,
  { flags = [], caFile, environment = {} }: WorkerdOptions,
): Promise<string> {
  const embed = (path: string): string => `embed ${JSON.stringify(relative(folder, path))}`;
  const modules = [{ name: "worker.js", source: embed(program) }, ...(await library(embed))];
  const esModules = modules.map(({ name, source }) => `(name = ${JSON.stringify(name)}, esModule = ${source})`);
  const bindings = Object.entries(environment).map(
    ([name, text]) => `(name = "${name}", text = ${JSON.stringify(text)})`,
  );
  const trusted = caFile === undefined ? "" : embed(caFile);
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "internet", network = (allow = ["private"], tlsOptions = (trustedCertificates = [${trusted}]))),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);

const worker :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  compatibilityFlags = ${JSON.stringify(flags)},
  bindings = [${bindings.join(", ")}],
  modules = [
    ${esModules.join(",\n    ")},
  ],
);
`;
}

/** The files of the library, and the names of the package for those that the condition `workerd` of its exports leads to. */
async function library(embed: (path: string) => string): Promise<{ name: string; source: string }[]> {
  const { exports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  const root = exports["."].workerd;
  const entries = [
    { name: "oslo-messaging", path: root },
    { name: "oslo-messaging/tcp", path: exports["./tcp"].workerd },
  ];
  const folder = dirname(root);
  const files = (await readdir(join(ROOT, folder))).filter((name) => name.endsWith(".js"));
  const reexport = (name: string, path: string) => `export * from "./${relative(dirname(name), path)}";`;
  return [
    ...entries.map(({ name, path }) => ({ name, source: JSON.stringify(reexport(name, path)) })),
    ...files.map((file) => ({ name: join(folder, file), source: embed(join(ROOT, folder, file)) })),
  ];
}
