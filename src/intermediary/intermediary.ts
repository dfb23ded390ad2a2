import { defineAsyncDispose } from "../core/async-dispose.js";
import type { Accept, Socket, SocketHandlers } from "../core/byte-stream.js";
import type { Connection } from "../core/connection/connection.js";
import { accept } from "../core/connection/handshake.js";
import type { LinkRequest } from "../core/connection/link-request.js";
import { type Logger, silentLogger } from "../core/logger.js";
import { Authenticator } from "../core/sasl/server/authenticator.js";
import { AddressTable, type IntermediaryKind } from "./address-table.js";
import { type Addressing, distributions } from "./addresses.js";
import { Budget } from "./budget.js";
import { Clients } from "./clients.js";
import { LinkBroker } from "./link-broker.js";
import { TopologyPublisher } from "./topology-publisher.js";
import { noVirtualHost, VirtualHosts } from "./virtual-hosts.js";

/** What an intermediary takes of strangers. */
export interface IntermediaryLimits {
  /** Beyond it streams are closed at once. Default 1,000. */
  connections: number;
  /** Default 10,000. */
  linksPerConnection: number;
  /**
   * What may be held in memory for all addresses together; of that an address gets at most as much as is still free,
   * one alone half. A router holds what waits for its consumer's outcome, and releases what comes beyond the limit; a
   * broker rejects that with amqp:resource-limit-exceeded. Default 200,000.
   */
  queuedMessages: number;
  /** As `queuedMessages`, in bytes of encoded messages. Default 256 MiB. */
  queuedBytes: number;
  /** The largest message taken. Default 16 MiB. */
  maxMessageBytes: number;
}

/** What an intermediary is, and whom it lets in. */
export interface IntermediaryOptions {
  /**
   * `router`: direct, stores nothing; producers get credit only while a consumer gives some, and the consumer's answer.
   * `broker`: stores in memory and forwards; accepts at once.
   */
  kind: IntermediaryKind;
  /** What the Open says that this is. Default `oslo-messaging-router` or `oslo-messaging-broker`. */
  product?: string | undefined;
  /** Passwords by name, for PLAIN and SCRAM. With neither users nor tokens, ANONYMOUS and a connection without SASL are taken. */
  users?: ReadonlyMap<string, string> | undefined;
  /** For OAUTHBEARER and XOAUTH2. */
  tokens?: ReadonlySet<string> | undefined;
  /** The SASL mechanisms that are offered, in this order. Default: all that users, tokens and client certificates allow. */
  sasl?: readonly string[] | undefined;
  /**
   * The virtual hosts beside the default one, each with addresses of its own; a client names one as the hostname of its
   * Open, and is refused if there is none of that name. Absent: whatever it names, there is one for all.
   */
  virtualHosts?: readonly string[] | undefined;
  /** How addresses look. Default: as oslo's options have it. */
  addressing?: Addressing | undefined;
  /** What is absent has its default. */
  limits?: Partial<IntermediaryLimits> | undefined;
  /** Default: silent. */
  logger?: Logger | undefined;
}

/** Silence of a client that ends its connection; long, because browsers wake a hidden tab only once a minute. */
const IDLE_MS = 120_000;

const DEFAULT_LIMITS: IntermediaryLimits = {
  connections: 1_000,
  linksPerConnection: 10_000,
  queuedMessages: 200_000,
  queuedBytes: 256 * 1024 * 1024,
  maxMessageBytes: 16 * 1024 * 1024,
};

/**
 * An AMQP 1.0 router or broker inside this process, with the addresses that oslo.messaging needs. For development,
 * tests and the playground, not for production: it is one process, keeps what it stores in memory alone, and knows
 * neither access rights nor other intermediaries.
 *
 * It listens nowhere by itself: `accept` goes to a listener or to `memoryDial`. Who is let in may watch who is connected and who
 * listens where: see `watchTopology`.
 */
export class Intermediary implements AsyncDisposable {
  /** `close`, for `await using`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  /** Takes a stream that came in. */
  readonly accept: Accept = (socket) => this.#accept(socket);
  readonly #limits: IntermediaryLimits;
  readonly #logger: Logger;
  readonly #product: string;
  readonly #containerId: string;
  readonly #authenticator: Authenticator;
  readonly #linkBrokers: VirtualHosts<LinkBroker>;
  /** By socket; undefined until the Open has come. */
  readonly #clients = new Map<Socket, Connection | undefined>();
  #closed = false;

  /** @throws Error for a SASL mechanism that there is not, or that lacks the users or tokens that it needs. */
  constructor(options: IntermediaryOptions) {
    const { users, tokens, sasl } = options;
    this.#authenticator = new Authenticator({ users, tokens, mechanisms: sasl });
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#logger = options.logger ?? silentLogger;
    this.#product = options.product ?? `oslo-messaging-${options.kind}`;
    this.#containerId = `${this.#product}/${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(16)}`;
    const { queuedMessages: messages, queuedBytes: bytes } = this.#limits;
    const { kind } = options;
    const distributionOf = distributions(options.addressing);
    const budget = new Budget({ messages, bytes });
    this.#linkBrokers = new VirtualHosts(options.virtualHosts, () => {
      const clients = new Clients();
      const addresses = new AddressTable({ kind, distributionOf, budget, logger: this.#logger });
      const topology = new TopologyPublisher({ kind, product: this.#product, clients, addresses });
      const { linksPerConnection } = this.#limits;
      return new LinkBroker({ kind, linksPerConnection, clients, addresses, topology });
    });
  }

  /** How many streams are open. */
  get connections(): number {
    return this.#clients.size;
  }

  /** Closes all connections with amqp:connection:forced, and takes no new one. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const error = { condition: "amqp:connection:forced", description: `${this.#product} is closing` };
    const closing = [...this.#clients].map(async ([socket, connection]) => {
      if (connection === undefined) socket.close();
      else await connection.close(error);
    });
    await Promise.all(closing);
  }

  static {
    defineAsyncDispose(Intermediary.prototype, (intermediary) => intermediary.close());
  }

  #accept(socket: Socket): SocketHandlers {
    if (this.#closed || this.#clients.size >= this.#limits.connections) {
      this.#logger.warn(
        `${socket.id} refused: ${this.#closed ? "closed" : `${this.#clients.size} connections are open`}`,
      );
      socket.close();
      return { data() {}, drain() {}, close() {} };
    }
    this.#clients.set(socket, undefined);
    const handlers = this.#serve(socket);
    return {
      data: (bytes) => handlers.data(bytes),
      drain: () => handlers.drain(),
      close: (error) => {
        this.#clients.delete(socket);
        handlers.close(error);
      },
    };
  }

  #serve(socket: Socket): SocketHandlers {
    return accept(socket, {
      containerId: this.#containerId,
      properties: { product: this.#product },
      idleTimeoutMs: IDLE_MS,
      maxMessageBytes: this.#limits.maxMessageBytes,
      logger: this.#logger,
      sasl: this.#authenticator,
      onOpen: (connection, username) => this.#onOpen(connection, username),
      onLink: (request, connection) => this.#onLink(request, connection),
      onFailure: (error) => this.#logger.warn(`${socket.id} refused: ${error.message}`),
    });
  }

  #onOpen(connection: Connection, username: string | undefined): void {
    this.#clients.set(connection.socket, connection);
    const { containerId, hostname } = connection.remote;
    const broker = this.#linkBrokers.of(connection);
    if (broker === undefined) {
      this.#logger.warn(`${connection.socket.id} refused: there is no virtual host of the name that it wants`, {
        hostname,
      });
      void connection.close(noVirtualHost(connection));
      return;
    }
    broker.admit(connection, username);
    this.#logger.info(`${connection.socket.id} connected`, { containerId, username });
    void connection.closed.then((cause) => {
      this.#logger.info(`${connection.socket.id} disconnected`, { containerId, cause: cause?.message });
    });
  }

  #onLink(request: LinkRequest, connection: Connection): void {
    const broker = this.#linkBrokers.of(connection);
    if (broker === undefined) request.refuse(noVirtualHost(connection));
    else broker.receive(request, connection);
  }
}
