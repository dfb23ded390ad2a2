import { toJson } from "../driver/values/json.js";
import type { Logger } from "../entry/node.js";
import { Interrupted } from "./exit-status.js";

/** Where a command writes, and how it learns that it should end. */
export interface Terminal {
  /** Results: one JSON value a line. */
  print(value: unknown): void;
  /** Results that are text for people, or a file. */
  write(text: string): void;
  /** Everything else. */
  readonly logger: Logger;
  /** Aborted with {@link Interrupted} at the first SIGINT or SIGTERM, and when nobody reads stdout any more. */
  readonly interrupted: AbortSignal;
}

/** The process's own. A second SIGINT ends the process at once. */
export function processTerminal(): Terminal {
  const interruption = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => interruption.abort(new Interrupted(name)));
  }
  process.stderr.on("error", () => {}); // nobody reads the logs: nobody misses them
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

/** toJson writes bigints, which arguments and results may hold; it takes objects only. */
function jsonText(value: unknown): string {
  return toJson([value]).slice(1, -1);
}

/** JSON.stringify writes an Error as `{}`, and refuses a bigint. */
function asText(_key: string, value: unknown): unknown {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return typeof value === "bigint" ? String(value) : value;
}

/** Resolves when everything printed has left, or cannot. */
export function flushed(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write("", () => resolve());
  });
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
