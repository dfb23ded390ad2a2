import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { isIP, isIPv6 } from "node:net";
import { WebSocketServer } from "ws";
import type { Accept, Listening } from "../../core/byte-stream.js";
import { kindOf } from "../../core/kinds.js";
import type { Logger } from "../../core/logger.js";
import { logOf, type RecurringWarnings } from "../../core/recurring-warnings.js";
import { SUBPROTOCOL, WebSocketSocket } from "../websocket/socket.js";
import { bind, checkListener, OpenStreams, routeOf } from "./node-server.js";
import { originOf } from "./origins.js";
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
  const log = logOf(logger);
  const streams = new OpenStreams();
  const refusals = new Refusals(log.warnings);
  const upgrades = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    clientTracking: false,
    handleProtocols: () => SUBPROTOCOL,
    verifyClient: ({ req }, done) => {
      const refusal = refusalOf(req, host, origins);
      if (refusal === undefined) return done(true);
      const { status, reason, cure } = refusal;
      refusals.warn(reason, `refused a WebSocket: ${reason}${cure}`);
      done(false, status, `${reason}\n`, { "Content-Type": "text/plain" });
    },
  });
  const server =
    tls === undefined ? createServer(requireUpgrade) : createHttpsServer(tlsServerOptions(tls), requireUpgrade);
  const handshakes = tls && new TlsStreams(server, log);
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
  readonly status: number;
  readonly reason: string;
  /** What would allow it, for the log. */
  readonly cure: string;
}

function refusalOf({ headers }: IncomingMessage, bound: string, origins: ReadonlySet<string>): Refusal | undefined {
  const { origin, host = "" } = headers;
  if (!isOurHost(host, bound)) {
    const ours = ANY_INTERFACE.has(bound) ? "an IP address" : bound;
    const cure = `: use ${ours} in the URL, or listen on that host (option host, --host of the command)`;
    return { status: 403, reason: `the host ${JSON.stringify(host)} is not allowed`, cure };
  }
  if (origin !== undefined && !isLoopbackOrigin(origin) && !origins.has(origin)) {
    const cure =
      origin === "null" // of a page that was opened from a file
        ? ": serve the page by HTTP"
        : ": to allow its pages, add it to the option origins (--origin of the command)";
    return { status: 403, reason: `the origin ${JSON.stringify(origin)} is not allowed`, cure };
  }
  const offered = headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim());
  if (offered?.includes(SUBPROTOCOL) !== true) {
    return { status: 400, reason: `the sub-protocol "${SUBPROTOCOL}" is required`, cure: "" };
  }
  return undefined;
}

/** Most refusals that are logged each by its own reason. Hosts and origins are untrusted input. */
const MAX_REASONS = 100;
/** Longest logged refusal, in characters. */
const LONGEST = 500;

/** Warns of refused WebSockets: of each host and origin when it is first refused, then at most every 60 s. */
class Refusals {
  readonly #warnings: RecurringWarnings;
  readonly #reasons = new Set<string>();

  constructor(warnings: RecurringWarnings) {
    this.#warnings = warnings;
  }

  warn(reason: string, message: string): void {
    if (this.#reasons.size < MAX_REASONS) this.#reasons.add(reason);
    const condition = this.#reasons.has(reason) ? reason : "refused";
    this.#warnings.warn(condition, message.slice(0, LONGEST));
  }
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
