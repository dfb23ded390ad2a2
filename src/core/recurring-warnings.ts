import { type Logger, loggerOf } from "./logger.js";

/** Shortest time between two warnings of one condition. */
const INTERVAL_MS = 60_000;
/** Most conditions that are remembered. Their keys may contain untrusted input. */
const MAX_CONDITIONS = 1_000;

/** The log of a transport, a listener or an intermediary. */
export interface Log {
  readonly logger: Logger;
  /** Warnings of conditions that may recur. */
  readonly warnings: RecurringWarnings;
}

/** The log of an option `logger`: see {@link loggerOf}. */
export function logOf(option: Logger | null | undefined): Log {
  const logger = loggerOf(option);
  return { logger, warnings: new RecurringWarnings(logger) };
}

/** Warns of a condition when it first occurs, then at most every 60 s, with the number of its occurrences in between. */
export class RecurringWarnings {
  readonly #logger: Logger;
  /** By key, the condition that was logged first comes first. */
  readonly #conditions = new Map<string, Condition>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `key` identifies the condition: for example its kind and an address. */
  warn(key: string, message: string, fields?: object): void {
    const nowMs = performance.now();
    const condition = this.#conditions.get(key);
    if (condition !== undefined && nowMs - condition.loggedMs < INTERVAL_MS) {
      condition.unlogged++;
      return;
    }
    this.#conditions.delete(key);
    const [oldest] = this.#conditions.keys();
    if (oldest !== undefined && this.#conditions.size >= MAX_CONDITIONS) this.#conditions.delete(oldest);
    this.#conditions.set(key, { loggedMs: nowMs, unlogged: 0 });
    const count = condition?.unlogged ?? 0;
    this.#logger.warn(count === 0 ? message : `${message} (${count} more since the last warning)`, fields);
  }
}

interface Condition {
  loggedMs: number;
  /** Occurrences since then. */
  unlogged: number;
}
