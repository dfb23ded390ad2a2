import type { Dial } from "../core/byte-stream.js";
import type { ResolvedOptions } from "./options/options.js";
import type { ReadFile } from "./options/tls.js";

/** What the program runs on. */
export interface Runtime {
  /** By URL scheme. */
  readonly dialers: Readonly<Record<string, Dial>>;
  /** Who we are, for whoever looks at the connections of the message bus. */
  readonly identity: { readonly node: string; readonly process: string; readonly pid: number };
  /** Defaults that are not oslo's. */
  readonly defaults: Partial<ResolvedOptions>;
  /** Where there are files: ssl_ca_file and its like are read when a transport is made. */
  readonly readFile?: ReadFile | undefined;
  /** Subscribes to what tells that the network, or the program, was away or is back; gives what ends that. */
  readonly onWake?: ((wake: () => void) => () => void) | undefined;
}
