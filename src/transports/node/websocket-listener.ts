import type { IncomingMessage } from "node:http";
import { isIP, isIPv6 } from "node:net";
import type { Accept, Listening } from "../../core/byte-stream.js";
import { kindOf } from "../../core/kinds.js";
import type { Logger } from "../../core/logger.js";
import { logOf } from "../../core/recurring-warnings.js";
import { WebSocketSocket } from "../websocket/socket.js";
import { checkListener, OpenStreams, routeOf } from "./node-server.js";
import { LOOPBACK, originOf, wrongOrigin } from "./origins.js";
import type { TlsListenerOptions } from "./tls-pem.js";
import { clientNameOf } from "./tls-server.js";
import { type Refusal, serveWebSockets, withoutSubprotocol } from "./websocket-server.js";

const ANY_INTERFACE: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Options of `listenWebSocket`. */
export interface WebSocketListenerOptions {
  /** Interface to listen on. */
  host: string;
  /** Port to listen on. 0: any free port. */
  port: number;
  /** Maximum number of connections. Further connections are closed at once. */
  maxConnections: number;
  /** Maximum size of a message. A larger message ends its connection. */
  maxMessageBytes: number;
  /** Origins of pages that may connect besides those from loopback: `https://console.example.org`. */
  origins?: readonly string[] | undefined;
  /** Enables TLS. Omitted: clear streams. */
  tls?: TlsListenerOptions | undefined;
  /** Logs failed TLS handshakes and refused pages. Default: `console`. `null`: silent. */
  logger?: Logger | null | undefined;
  /** Called with each accepted stream. */
  accept: Accept;
}

/**
 * Listens for WebSockets with the sub-protocol `amqp` with Node's servers. Every web page can reach the listeners of
 * the machine that shows it. Therefore a page needs an Origin from loopback or in `origins`, and every client must
 * request a loopback host or the bound host. Refused ones are logged. Rejects with "cannot listen on host:port: cause",
 * or with an error that describes the fault in certificate and key, or in `origins`.
 *
 * @throws TypeError for an option that is missing, unknown or of the wrong type.
 */
export async function listenWebSocket(options: WebSocketListenerOptions): Promise<Listening> {
  checkListener(options, ["maxMessageBytes"], ["origins"]);
  const { accept, maxConnections, maxMessageBytes, host, port, tls, logger } = options;
  if (options.origins !== undefined && !Array.isArray(options.origins)) {
    throw new TypeError(`origins must be an array, not ${kindOf(options.origins)}`);
  }
  const origins = new Set(options.origins?.map(originOf));
  const streams = new OpenStreams();
  return await serveWebSockets({
    host,
    port,
    maxStreams: maxConnections,
    maxMessageBytes,
    tls,
    log: logOf(logger),
    purpose: "speaks AMQP 1.0 over WebSocket",
    refusalOf: (request) => wrongHost(request, host) ?? wrongOrigin(request, origins) ?? withoutSubprotocol(request),
    onOpen: (ws, { socket: stream }) => {
      ws.binaryType = "arraybuffer";
      const id = `${tls === undefined ? "ws" : "wss"} ${routeOf(stream)}`;
      const clientName = clientNameOf(stream);
      const socket = new WebSocketSocket(ws, { id, encrypted: tls !== undefined, clientName, peer: "client" }, accept);
      streams.add(socket, (ended) => ws.once("close", ended));
    },
    closeAll: () => streams.close(),
  });
}

/**
 * Prevents DNS rebinding: an attacker's name for this server is neither loopback nor bound. If all interfaces are bound,
 * any IP address is accepted, because DNS cannot redirect it.
 */
function wrongHost({ headers: { host = "" } }: IncomingMessage, bound: string): Refusal | undefined {
  if (isOurHost(host, bound)) return undefined;
  const ours = ANY_INTERFACE.has(bound) ? "an IP address" : bound;
  const cure = `: use ${ours} in the URL, or listen on that host (option host, --host of the command)`;
  return { status: 403, reason: `the host ${JSON.stringify(host)} is not allowed`, cure };
}

function isOurHost(host: string, bound: string): boolean {
  const hostname = host.replace(/:\d+$/, "").toLowerCase();
  if (LOOPBACK.has(hostname)) return true;
  if (ANY_INTERFACE.has(bound)) return isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
  return hostname === (isIPv6(bound) ? `[${bound}]` : bound).toLowerCase();
}
