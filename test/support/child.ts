import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { toError } from "@/src/core/errors.js";
import { Inbox } from "./inbox.js";

export interface ChildInit {
  /** For messages: which process this is. */
  name: string;
  command: readonly [string, ...string[]];
  env?: Readonly<Record<string, string>> | undefined;
  cwd?: string | undefined;
}

type Json = Readonly<Record<string, unknown>>;

const STOP_LIMIT_MS = 10_000;

/**
 * A process that a test started, read line by line. Closing its standard input is its order to end, so it ends with
 * the test runner too, however that ends. What it wrote on stderr is in every failure's message.
 */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #lines: Inbox<string>;
  #stderr = "";
  /** Resolves with the exit code, undefined when a signal ended it or it could not be started. */
  readonly exited: Promise<number | undefined>;

  constructor({ name, command: [file, ...args], env, cwd }: ChildInit) {
    this.#lines = new Inbox(name);
    const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    this.#process = child;
    child.stdin.on("error", () => {}); // it has ended, and `exited` says so
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-8_000);
    });
    createInterface({ input: child.stdout }).on("line", (line) => this.#lines.put(line));
    this.exited = new Promise((resolve) => {
      const over = (end: string, code: number | undefined): void => {
        this.#lines.end(new Error(`it ${end}`));
        resolve(code);
      };
      child.on("error", (error) => over(`could not be started: ${error.message}`, undefined));
      child.on("close", (code, signal) => over(`ended with ${signal ?? `code ${code}`}`, code ?? undefined));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The last 8,000 characters that it wrote on stderr. */
  get stderr(): string {
    return this.#stderr;
  }

  write(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** The first line, come already or to come, of which `pick` makes something. Rejects as Inbox.take does, with stderr. */
  async waitFor<T>(what: string, pick: (line: string) => T | undefined, timeoutMs?: number): Promise<T> {
    try {
      return await this.#lines.take(what, pick, timeoutMs);
    } catch (error) {
      throw new Error(`${toError(error).message}\nstderr:\n${this.#stderr}`, { cause: error });
    }
  }

  /** As `waitFor`, for a process that writes JSON: lines that are no JSON objects are nobody's. */
  async waitForJson<T>(what: string, pick: (object: Json) => T | undefined, timeoutMs?: number): Promise<T> {
    const read = (line: string): T | undefined => {
      const object = parsed(line);
      return object && pick(object);
    };
    return await this.waitFor(what, read, timeoutMs);
  }

  /** Sends a signal to this process and to no other. */
  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Orders it to end, waits until it has, and ends it by force when that takes more than 10 s. Idempotent. */
  async stop(): Promise<void> {
    this.#process.stdin?.end();
    const force = setTimeout(() => this.#process.kill("SIGKILL"), STOP_LIMIT_MS);
    await this.exited;
    clearTimeout(force);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A command that ends when its standard input does, which Java by itself does not. */
export function leashed(command: readonly string[]): readonly [string, ...string[]] {
  return ["sh", "-c", 'exec 3<&0; "$@" & pid=$!; (cat <&3; kill $pid) >/dev/null 2>&1 & wait $pid', "sh", ...command];
}

function parsed(line: string): Json | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
