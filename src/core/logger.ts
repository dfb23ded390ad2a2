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
