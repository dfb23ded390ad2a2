import type { Dial } from "../core/byte-stream.js";
import type { StatusFeed } from "../core/connection/status.js";
import type { Log } from "../core/recurring-warnings.js";
import type { TransportDriver } from "./driver.js";
import type { ResolvedOptions } from "./options/options.js";
import type { ReadFile } from "./options/tls.js";
import type { DriverPlugin, TransportOptions } from "./options/transport-options.js";
import type { TransportURL } from "./options/transport-url.js";

/** The runtime that the program runs on. */
export interface Runtime {
  /** The drivers that are built in. */
  readonly drivers: readonly [DriverType, ...DriverType[]];
  /** Dialers by URL scheme. */
  readonly dialers: Readonly<Record<string, Dial>>;
  /** Identifies this program in the list of connections of the message bus. */
  readonly identity: { readonly node: string; readonly process: string; readonly pid: number };
  /** Defaults of options where they differ from oslo's. */
  readonly defaults: Partial<ResolvedOptions>;
  /** How to add dialers for TCP, as the end of an error. Undefined: they are built in, or the runtime has no TCP. */
  readonly tcpAdvice?: string | undefined;
  /** Reads ssl_ca_file and similar files when a transport is made. Undefined: the runtime has no files. */
  readonly readFile?: ReadFile | undefined;
  /** Calls `wake` when the network is lost or returns, or the program resumes. Returns a function that unsubscribes. */
  readonly onWake?: ((wake: () => void) => () => void) | undefined;
}

/** A driver: by which URL schemes it goes, and how it is made. */
export interface DriverType extends DriverPlugin {
  /** Makes the driver of a transport. Throws ConfigurationError for an invalid option, and does not connect. */
  create(init: DriverInit): TransportDriver;
}

/** What a driver gets from its transport. */
export interface DriverInit extends Log {
  url: TransportURL;
  /** The options given in code, except those of a driver, checked. */
  options: TransportOptions;
  runtime: Runtime;
  /** The dialler of the URL's scheme. */
  dial: Dial;
  status: StatusFeed;
}
