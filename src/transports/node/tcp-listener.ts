import { createServer, type Socket as NetSocket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Accept, Listening } from "../../core/byte-stream.js";
import type { Logger } from "../../core/logger.js";
import { logOf } from "../../core/recurring-warnings.js";
import { bind, checkListener, OpenStreams, routeOf } from "./node-server.js";
import { TcpSocket } from "./tcp-socket.js";
import type { TlsListenerOptions } from "./tls-pem.js";
import { clientNameOf, TlsStreams, tlsServerOptions } from "./tls-server.js";

/** Options of `listenTcp`. */
export interface TcpListenerOptions {
  /** Interface to listen on. */
  host: string;
  /** Port to listen on. 0: any free port. */
  port: number;
  /** Maximum number of connections. Further connections are closed at once. */
  maxConnections: number;
  /** Enables TLS. Omitted: clear streams. */
  tls?: TlsListenerOptions | undefined;
  /** Logs failed TLS handshakes. Default: `console`. `null`: silent. */
  logger?: Logger | null | undefined;
  /** Called with each accepted stream. */
  accept: Accept;
}

/**
 * Listens for TCP or TLS streams with Node's servers. Rejects with "cannot listen on host:port: cause", or with an
 * error that describes the fault in certificate and key.
 *
 * @throws TypeError for an option that is missing, unknown or of the wrong type.
 */
export async function listenTcp(options: TcpListenerOptions): Promise<Listening> {
  checkListener(options, []);
  const { accept, maxConnections, tls, logger, ...at } = options;
  const log = logOf(logger);
  const streams = new OpenStreams();
  const onStream = (stream: NetSocket): void => {
    const id = `${tls === undefined ? "tcp" : "tls"} ${routeOf(stream)}`;
    const socket = new TcpSocket(stream, { id, clientName: clientNameOf(stream) }, accept);
    streams.add(socket, (ended) => stream.once("close", ended));
  };
  const server = tls === undefined ? createServer(onStream) : createTlsServer(tlsServerOptions(tls), onStream);
  const handshakes = tls && new TlsStreams(server, log);
  server.maxConnections = maxConnections;
  return await bind(server, at, async () => {
    await streams.close();
    handshakes?.cut();
  });
}
