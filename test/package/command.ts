import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Child } from "../support/child.js";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

export interface Finished {
  status: number | undefined;
  stdout: string;
  stderr: string;
}

/** Runs the built command until it ends by itself. */
export function oslo(...args: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, ...args], { timeout: 25_000 }, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode ?? undefined, stdout, stderr });
    });
  });
}

/** The built command, running until it is told to end. */
export class Running implements AsyncDisposable {
  readonly #child: Child;

  constructor(...args: readonly string[]) {
    this.#child = new Child({ name: `oslo-messaging ${args[0]}`, command: [process.execPath, CLI, ...args] });
  }

  /** Starts `serve` or `listen`, and resolves when it says that it is ready. */
  static async ready(...args: readonly string[]): Promise<Running> {
    const running = new Running(...args);
    await running.line("readiness", ({ ready }) => (ready === true ? ready : undefined));
    return running;
  }

  /** The next line of stdout that `pick` wants. */
  line<T>(what: string, pick: (line: Readonly<Record<string, unknown>>) => T | undefined): Promise<T> {
    return this.#child.waitForJson(what, pick);
  }

  get stderr(): string {
    return this.#child.stderr;
  }

  get ended(): Promise<number | undefined> {
    return this.#child.exited;
  }

  /** As Ctrl-C does. Resolves with the exit status. */
  interrupt(): Promise<number | undefined> {
    return this.end("SIGINT");
  }

  async end(signal: "SIGINT" | "SIGTERM"): Promise<number | undefined> {
    this.#child.kill(signal);
    return await this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.stop();
  }
}

/** An `intermediary` that listens. */
export class RunningIntermediary extends Running {
  tcp = "";
  ws = "";

  static async start(...args: readonly string[]): Promise<RunningIntermediary> {
    const running = new RunningIntermediary("intermediary", ...args);
    const ports = await running.line("its ports", (line) => ("tcp" in line ? line : undefined));
    running.tcp = `127.0.0.1:${ports["tcp"]}`;
    running.ws = `127.0.0.1:${ports["ws"]}`;
    return running;
  }
}
