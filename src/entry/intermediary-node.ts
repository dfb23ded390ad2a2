export { listenTcp, type TcpListenerOptions } from "../transports/tcp-listener.js";
export type { TlsListenerOptions } from "../transports/tls-pem.js";
export { listenWebSocket, type WebSocketListenerOptions } from "../transports/websocket-listener.js";
export * from "./intermediary-names.js";
