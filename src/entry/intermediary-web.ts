import type { TransportURL } from "../driver/options/transport-url.js";
import type { Topology } from "../intermediary/topology.js";
import { type WatchTopologyOptions, watchedTopology } from "../topology-client/watched-topology.js";
import { getRpcTransport } from "./web.js";

export * from "./intermediary-names.js";

/** The same as in Node's entry, which documents it. */
export function watchTopology(url: string | TransportURL, options: WatchTopologyOptions = {}): AsyncIterable<Topology> {
  return watchedTopology((rest) => getRpcTransport(url, rest), options);
}
