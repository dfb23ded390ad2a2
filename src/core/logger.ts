import { isPromise } from "./kinds.js";

/** Receives the log messages of the library. `console` can be used. Secrets are never passed to it. */
export interface Logger {
  /** Details for troubleshooting. */
  debug(message: string, fields?: object): void;
  /** Noteworthy events. */
  info(message: string, fields?: object): void;
  /** Problems that need attention although operation continues. */
  warn(message: string, fields?: object): void;
  /** Failures. */
  error(message: string, fields?: object): void;
}

const ignore = (): void => {};

/** Discards all messages. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Writes warnings and errors to the `console` of the moment, as Python's handler of last resort does. */
const consoleLogger: Logger = {
  debug: ignore,
  info: ignore,
  // biome-ignore lint/suspicious/noConsole: this logger is the console.
  warn: (message, fields) => console.warn(...withFields(message, fields)),
  // biome-ignore lint/suspicious/noConsole: this logger is the console.
  error: (message, fields) => console.error(...withFields(message, fields)),
};

/**
 * The logger of an option: omitted, warnings and errors go to the console; null discards all messages. What a logger
 * throws, or rejects with, is ignored: it must not affect messages and connections.
 */
export function loggerOf(option: Logger | null | undefined): Logger {
  if (option === null) return silentLogger;
  const logger = option ?? consoleLogger;
  const guarded = (level: keyof Logger): Logger["warn"] => {
    return (message, fields) => {
      try {
        const done: unknown = logger[level](message, fields);
        if (isPromise(done)) done.then(undefined, ignore);
      } catch {}
    };
  };
  return { debug: guarded("debug"), info: guarded("info"), warn: guarded("warn"), error: guarded("error") };
}

function withFields(message: string, fields: object | undefined): unknown[] {
  return fields === undefined ? [message] : [message, fields];
}
