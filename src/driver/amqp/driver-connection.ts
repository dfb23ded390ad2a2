import type { Connection } from "../../core/connection/connection.js";
import type { StatusFeed } from "../../core/connection/status.js";
import type { ManagedConnection } from "../../core/connection/supervisor.js";
import type { Deadline } from "../../core/deadlines.js";
import { ConnectionLost } from "../../core/errors.js";
import type { Receiver, ReceiverInit } from "../../core/links/receiver.js";
import type { Progress } from "../../core/links/sender.js";
import type { Logger } from "../../core/logger.js";
import type { Message } from "../../core/messages/message.js";
import type { Outcome } from "../../core/messages/outcome.js";
import type { Peer } from "../driver.js";
import type { ResolvedOptions } from "../options/options.js";
import type { MessageIds } from "../values/ids.js";
import type { NonFiniteNumbers } from "../values/json.js";
import type { Addresser, Route } from "./addressing.js";
import { productOf } from "./products.js";
import { Replies } from "./replies.js";
import { Senders } from "./senders.js";

/** Reply addresses are the senders' word: so many links are kept for them. */
const MAX_REPLY_LINKS = 1_000;

export interface SendOptions {
  settled: boolean;
  deadline: Deadline;
  progress?: Progress | undefined;
}

export interface DriverConnectionInit {
  connection: Connection;
  /** `name:port`, for status and logs. */
  host: string;
  addresser: Addresser;
  options: ResolvedOptions;
  nonFiniteNumbers: NonFiniteNumbers | undefined;
  ids: MessageIds;
  status: StatusFeed;
  logger: Logger;
  /** Calls that wait for their replies fail when the connection is over. */
  failFast: boolean;
}

/** What lives for one connection: its addresses, its sending links, its reply link. Listeners attach theirs to it. */
export class DriverConnection implements ManagedConnection {
  readonly addresser: Addresser;
  readonly replies: Replies;
  readonly closed: Promise<Error | undefined>;
  readonly logger: Logger;
  readonly #init: DriverConnectionInit;
  readonly #requests: Senders;
  readonly #answers: Senders;
  readonly #refusals = new Map<string, Error>();
  readonly #pauses = new Set<() => void>();
  readonly #aborts = new Set<AbortController>();
  readonly #purge: ReturnType<typeof setInterval>;
  #failure: Error | undefined;
  #over: { cause: Error | undefined } | undefined;

  constructor(init: DriverConnectionInit) {
    const { connection, options, nonFiniteNumbers, ids } = init;
    this.#init = init;
    this.addresser = init.addresser;
    this.logger = init.logger;
    this.replies = new Replies(this, { credit: options.replyLinkCredit, ids, nonFiniteNumbers });
    this.#requests = new Senders(this, connection);
    this.#answers = new Senders(this, connection, MAX_REPLY_LINKS);
    this.#purge = setInterval(() => {
      this.#requests.purge();
      this.#answers.purge();
    }, options.defaultSenderLinkTimeoutMs);
    this.closed = connection.closed.then((cause) => this.#end(this.#failure ?? cause));
  }

  get isOpen(): boolean {
    return this.#init.connection.isOpen;
  }

  get product(): string | undefined {
    return this.#init.connection.remote.product;
  }

  /** For links that are nobody else's. */
  get connection(): Connection {
    return this.#init.connection;
  }

  /** `name:port`. */
  get host(): string {
    return this.#init.host;
  }

  get peer(): Peer {
    const { product } = this;
    return { kind: productOf(product).kind, product, host: this.#init.host };
  }

  /** Why the connection ended; undefined while it has not, and when it was closed here. */
  get endedBy(): Error | undefined {
    return this.#over?.cause;
  }

  /** Aborts it when this connection is over, unless it is forgotten before. */
  abortAtEnd(controller: AbortController): void {
    if (this.#over === undefined) this.#aborts.add(controller);
    else controller.abort(reasonOf(this.#over.cause));
  }

  forget(controller: AbortController): void {
    this.#aborts.delete(controller);
  }

  /** Over the link for this address, which is attached at the first use. Rejects with what ends the deadline. */
  send(route: Route, message: Message, options: SendOptions): Promise<Outcome> {
    return this.#requests.send(route, message, options);
  }

  /** The same for an address that a peer gave: over one of a bounded number of links. */
  answer(address: string, message: Message, options: SendOptions): Promise<Outcome> {
    return this.#answers.send({ address, capabilities: [] }, message, options);
  }

  openReceiver(init: ReceiverInit): Promise<Receiver> {
    return this.#init.connection.openReceiver(init);
  }

  /** A name for a link that nobody else on this connection has, as the Python driver makes them. */
  linkName(role: "sender" | "receiver", address: string): string {
    return `openstack.org/om/${role}/[${address}]/${this.#init.ids.next()}`;
  }

  /** The time before a link, or a message that came back, is tried again; shorter when the connection is over. */
  pause(): Promise<void> {
    if (this.#over !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, this.#init.options.linkRetryDelayMs);
      this.#pauses.add(end);
    });
  }

  /** A link was refused or detached, or could not be attached again. */
  refused(address: string, error: Error): void {
    if (!this.isOpen) return;
    this.#refusals.set(address, error);
    this.#init.status.set({ type: "refused", address, error });
    this.logger.warn(`no link to ${address}: ${error.message}`, { host: this.#init.host });
  }

  /** The link is there again, or nobody wants it any more. */
  restored(address: string): void {
    if (!this.#refusals.delete(address) || this.#refusals.size > 0 || !this.isOpen) return;
    this.#init.status.set({ type: "connected", host: this.#init.host, product: this.product });
  }

  /** Why there is no link to an address at the moment, if that is so. */
  refusalOf(address: string): Error | undefined {
    return this.#refusals.get(address);
  }

  /** The connection is of no use any more: it is closed, with this as the cause, and another one is made. */
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
    this.#over = { cause };
    clearInterval(this.#purge);
    for (const end of [...this.#pauses]) end();
    for (const controller of this.#aborts) controller.abort(reasonOf(cause));
    this.#aborts.clear();
    if (this.#init.failFast) this.replies.end(reasonOf(cause));
    return cause;
  }
}

function reasonOf(cause: Error | undefined): Error {
  return cause ?? new ConnectionLost("the connection was closed");
}
