import { createServer, type Socket as NetSocket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Accept, Listening } from "../../core/byte-stream.js";
import { type Logger, silentLogger } from "../../core/logger.js";
import { bind, OpenStreams, routeOf } from "./node-server.js";
import { TcpSocket } from "./tcp-socket.js";
import type { TlsListenerOptions } from "./tls-pem.js";
import { clientNameOf, TlsStreams, tlsServerOptions } from "./tls-server.js";

/** Where to listen for TCP or TLS streams, and how many to take. */
export interface TcpListenerOptions {
  /** The interface. */
  host: string;
  /** 0: any free one. */
  port: number;
  /** What comes in beyond it is closed at once. */
  maxConnections: number;
  /** TLS instead of clear streams. */
  tls?: TlsListenerOptions | undefined;
  /** Hears of TLS handshakes that fail. Default: silent. */
  logger?: Logger | undefined;
  /** Takes what comes in. */
  accept: Accept;
}

/**
 * Listens for TCP streams, or TLS ones, by Node. Rejects with "cannot listen on host:port: cause", or with what is wrong
 * with certificate and key.
 */
export async function listenTcp(options: TcpListenerOptions): Promise<Listening> {
  const { accept, maxConnections, tls, logger = silentLogger, ...at } = options;
  const streams = new OpenStreams();
  const onStream = (stream: NetSocket): void => {
    const id = `${tls === undefined ? "tcp" : "tls"} ${routeOf(stream)}`;
    const socket = new TcpSocket(stream, { id, clientName: clientNameOf(stream) }, accept);
    streams.add(socket, (ended) => stream.once("close", ended));
  };
  const server = tls === undefined ? createServer(onStream) : createTlsServer(tlsServerOptions(tls), onStream);
  const handshakes = tls && new TlsStreams(server, logger);
  server.maxConnections = maxConnections;
  return await bind(server, at, async () => {
    await streams.close();
    handshakes?.cut();
  });
}
