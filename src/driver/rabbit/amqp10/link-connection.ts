import type { Connection } from "../../../core/connection/connection.js";
import type { Sender } from "../../../core/links/sender.js";
import type { Log } from "../../../core/recurring-warnings.js";
import type { BrokerConnection, ConsumerChannel, MessageSink } from "../broker-connection.js";
import type { PublishingContext } from "../publishing-context.js";
import { RecoveringSink } from "../recovering-sink.js";
import { LinkChannel } from "./link-channel.js";
import { LinkConsumers } from "./link-consumers.js";
import { LinkDeclarations } from "./link-declarations.js";
import { Management } from "./management.js";

/**
 * Most sessions for consumers. RabbitMQ permits 64 on a connection by default. Up to here each listener has a session of its own;
 * others share them.
 */
const MAX_SESSIONS = 40;

/** RabbitMQ closes the windows of all sessions in an alarm, and gives no reason. */
const BLOCKED = "an alarm (the broker has closed the incoming window of the session)";

export interface LinkConnectionInit extends Log {
  connection: Connection;
  /** `name:port`, for logs. */
  host: string;
  virtualHost: string;
  /** Largest body that is accepted, in bytes. */
  maxMessageBytes: number;
}

/** A connection of AMQP 1.0 to RabbitMQ 4. */
export class LinkConnection implements BrokerConnection {
  readonly declarations: LinkDeclarations;
  readonly #init: LinkConnectionInit;
  readonly #connection: Connection;
  readonly #management: Management;
  /** The sessions of consumers, each with those that use it. */
  readonly #sessions: Set<LinkConsumers>[] = [];
  /** The newest sending link that was used. */
  #sender: Sender | undefined;
  /** Whether the log has a warning that the broker accepts no messages. */
  #isWarned = false;
  #channels = 0;

  constructor(init: LinkConnectionInit) {
    this.#init = init;
    this.#connection = init.connection;
    this.#management = new Management(init.connection, this.#onUse);
    this.declarations = new LinkDeclarations(this.#connection, this.#management);
    void this.closed.then((cause) => {
      for (const session of this.#sessions) for (const consumers of session) consumers.end(cause);
    });
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  get closed(): Promise<Error | undefined> {
    return this.#connection.closed;
  }

  get product(): string | undefined {
    return this.#connection.remote.product;
  }

  get blocked(): string | undefined {
    return this.#sender?.attached && this.#sender.isBlocked ? BLOCKED : undefined;
  }

  openSink(context: PublishingContext): MessageSink {
    const init = { connection: this.#connection, session: {}, onUse: this.#onUse };
    return new RecoveringSink(context, () => LinkChannel.open({ ...init, name: `messages ${++this.#channels}` }));
  }

  async openConsumers(prefetch: number): Promise<ConsumerChannel> {
    const { connection, maxMessageBytes, warnings } = this.#init;
    const session = this.#freeSession();
    const name = `${++this.#channels}`;
    const onClose = (): void => void session.delete(consumers);
    const init = { connection, name, session, prefetch, maxMessageBytes, warnings, onClose };
    const consumers: LinkConsumers = new LinkConsumers(init);
    session.add(consumers);
    return consumers;
  }

  /** A session without consumers, or the one with the fewest: an error of one ends the session of all. */
  #freeSession(): Set<LinkConsumers> {
    const [fewest] = [...this.#sessions].sort((a, b) => a.size - b.size);
    if (fewest !== undefined && (fewest.size === 0 || this.#sessions.length >= MAX_SESSIONS)) return fewest;
    const session = new Set<LinkConsumers>();
    this.#sessions.push(session);
    return session;
  }

  async report(): Promise<Awaited<ReturnType<BrokerConnection["report"]>>> {
    const { remote, mechanism, socket } = this.#connection;
    const { product, version, idleTimeoutMs: heartbeatMs = 0 } = remote;
    const roundTripMs = await this.#management.roundTripMs();
    const { blocked } = this;
    return {
      protocol: "AMQP 1.0",
      encrypted: socket.encrypted,
      mechanism,
      product,
      version,
      virtualHost: this.#init.virtualHost,
      heartbeatMs,
      ...(blocked !== undefined && { blocked }),
      roundTripMs,
    };
  }

  check(): void {
    this.#connection.check();
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  readonly #onUse = (sender: Sender): void => {
    this.#sender = sender;
    if (sender.isBlocked === this.#isWarned) return;
    this.#isWarned = sender.isBlocked;
    const { host, logger, warnings } = this.#init;
    if (this.#isWarned) warnings.warn(`${host} blocked`, `${host} accepts no messages at present: ${BLOCKED}`);
    else logger.info(`${host} accepts messages again`);
  };
}
