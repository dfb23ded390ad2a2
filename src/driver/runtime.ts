import type { Dial } from "../core/byte-stream.js";
import type { Connection } from "../core/connection/connection.js";
import type { StatusFeed, StatusSink } from "../core/connection/status.js";
import type { RetryPolicy } from "../core/connection/supervisor.js";
import type { Log } from "../core/recurring-warnings.js";
import type { TransportDriver } from "./driver.js";
import type { Host } from "./options/hosts.js";
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
  /**
   * Makes the driver of a transport of AMQP 1.0 whose peer may be RabbitMQ: the one that `createFirst` makes serves it, or the
   * successor that takes its place. Throws ConfigurationError as `create`.
   */
  succeed?(init: SuccessorInit, createFirst: CreateFirst): TransportDriver;
}

/** Makes the driver of AMQP 1.0, with what a succession changes. */
export type CreateFirst = (changes: {
  /** As `connect` of a SuccessorInit, with the hostname of the driver of AMQP 1.0. */
  connect: (host: Host, signal: AbortSignal, attempt: number) => Promise<Connection>;
  status: StatusSink;
  succession: Succession;
}) => TransportDriver;

/** What a successor gets from the driver of AMQP 1.0. */
export interface SuccessorInit extends Log {
  /** The options given in code, except those of a driver, checked. */
  options: TransportOptions;
  /** The options of `[oslo_messaging_amqp]`, which the URL has too. */
  amqp: ResolvedOptions;
  runtime: Runtime;
  hosts: readonly [Host, ...Host[]];
  /** Connects by AMQP 1.0. `hostname` is that of the Open. */
  connect: (host: Host, signal: AbortSignal, attempt: number, hostname?: string) => Promise<Connection>;
  /** Virtual host of the URL. */
  virtualHost: string | undefined;
  /** By the options of `[oslo_messaging_amqp]`. */
  retry: RetryPolicy;
  status: StatusFeed;
}

/** Chooses the driver of a transport of AMQP 1.0 by its peer. */
export interface Succession {
  /** Called when a peer is another product: the driver of AMQP 1.0 stays. */
  stay(): void;
  /**
   * Called when a peer is RabbitMQ: the successor takes over the running operations, and all later ones. Returns what the
   * attempt to connect fails with.
   *
   * @throws ConfigurationError after `stay`.
   */
  handOver(host: Host): Error;
}

/** What a driver gets from its transport. */
export interface DriverInit extends Log {
  url: TransportURL;
  /** The options given in code, except those of a driver, checked. */
  options: TransportOptions;
  runtime: Runtime;
  /** The dialler of the URL's scheme. */
  dial: Dial;
  /** The drivers of the runtime, and those given in code. */
  drivers: readonly DriverType[];
  status: StatusFeed;
}
