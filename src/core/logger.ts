/** Where the library writes what an operator should see. `console` fits. No secret is ever passed to it. */
export interface Logger {
  /** What helps to find a fault. */
  debug(message: string, fields?: object): void;
  /** What is worth to know. */
  info(message: string, fields?: object): void;
  /** What somebody should look into; the work goes on. */
  warn(message: string, fields?: object): void;
  /** What failed. */
  error(message: string, fields?: object): void;
}

const ignore = (): void => {};

/** Says nothing. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
