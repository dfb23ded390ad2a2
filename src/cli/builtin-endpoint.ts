import { pause } from "../core/timers.js";
import type { CallInfo } from "../entry/node.js";

/** The endpoint of `serve` without a module. Its methods have the names and results of a reference server in Python. */
export class BuiltinEndpoint {
  readonly #server: string;
  readonly #onNote: (note: unknown) => void;
  readonly #notes = { count: 0, last: null as unknown };

  constructor(server: string, onNote: (note: unknown) => void) {
    this.#server = server;
    this.#onNote = onNote;
  }

  echo(_context: object, { arg }: { arg: unknown }): unknown {
    return arg;
  }

  ping(): string {
    return `pong from ${this.#server}`;
  }

  /** Returns the context too. */
  whoami(context: object): object {
    return { server: this.#server, ctxt: context };
  }

  fail(_context: object, { kind = "value" }: { kind?: string }): never {
    if (kind === "value") throw named("ValueError", "bad value é");
    if (kind === "custom") throw named("PeerError", "custom trouble");
    throw named("RuntimeError", `unknown kind ${kind}`);
  }

  /** Sleeps for `secs` seconds, or until the caller's connection is lost. */
  async slow(_context: object, { secs }: { secs: number }, { signal }: CallInfo): Promise<string> {
    if (typeof secs !== "number" || !(secs >= 0)) throw new TypeError("secs must be a number of seconds");
    await pause(secs * 1_000, signal);
    return `slept ${secs}`;
  }

  note(_context: object, { arg }: { arg: unknown }): void {
    this.#notes.count += 1;
    this.#notes.last = arg;
    this.#onNote(arg);
  }

  counts(): object {
    return { server: this.#server, notes: this.#notes.count, last: this.#notes.last };
  }
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
