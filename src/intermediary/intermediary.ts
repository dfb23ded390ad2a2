import { defineAsyncDispose } from "../core/async-dispose.js";
import type { Accept, Socket, SocketHandlers } from "../core/byte-stream.js";
import type { Connection } from "../core/connection/connection.js";
import { accept } from "../core/connection/handshake.js";
import type { LinkRequest } from "../core/connection/link-request.js";
import { kindOf } from "../core/kinds.js";
import type { Logger } from "../core/logger.js";
import { wrongMembers } from "../core/member-names.js";
import { logOf, type RecurringWarnings } from "../core/recurring-warnings.js";
import { Authenticator } from "../core/sasl/server/authenticator.js";
import { AddressTable, type IntermediaryKind } from "./address-table.js";
import { type Addressing, distributions } from "./addresses.js";
import { Budget } from "./budget.js";
import { Clients } from "./clients.js";
import { LinkBroker } from "./link-broker.js";
import { TopologyPublisher } from "./topology-publisher.js";
import { noVirtualHost, VirtualHosts } from "./virtual-hosts.js";

/** Limits for untrusted clients. */
export interface IntermediaryLimits {
  /** Largest number of open streams; further ones are closed at once. Default 1,000. */
  connections: number;
  /** Largest number of links on one connection. Default 10,000. */
  linksPerConnection: number;
  /**
   * Largest number of messages held in memory for all addresses together. An address gets at most as much as is still
   * free; alone, it gets half of the limit. A router holds the messages that wait for their consumer's outcome, and
   * releases those over the limit; a broker rejects those with amqp:resource-limit-exceeded. Default 200,000.
   */
  queuedMessages: number;
  /** As `queuedMessages`, in bytes of encoded messages. Default 256 MiB. */
  queuedBytes: number;
  /** Largest message that is accepted, in bytes. Default 16 MiB. */
  maxMessageBytes: number;
}

/** Options of an {@link Intermediary}. */
export interface IntermediaryOptions {
  /**
   * `router`: forwards directly and stores nothing; producers get credit only while a consumer gives some, and get the
   * consumer's outcome. `broker`: stores in memory and forwards; accepts at once.
   */
  kind: IntermediaryKind;
  /**
   * The product in the Open: 1 to 100 printable ASCII characters. Default `oslo-messaging-router` or
   * `oslo-messaging-broker`.
   */
  product?: string | undefined;
  /**
   * Passwords by user name, for PLAIN and SCRAM. With neither users nor tokens, clients connect with ANONYMOUS or
   * without SASL.
   */
  users?: ReadonlyMap<string, string> | undefined;
  /** Accepted tokens, for OAUTHBEARER and XOAUTH2. */
  tokens?: ReadonlySet<string> | undefined;
  /** The offered SASL mechanisms, in this order. Default: all that users, tokens and client certificates allow. */
  sasl?: readonly string[] | undefined;
  /**
   * The virtual hosts beside the default one; each has its own addresses. A client selects one by the hostname of its
   * Open, and is refused if the name is unknown. Omitted: the hostname is ignored, and all clients share one virtual
   * host.
   */
  virtualHosts?: readonly string[] | undefined;
  /** The prefixes of addresses. Default: those of oslo's options. */
  addressing?: Addressing | undefined;
  /** Omitted limits have their defaults. */
  limits?: Partial<IntermediaryLimits> | undefined;
  /** Omitted or null: no logging. */
  logger?: Logger | null | undefined;
}

/** A product. The Open has it twice, and must fit into the smallest maximum frame size. */
export const PRODUCT = /^[ -~]{1,100}$/;

/** A connection is closed after this silence. Long, because browsers wake a hidden tab only once a minute. */
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
 * tests and the playground, not for production: it is a single process, stores messages only in memory, and has neither
 * access rights nor links to other intermediaries.
 *
 * It does not listen by itself: pass `accept` to a listener or to `memoryDial`. Every client that may connect may also
 * watch which clients are connected and which addresses they use: see `watchTopology`.
 */
export class Intermediary implements AsyncDisposable {
  /** Calls `close`, for `await using`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  /** Serves an incoming stream. */
  readonly accept: Accept = (socket) => this.#accept(socket);
  readonly #limits: IntermediaryLimits;
  readonly #logger: Logger;
  readonly #warnings: RecurringWarnings;
  readonly #product: string;
  readonly #containerId: string;
  readonly #authenticator: Authenticator;
  readonly #linkBrokers: VirtualHosts<LinkBroker>;
  /** The connections by socket; undefined until the Open arrives. */
  readonly #clients = new Map<Socket, Connection | undefined>();
  #closed = false;

  /**
   * @throws Error for an unknown SASL mechanism, or one without the users or tokens that it needs, or a bad product.
   * @throws TypeError for an unknown option, or one of the wrong type.
   */
  constructor(options: IntermediaryOptions) {
    checkOptions(options);
    const { users, tokens, sasl } = options;
    this.#authenticator = new Authenticator({ users, tokens, mechanisms: sasl });
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { logger, warnings } = logOf(options.logger ?? null);
    this.#logger = logger;
    this.#warnings = warnings;
    this.#product = options.product ?? `oslo-messaging-${options.kind}`;
    if (!PRODUCT.test(this.#product)) throw new Error("product: must be 1 to 100 printable ASCII characters");
    this.#containerId = `${this.#product}/${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(16)}`;
    const { queuedMessages: messages, queuedBytes: bytes } = this.#limits;
    const { kind } = options;
    const distributionOf = distributions(options.addressing);
    const budget = new Budget({ messages, bytes });
    this.#linkBrokers = new VirtualHosts(options.virtualHosts, () => {
      const clients = new Clients();
      const addresses = new AddressTable({ kind, distributionOf, budget, warnings });
      const topology = new TopologyPublisher({ kind, product: this.#product, clients, addresses });
      const { linksPerConnection, maxMessageBytes } = this.#limits;
      return new LinkBroker({ kind, linksPerConnection, maxMessageBytes, clients, addresses, topology });
    });
  }

  /** Number of open streams. */
  get connections(): number {
    return this.#clients.size;
  }

  /** Closes all connections with amqp:connection:forced, and refuses new ones. Idempotent. */
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
    if (typeof socket?.send !== "function") {
      throw new TypeError(
        `accept requires a socket, not ${kindOf(socket)}: a dialer is memoryDial(intermediary.accept)`,
      );
    }
    if (this.#closed || this.#clients.size >= this.#limits.connections) {
      const reason = this.#closed ? "closed" : `${this.#clients.size} connections are open`;
      this.#warnings.warn("too many connections", `${socket.id} refused: ${reason}`);
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
      warnings: this.#warnings,
      sasl: this.#authenticator,
      onOpen: (connection, username) => this.#onOpen(connection, username),
      onLink: (request, connection) => this.#onLink(request, connection),
      onFailure: (error, isProbe) => this.#onFailure(socket, error, isProbe),
    });
  }

  #onFailure(socket: Socket, error: Error, isProbe: boolean): void {
    const message = `${socket.id} refused: ${error.message}`;
    if (isProbe) this.#logger.debug(message);
    else this.#warnings.warn("refused connection", message);
  }

  #onOpen(connection: Connection, username: string | undefined): void {
    this.#clients.set(connection.socket, connection);
    const { containerId, hostname } = connection.remote;
    const broker = this.#linkBrokers.of(connection);
    if (broker === undefined) {
      const refused = `${connection.socket.id} refused: there is no virtual host of this name`;
      this.#warnings.warn("unknown virtual host", refused, { hostname });
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

const OPTIONS: readonly (keyof IntermediaryOptions)[] = [
  "kind",
  "product",
  "users",
  "tokens",
  "sasl",
  "virtualHosts",
  "addressing",
  "limits",
  "logger",
];

function checkOptions(options: IntermediaryOptions): void {
  const wrong = wrongMembers(options, OPTIONS) ?? wrongMembers(options.limits ?? {}, Object.keys(DEFAULT_LIMITS));
  if (wrong !== undefined) throw new TypeError(`the options of an intermediary: ${wrong}`);
  const { kind, users, tokens, logger } = options;
  if (kind !== "router" && kind !== "broker") {
    throw new TypeError(`kind must be "router" or "broker", not ${JSON.stringify(kind)}`);
  }
  if (users !== undefined && typeof users.get !== "function") {
    throw new TypeError(`users must be a Map of passwords by user name, not ${kindOf(users)}`);
  }
  if (tokens !== undefined && typeof tokens.has !== "function") {
    throw new TypeError(`tokens must be a Set, not ${kindOf(tokens)}`);
  }
  if (logger !== undefined && logger !== null && typeof logger.warn !== "function") {
    throw new TypeError(
      `logger must be an object with the methods debug, info, warn, error, or null, not ${kindOf(logger)}`,
    );
  }
}
