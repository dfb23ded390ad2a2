import { onAbort } from "../core/abort.js";
import { toJson } from "../driver/values/json.js";
import type { Logger } from "../entry/node.js";
import { Interrupted } from "./exit-status.js";

/** The output of a command, and the signal that ends it. */
export interface Terminal {
  /** Prints a result to stdout: one JSON value per line. */
  print(value: unknown): void;
  /** Writes a result to stdout that is text or a file. */
  write(text: string): void;
  /** Logs to stderr. */
  readonly logger: Logger;
  /** Aborted with {@link Interrupted} by the first SIGINT or SIGTERM, and when stdout is closed. */
  readonly interrupted: AbortSignal;
}

/** The terminal of this process. A second SIGINT ends the process at once. */
export function processTerminal(): Terminal {
  const interruption = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => interruption.abort(new Interrupted(name)));
  }
  process.stderr.on("error", () => {}); // a closed stderr must not end the command
  process.stdout.on("error", () => interruption.abort(new Interrupted("SIGPIPE")));
  return {
    write: (text) => process.stdout.write(text),
    print: (value) => process.stdout.write(`${jsonText(value)}\n`),
    logger: { debug: log("debug"), info: log("info"), warn: log("warning"), error: log("error") },
    interrupted: interruption.signal,
  };
}

function log(level: string): (message: string, fields?: object) => void {
  return (message, fields) => {
    const details = fields === undefined ? "" : ` ${JSON.stringify(fields, asText)}`;
    process.stderr.write(`${level}: ${message}${details}\n`);
  };
}

/** JSON with bigints, which arguments and results may hold. In an array, because toJson accepts only objects. */
function jsonText(value: unknown): string {
  return toJson([value]).slice(1, -1);
}

/** Replaces values that JSON.stringify does not support: it writes an Error as `{}`, and throws for a bigint. */
function asText(_key: string, value: unknown): unknown {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return typeof value === "bigint" ? String(value) : value;
}

/** Resolves when all output to stdout is written, or cannot be written. */
export function flushed(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write("", () => resolve());
  });
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else onAbort(signal, resolve);
  });
}
