import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type WebSocket, WebSocketServer } from "ws";
import type { Listening } from "../../core/byte-stream.js";
import type { Log, RecurringWarnings } from "../../core/recurring-warnings.js";
import { SUBPROTOCOL } from "../websocket/socket.js";
import { bind } from "./node-server.js";
import type { TlsListenerOptions } from "./tls-pem.js";
import { TlsStreams, tlsServerOptions } from "./tls-server.js";

/** Timeout for a client's request to open a WebSocket. */
const REQUEST_MS = 10_000;
/** Interval of the checks for this timeout. */
const CHECK_MS = 1000;

/** Why a WebSocket is not opened. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
  /** What would allow it, for the log. */
  readonly cure: string;
}

export interface WebSocketServerOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Maximum number of streams, with or without a WebSocket. Further streams are closed at once. */
  maxStreams: number;
  /** Maximum size of a message. A larger message ends its connection. */
  maxMessageBytes: number;
  /** Enables TLS. Omitted: clear streams. */
  tls: TlsListenerOptions | undefined;
  log: Log;
  /** Describes the server to HTTP clients that request something else. */
  purpose: string;
  /** Called with each request for a WebSocket. Undefined opens it. */
  refusalOf(request: IncomingMessage): Refusal | undefined;
  /** Called with each WebSocket, before its first message. */
  onOpen(ws: WebSocket, request: IncomingMessage): void;
  /** Closes all WebSockets. Resolves when they have ended. */
  closeAll(): Promise<void>;
}

/**
 * Opens WebSockets with the sub-protocol `amqp`. Refused ones are logged. Rejects with "cannot listen on host:port: cause",
 * or with an error that describes the fault in certificate and key.
 */
export async function serveWebSockets(options: WebSocketServerOptions): Promise<Listening> {
  const { host, port, maxStreams, maxMessageBytes, tls, log, purpose, refusalOf, onOpen, closeAll } = options;
  const refusals = new Refusals(log.warnings);
  const upgrades = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    clientTracking: false,
    handleProtocols: () => SUBPROTOCOL,
    verifyClient: ({ req }, done) => {
      const refusal = refusalOf(req);
      if (refusal === undefined) return done(true);
      const { status, reason, cure } = refusal;
      refusals.warn(reason, `refused a WebSocket: ${reason}${cure}`);
      done(false, status, `${reason}\n`, { "Content-Type": "text/plain" });
    },
  });
  const limits = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, connectionsCheckingInterval: CHECK_MS };
  const listener = requireUpgrade(purpose);
  const server =
    tls === undefined
      ? createServer(limits, listener)
      : createHttpsServer({ ...limits, ...tlsServerOptions(tls) }, listener);
  const handshakes = tls && new TlsStreams(server, log);
  server.maxConnections = maxStreams;
  server.on("upgrade", (request, stream, head) => {
    upgrades.handleUpgrade(request, stream, head, (ws) => onOpen(ws, request));
  });
  return await bind(server, { host, port }, async () => {
    server.closeAllConnections();
    await closeAll();
    handshakes?.cut();
  });
}

/** The reason to refuse a request that does not offer the sub-protocol, among others. */
export function withoutSubprotocol({ headers }: IncomingMessage): Refusal | undefined {
  const offered = headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim());
  if (offered?.includes(SUBPROTOCOL) === true) return undefined;
  return { status: 400, reason: `the sub-protocol "${SUBPROTOCOL}" is required`, cure: "" };
}

/** Answers HTTP requests that do not ask for an upgrade. */
function requireUpgrade(purpose: string): RequestListener {
  return (_request, response) => {
    response.writeHead(426, { "Content-Type": "text/plain", Connection: "close" });
    response.end(`upgrade required: this server ${purpose}\n`);
  };
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
