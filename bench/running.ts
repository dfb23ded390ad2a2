import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeTrimmedRhea } from "../scripts/rhea.mjs";
import type { Measured, Round } from "./peer.js";

const SOURCE = fileURLToPath(new URL("./peer.ts", import.meta.url));
const RHEA = fileURLToPath(new URL("../.cache/rhea/connection.mjs", import.meta.url));
const PEER = fileURLToPath(new URL("../.cache/bench/peer.mjs", import.meta.url));
const PYTHON_PEER = fileURLToPath(new URL("./python_peer.py", import.meta.url));

/** The Python of Debian's oslo.messaging. */
export const PYTHON = "/usr/bin/python3";
/** The contender whose ends python_peer.py runs. */
export const PYTHON_CONTENDER = "Python at RabbitMQ";

/** Bundles the peers as the package is bundled: a loader that compiles at run time would be measured too. */
export async function buildPeers(): Promise<void> {
  await build({
    entryPoints: [SOURCE],
    outfile: PEER,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    alias: { "rhea/lib/connection.js": await writeTrimmedRhea(RHEA) },
  });
}

/** A contender with a running server and client, each in its own process. */
export class Running {
  readonly name: string;
  readonly #server: ChildProcess;
  readonly #client: ChildProcess;

  private constructor(name: string, server: ChildProcess, client: ChildProcess) {
    this.name = name;
    this.#server = server;
    this.#client = client;
  }

  /** Starts both processes. `address` is passed to the server. */
  static async start(name: string, address: string): Promise<Running> {
    const server = start(name, "serve", address);
    const { address: served } = (await message(server)) as { address: string };
    const client = start(name, "call", served);
    await message(client);
    return new Running(name, server, client);
  }

  async round(round: Round): Promise<Measured> {
    this.#client.send(round);
    return (await message(this.#client)) as Measured;
  }

  stop(): void {
    this.#client.disconnect();
    this.#server.disconnect();
  }
}

function start(name: string, role: string, address: string): ChildProcess {
  const [command, ...args] =
    name === PYTHON_CONTENDER
      ? ([PYTHON, "-B", PYTHON_PEER, "--url", address, "--role", role] as const)
      : ([process.execPath, PEER, name, role, address] as const);
  return spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

function message(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a peer exited with status ${code}`));
    child.once("exit", onExit);
    child.once("message", (value) => {
      child.off("exit", onExit);
      resolve(value);
    });
  });
}
