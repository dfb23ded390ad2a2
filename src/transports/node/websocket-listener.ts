import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { isIP, isIPv6 } from "node:net";
import { WebSocketServer } from "ws";
import type { Accept, Listening } from "../../core/byte-stream.js";
import { type Logger, loggerOf } from "../../core/logger.js";
import { RecurringWarnings } from "../../core/recurring-warnings.js";
import { SUBPROTOCOL, WebSocketSocket } from "../websocket/socket.js";
import { bind, OpenStreams, routeOf } from "./node-server.js";
import type { TlsListenerOptions } from "./tls-pem.js";
import { clientNameOf, TlsStreams, tlsServerOptions } from "./tls-server.js";

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);
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
  /** Origins of pages that may connect besides those from loopback: "https://console.example.org". */
  origins?: readonly string[] | undefined;
  /** Enables TLS. Omitted: clear streams. */
  tls?: TlsListenerOptions | undefined;
  /** Logs failed TLS handshakes. Default: `console`. `null`: silent. */
  logger?: Logger | null | undefined;
  /** Called with each accepted stream. */
  accept: Accept;
}

/**
 * Listens for WebSockets with the sub-protocol `amqp` with Node's servers. Every web page can reach the listeners of
 * the machine that shows it. Therefore a page needs an Origin from loopback or in `origins`, and every client must
 * request a loopback host or the bound host. Rejects with "cannot listen on host:port: cause", or with an error that
 * describes the fault in certificate and key.
 */
export async function listenWebSocket(options: WebSocketListenerOptions): Promise<Listening> {
  const { accept, maxConnections, maxMessageBytes, host, port, tls, logger } = options;
  const warnings = new RecurringWarnings(loggerOf(logger));
  const streams = new OpenStreams();
  const upgrades = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    clientTracking: false,
    handleProtocols: () => SUBPROTOCOL,
    verifyClient: ({ req }, done) => {
      const refusal = refusalOf(req, options);
      if (refusal === undefined) done(true);
      else done(false, refusal.status, refusal.text, { "Content-Type": "text/plain" });
    },
  });
  const server =
    tls === undefined ? createServer(requireUpgrade) : createHttpsServer(tlsServerOptions(tls), requireUpgrade);
  const handshakes = tls && new TlsStreams(server, warnings);
  server.maxConnections = maxConnections;
  server.on("upgrade", (request, stream, head) => {
    upgrades.handleUpgrade(request, stream, head, (ws) => {
      ws.binaryType = "arraybuffer";
      const id = `${tls === undefined ? "ws" : "wss"} ${routeOf(request.socket)}`;
      const clientName = clientNameOf(request.socket);
      const socket = new WebSocketSocket(ws, { id, encrypted: tls !== undefined, clientName, peer: "client" }, accept);
      streams.add(socket, (ended) => ws.once("close", ended));
    });
  });
  return await bind(server, { host, port }, async () => {
    server.closeAllConnections();
    await streams.close();
    handshakes?.cut();
  });
}

/** Answers HTTP requests that do not ask for an upgrade. */
const requireUpgrade: RequestListener = (_request, response) => {
  response.writeHead(426, { "Content-Type": "text/plain", Connection: "close" });
  response.end("upgrade required: this server speaks AMQP 1.0 over WebSocket\n");
};

interface Refusal {
  status: number;
  text: string;
}

function refusalOf({ headers }: IncomingMessage, options: WebSocketListenerOptions): Refusal | undefined {
  const { origin, host = "" } = headers;
  if (!isOurHost(host, options.host)) {
    return { status: 403, text: `the host ${JSON.stringify(host)} is not allowed\n` };
  }
  if (origin !== undefined && !isLoopbackOrigin(origin) && options.origins?.includes(origin) !== true) {
    return { status: 403, text: `the origin ${JSON.stringify(origin)} is not allowed\n` };
  }
  const offered = headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim());
  if (offered?.includes(SUBPROTOCOL) !== true) {
    return { status: 400, text: `the sub-protocol "${SUBPROTOCOL}" is required\n` };
  }
  return undefined;
}

/**
 * Prevents DNS rebinding: an attacker's name for this server is neither loopback nor bound. If all interfaces are bound,
 * any IP address is accepted, because DNS cannot redirect it.
 */
function isOurHost(host: string, bound: string): boolean {
  const hostname = host.replace(/:\d+$/, "").toLowerCase();
  if (LOOPBACK.has(hostname)) return true;
  if (ANY_INTERFACE.has(bound)) return isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
  return hostname === (isIPv6(bound) ? `[${bound}]` : bound).toLowerCase();
}

function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  return (protocol === "http:" || protocol === "https:") && LOOPBACK.has(hostname);
}
