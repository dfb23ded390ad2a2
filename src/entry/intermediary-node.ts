import type { TransportURL } from "../driver/options/transport-url.js";
import type { Topology } from "../intermediary/topology.js";
import { type WatchTopologyOptions, watchedTopology } from "../topology-client/watched-topology.js";
import { getRpcTransport } from "./node.js";

export { listenTcp, type TcpListenerOptions } from "../transports/node/tcp-listener.js";
export type { TlsListenerOptions } from "../transports/node/tls-pem.js";
export { listenWebSocket, type WebSocketListenerOptions } from "../transports/node/websocket-listener.js";
export * from "./intermediary-names.js";

/**
 * Watches the connections and links of an embedded intermediary. Yields the current topology first, then each new one, at most
 * about four times a second; a slow reader gets the newest only. Uses its own connection, which is made when the first snapshot
 * is requested and closed when the loop ends. A lost connection ends the iteration: call the function again to continue.
 *
 * The iteration throws the reason of `signal`; the connection's error, after each host of the URL was tried once or when the
 * connection ends; and MessagingException when the peer is not an embedded intermediary.
 *
 * @throws as getRpcTransport, immediately.
 */
export function watchTopology(url: string | TransportURL, options: WatchTopologyOptions = {}): AsyncIterable<Topology> {
  return watchedTopology((rest) => getRpcTransport(url, rest), options);
}
