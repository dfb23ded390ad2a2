import type { IncomingMessage } from "node:http";
import type { WebSocket } from "ws";
import { authority } from "../core/authority.js";
import type { Address, Listening } from "../core/byte-stream.js";
import type { Logger } from "../core/logger.js";
import { type Log, logOf } from "../core/recurring-warnings.js";
import { routeOf } from "../transports/node/node-server.js";
import { originOf, wrongOrigin } from "../transports/node/origins.js";
import type { TlsListenerOptions } from "../transports/node/tls-pem.js";
import { type Refusal, serveWebSockets, withoutSubprotocol } from "../transports/node/websocket-server.js";
import { RelayConnection } from "./relay-connection.js";

/** Largest message accepted from a client. AMQP frames of brokers have 128 KiB at most, and may span messages. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Streams that have not opened their WebSocket yet, besides the connections. */
const MAX_OPENING = 100;
const CONNECT_TIMEOUT_MS = 10_000;

export interface RelayOptions {
  /** Interface to listen on. */
  host: string;
  /** Port to listen on. 0: any free port. */
  port: number;
  /** Where the bytes go. `tls` or the scheme `amqps` enables TLS. */
  to: Address;
  /** Maximum number of connections. Further WebSockets are refused. */
  maxConnections: number;
  /** Timeout for a connection on which no bytes move, in either direction. */
  idleTimeoutMs: number;
  /** Timeout for the connection to the target. Default 10,000. */
  connectTimeoutMs?: number | undefined;
  /** Origins of pages that may connect besides those from loopback: `https://console.example.org`. */
  origins?: readonly string[] | undefined;
  /** Enables TLS towards clients. Omitted: clear streams. */
  tls?: TlsListenerOptions | undefined;
  /** Logs refused WebSockets and failed connections. Default: `console`. `null`: silent. */
  logger?: Logger | null | undefined;
}

/** What a relay has done. */
export interface RelayCounts {
  /** WebSockets that were opened. */
  connections: number;
  /** WebSockets that were refused, by the reason. */
  refused: { origin: number; subprotocol: number; limit: number };
  /** Connections that failed: the target was not reached, a stream broke, a message was wrong, or no bytes moved. */
  failed: number;
  bytesFromClients: number;
  bytesFromTarget: number;
}

/**
 * Carries bytes between WebSockets with the sub-protocol `amqp` and one TCP address. The bytes are not read, so that it serves
 * every version of AMQP. The path of a WebSocket is ignored.
 */
export class Relay {
  readonly counts: RelayCounts = {
    connections: 0,
    refused: { origin: 0, subprotocol: 0, limit: 0 },
    failed: 0,
    bytesFromClients: 0,
    bytesFromTarget: 0,
  };
  readonly #options: RelayOptions;
  readonly #log: Log;
  readonly #origins: ReadonlySet<string>;
  readonly #connections = new Set<RelayConnection>();
  #listening!: Listening;

  private constructor(options: RelayOptions) {
    this.#options = options;
    this.#log = logOf(options.logger);
    this.#origins = new Set(options.origins?.map(originOf));
  }

  /**
   * Listens. Rejects with "cannot listen on host:port: cause", or with an error that describes the fault in certificate and
   * key, or in `origins`.
   */
  static async start(options: RelayOptions): Promise<Relay> {
    const relay = new Relay(options);
    await relay.#listen();
    return relay;
  }

  /** The port that was requested, or that the system assigned. */
  get port(): number {
    return this.#listening.port;
  }

  /** The URL of its WebSockets: `ws://127.0.0.1:15673/`. */
  get url(): string {
    const { host, tls } = this.#options;
    return `${tls === undefined ? "ws" : "wss"}://${authority({ hostname: host, port: this.port })}/`;
  }

  /** Stops listening and ends all connections. */
  async close(): Promise<void> {
    await this.#listening.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(): Promise<void> {
    const { host, port, tls, maxConnections } = this.#options;
    this.#listening = await serveWebSockets({
      host,
      port,
      maxStreams: maxConnections + MAX_OPENING,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      tls,
      log: this.#log,
      purpose: "relays AMQP over WebSocket",
      refusalOf: (request) => this.#refusalOf(request),
      onOpen: (ws, { socket }) => this.#add(ws, `${tls === undefined ? "ws" : "wss"} ${routeOf(socket)}`),
      closeAll: () => this.#closeAll(),
    });
  }

  #refusalOf(request: IncomingMessage): Refusal | undefined {
    const counted = (name: keyof RelayCounts["refused"], refusal: Refusal | undefined): Refusal | undefined => {
      if (refusal !== undefined) this.counts.refused[name]++;
      return refusal;
    };
    return (
      counted("origin", wrongOrigin(request, this.#origins)) ??
      counted("subprotocol", withoutSubprotocol(request)) ??
      counted("limit", this.#overLimit())
    );
  }

  #overLimit(): Refusal | undefined {
    const { maxConnections } = this.#options;
    if (this.#connections.size < maxConnections) return undefined;
    const cure = ", the option maxConnections (--max-connections of the command)";
    return { status: 503, reason: `too many connections: the maximum is ${maxConnections}`, cure };
  }

  #add(ws: WebSocket, id: string): void {
    const { to, connectTimeoutMs = CONNECT_TIMEOUT_MS, idleTimeoutMs } = this.#options;
    const { counts } = this;
    counts.connections++;
    const connection = new RelayConnection(ws, {
      to,
      connectTimeoutMs,
      idleTimeoutMs,
      onClientBytes: (count) => {
        counts.bytesFromClients += count;
      },
      onTargetBytes: (count) => {
        counts.bytesFromTarget += count;
      },
      onFailure: (reason) => {
        counts.failed++;
        this.#log.warnings.warn(reason, `${id}: ${reason}`);
      },
    });
    this.#connections.add(connection);
    void connection.ended.then(() => this.#connections.delete(connection));
  }

  async #closeAll(): Promise<void> {
    for (const connection of this.#connections) connection.stop();
    await Promise.all([...this.#connections].map(({ ended }) => ended));
  }
}
