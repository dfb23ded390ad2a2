import type { TransportURL } from "../driver/options/transport-url.js";
import type { Topology } from "../intermediary/topology.js";
import { type WatchTopologyOptions, watchedTopology } from "../topology-client/watched-topology.js";
import { getRpcTransport } from "./web.js";

export * from "./intermediary-names.js";

/** As in the entry of Node, whose documentation is everybody's. */
export function watchTopology(url: string | TransportURL, options: WatchTopologyOptions = {}): AsyncIterable<Topology> {
  return watchedTopology((rest) => getRpcTransport(url, rest), options);
}
