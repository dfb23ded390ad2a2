import type { Channel } from "../../amqp091/channel.js";
import type { Connection } from "../../amqp091/connection.js";
import type { StatusFeed } from "../../core/connection/status.js";
import type { ManagedConnection } from "../../core/connection/supervisor.js";
import { ConnectionLost } from "../../core/errors.js";
import type { Logger } from "../../core/logger.js";
import type { Log, RecurringWarnings } from "../../core/recurring-warnings.js";
import type { Peer } from "../driver.js";
import type { SendingConnection } from "../sending/operations.js";
import { Declarer } from "./declarer.js";
import type { ResolvedRabbitOptions } from "./option-table.js";
import { Pauses } from "./pauses.js";
import { Publisher } from "./publisher.js";
import type { PublishingContext } from "./publishing-context.js";

export interface PublishingConnectionInit extends Log {
  connection: Connection;
  /** `name:port`, for status and logs. */
  host: string;
  options: Pick<ResolvedRabbitOptions, "kombuReconnectDelayMs">;
  status: Pick<StatusFeed, "set">;
}

/** The connection of the driver that publishes: requests, notifications, replies and heartbeats. It has no consumers. */
export class PublishingConnection implements ManagedConnection, SendingConnection, PublishingContext {
  /** A receiver recognises a repeat by its `_unique_id`. */
  readonly repeatsAreRecognised = true;
  readonly declarer: Declarer;
  /** Publishes requests and notifications. */
  readonly requests: Publisher;
  /** Publishes replies and heartbeats, so that an error of a request does not interrupt them. */
  readonly replies: Publisher;
  readonly closed: Promise<Error | undefined>;
  readonly logger: Logger;
  readonly warnings: RecurringWarnings;
  readonly #init: PublishingConnectionInit;
  readonly #pauses: Pauses;
  readonly #refusals = new Map<string, Error>();
  #failure: Error | undefined;
  #endedBy: Error | undefined;

  constructor(init: PublishingConnectionInit) {
    const { connection, logger, warnings } = init;
    this.#init = init;
    this.logger = logger;
    this.warnings = warnings;
    this.#pauses = new Pauses(init.options.kombuReconnectDelayMs);
    this.declarer = new Declarer({ connection, warnings });
    this.requests = new Publisher(this);
    this.replies = new Publisher(this);
    this.closed = connection.closed.then((cause) => this.#end(this.#failure ?? cause));
  }

  get isOpen(): boolean {
    return this.#init.connection.isOpen;
  }

  get product(): string | undefined {
    return this.#init.connection.product;
  }

  get peer(): Peer {
    return { kind: "broker", product: this.product, host: this.#init.host };
  }

  get endedBy(): Error | undefined {
    return this.#endedBy;
  }

  get lost(): Error {
    return this.#failure ?? this.#endedBy ?? new ConnectionLost(`${this.#init.host}: the connection was closed`);
  }

  openChannel(): Promise<Channel> {
    return this.#init.connection.openChannel();
  }

  pause(): Promise<void> {
    return this.#pauses.pause();
  }

  refused(address: string, error: Error): void {
    if (!this.isOpen) return;
    this.#refusals.set(address, error);
    this.#init.status.set({ type: "refused", address, error });
    this.warnings.warn(`cannot publish to ${address}`, `cannot publish to ${address}: ${error.message}`, {
      host: this.#init.host,
    });
  }

  restored(address: string): void {
    if (!this.#refusals.delete(address) || this.#refusals.size > 0 || !this.isOpen) return;
    this.#init.status.set({ type: "connected", host: this.#init.host, product: this.product });
  }

  /** Why messages to this address are not sent: its declaration is refused, or the broker does not read. */
  refusalOf(address: string): Error | undefined {
    const { blocked } = this.#init.connection;
    const refusal = this.#refusals.get(address);
    if (refusal !== undefined || blocked === undefined) return refusal;
    return new Error(`the broker blocks messages: ${blocked}`);
  }

  /** Closes the connection with this cause. */
  fail(error: Error): void {
    if (!this.isOpen) return;
    this.#failure = error;
    void this.#init.connection.close();
  }

  check(): void {
    this.#init.connection.check();
  }

  async close(): Promise<void> {
    await this.#init.connection.close();
  }

  #end(cause: Error | undefined): Error | undefined {
    this.#endedBy = cause;
    this.#pauses.end();
    return cause;
  }
}
