import type { Dial } from "../core/byte-stream.js";
import type { ResolvedOptions } from "./options/options.js";
import type { ReadFile } from "./options/tls.js";

/** The runtime that the program runs on. */
export interface Runtime {
  /** Dialers by URL scheme. */
  readonly dialers: Readonly<Record<string, Dial>>;
  /** Identifies this program in the list of connections of the message bus. */
  readonly identity: { readonly node: string; readonly process: string; readonly pid: number };
  /** Defaults of options where they differ from oslo's. */
  readonly defaults: Partial<ResolvedOptions>;
  /** Reads ssl_ca_file and similar files when a transport is made. Undefined: the runtime has no files. */
  readonly readFile?: ReadFile | undefined;
  /** Calls `wake` when the network is lost or returns, or the program resumes. Returns a function that unsubscribes. */
  readonly onWake?: ((wake: () => void) => () => void) | undefined;
}
