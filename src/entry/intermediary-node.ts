import type { TransportURL } from "../driver/options/transport-url.js";
import type { Topology } from "../intermediary/topology.js";
import { type WatchTopologyOptions, watchedTopology } from "../topology-client/watched-topology.js";
import { getRpcTransport } from "./node.js";

export { listenTcp, type TcpListenerOptions } from "../transports/node/tcp-listener.js";
export type { TlsListenerOptions } from "../transports/node/tls-pem.js";
export { listenWebSocket, type WebSocketListenerOptions } from "../transports/node/websocket-listener.js";
export * from "./intermediary-names.js";

/**
 * Watches who is connected to an embedded intermediary and who listens where: first what there is, then what there is whenever
 * it has changed, at most about four times a second; a slow reader gets the newest. Over a connection of its own, which is made
 * when the first snapshot is asked for, and closed when the loop ends. It is not made again: who wants to go on begins anew.
 *
 * The iteration throws the reason of `signal`; why there is no connection, once each host of the URL was tried, or why it ended;
 * and MessagingException when the peer is no such intermediary.
 *
 * @throws as getRpcTransport, at once.
 */
export function watchTopology(url: string | TransportURL, options: WatchTopologyOptions = {}): AsyncIterable<Topology> {
  return watchedTopology((rest) => getRpcTransport(url, rest), options);
}
