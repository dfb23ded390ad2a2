import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { isIP, isIPv6 } from "node:net";
import { WebSocketServer } from "ws";
import type { Accept, Listening } from "../../core/byte-stream.js";
import { type Logger, silentLogger } from "../../core/logger.js";
import { SUBPROTOCOL, WebSocketSocket } from "../websocket/socket.js";
import { bind, OpenStreams, routeOf } from "./node-server.js";
import type { TlsListenerOptions } from "./tls-pem.js";
import { clientNameOf, TlsStreams, tlsServerOptions } from "./tls-server.js";

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);
const ANY_INTERFACE: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Where to listen for WebSockets, and whom to take. */
export interface WebSocketListenerOptions {
  /** The interface. */
  host: string;
  /** 0: any free one. */
  port: number;
  /** What comes in beyond it is closed at once. */
  maxConnections: number;
  /** A larger message ends its connection. */
  maxMessageBytes: number;
  /** Origins of pages that may connect besides those from loopback: "https://console.example.org". */
  origins?: readonly string[] | undefined;
  /** TLS instead of clear streams. */
  tls?: TlsListenerOptions | undefined;
  /** Hears of TLS handshakes that fail. Default: silent. */
  logger?: Logger | undefined;
  /** Takes what comes in. */
  accept: Accept;
}

/**
 * Listens for WebSockets with the sub-protocol `amqp` by Node. Every web page can reach the listeners of the machine
 * that shows it, so a page needs an Origin from loopback or of `origins`, and whoever connects must have asked for a
 * loopback host or the one that is bound. Rejects with "cannot listen on host:port: cause", or with what is wrong with
 * certificate and key.
 */
export async function listenWebSocket(options: WebSocketListenerOptions): Promise<Listening> {
  const { accept, maxConnections, maxMessageBytes, host, port, tls, logger = silentLogger } = options;
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
  const server = tls === undefined ? createServer(tell) : createHttpsServer(tlsServerOptions(tls), tell);
  const handshakes = tls && new TlsStreams(server, logger);
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

/** To whoever does not ask for an upgrade. */
const tell: RequestListener = (_request, response) => {
  response.writeHead(426, { "Content-Type": "text/plain", Connection: "close" });
  response.end("AMQP 1.0 over WebSocket is spoken here\n");
};

interface Refusal {
  status: number;
  text: string;
}

function refusalOf({ headers }: IncomingMessage, options: WebSocketListenerOptions): Refusal | undefined {
  const { origin, host = "" } = headers;
  if (!isOurHost(host, options.host)) {
    return { status: 403, text: `the host ${JSON.stringify(host)} is not served here\n` };
  }
  if (origin !== undefined && !isLoopbackOrigin(origin) && options.origins?.includes(origin) !== true) {
    return { status: 403, text: `pages from ${JSON.stringify(origin)} may not connect\n` };
  }
  const offered = headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim());
  if (offered?.includes(SUBPROTOCOL) !== true) {
    return { status: 400, text: `the sub-protocol "${SUBPROTOCOL}" is required\n` };
  }
  return undefined;
}

/** A name that an attacker's DNS points at us is neither loopback nor bound; an address cannot be pointed elsewhere. */
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
