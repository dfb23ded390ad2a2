import { AbortSet } from "../../core/abort-set.js";
import type { Connection } from "../../core/connection/connection.js";
import type { StatusSink } from "../../core/connection/status.js";
import type { ManagedConnection } from "../../core/connection/supervisor.js";
import { AmqpError, ConnectionLost, FRAME_TOO_LARGE } from "../../core/errors.js";
import type { LinkInit } from "../../core/links/link.js";
import type { Receiver, ReceiverInit } from "../../core/links/receiver.js";
import type { Sender, SenderInit } from "../../core/links/sender.js";
import type { Logger } from "../../core/logger.js";
import type { Log, RecurringWarnings } from "../../core/recurring-warnings.js";
import type { Peer } from "../driver.js";
import type { ResolvedOptions } from "../options/options.js";
import type { SendingConnection } from "../sending/operations.js";
import { Pauses } from "../sending/pauses.js";
import type { MessageIds } from "../values/ids.js";
import type { NonFiniteNumbers } from "../values/json.js";
import type { Addresser } from "./addressing.js";
import type { LinkContext } from "./link-context.js";
import { productOf } from "./products.js";
import { Replies } from "./replies.js";
import { Senders } from "./senders.js";

/** Most links to reply addresses. Those addresses are untrusted input. */
const MAX_REPLY_LINKS = 1_000;

export interface DriverConnectionInit extends Log {
  connection: Connection;
  /** `name:port`, for status and logs. */
  host: string;
  addresser: Addresser;
  options: ResolvedOptions;
  nonFiniteNumbers?: NonFiniteNumbers | undefined;
  ids: MessageIds;
  status: StatusSink;
  /** When the connection ends, calls that wait for their replies fail. Default false, as oslo. */
  failFast?: boolean | undefined;
}

/** One connection of the driver, with its addresses, sending links and reply link. Listeners attach their links to it. */
export class DriverConnection implements ManagedConnection, SendingConnection, LinkContext {
  readonly addresser: Addresser;
  readonly repeatsAreRecognised = false;
  /** Links for requests, casts and notifications. */
  readonly requests: Senders;
  /** Links for replies, to the `reply_to` addresses of requests. */
  readonly responses: Senders;
  /** The link that replies to our calls arrive on. */
  readonly replies: Replies;
  /** Aborted when this connection ends. */
  readonly aborts = new AbortSet();
  readonly closed: Promise<Error | undefined>;
  readonly logger: Logger;
  readonly warnings: RecurringWarnings;
  readonly #init: DriverConnectionInit;
  readonly #refusals = new Map<string, Error>();
  readonly #pauses: Pauses;
  readonly #purge: ReturnType<typeof setInterval>;
  #failure: Error | undefined;
  #over: { cause: Error | undefined } | undefined;

  constructor(init: DriverConnectionInit) {
    const { connection, options, nonFiniteNumbers, ids } = init;
    this.#init = init;
    this.#pauses = new Pauses(options.linkRetryDelayMs);
    this.addresser = init.addresser;
    this.logger = init.logger;
    this.warnings = init.warnings;
    this.replies = new Replies(this, { credit: options.replyLinkCredit, ids, nonFiniteNumbers });
    this.requests = new Senders(this);
    this.responses = new Senders(this, MAX_REPLY_LINKS);
    this.#purge = setInterval(() => {
      this.requests.purge();
      this.responses.purge();
    }, options.defaultSenderLinkTimeoutMs);
    this.closed = connection.closed.then((cause) => this.#end(this.#failure ?? cause));
  }

  get isOpen(): boolean {
    return this.#init.connection.isOpen;
  }

  get product(): string | undefined {
    return this.#init.connection.remote.product;
  }

  /** The AMQP connection. */
  get amqp(): Connection {
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

  get endedBy(): Error | undefined {
    return this.#over?.cause;
  }

  openSender(init: SenderInit): Promise<Sender> {
    return fitting(init, (named) => this.#init.connection.openSender(named));
  }

  openReceiver(init: ReceiverInit): Promise<Receiver> {
    return fitting(init, (named) => this.#init.connection.openReceiver(named));
  }

  linkName(role: "sender" | "receiver", address: string): string {
    return `openstack.org/om/${role}/[${address}]/${this.#init.ids.next()}`;
  }

  pause(): Promise<void> {
    return this.#pauses.pause();
  }

  refused(address: string, error: Error, condition = noLinkTo(address)): void {
    if (!this.isOpen) return;
    this.#refusals.set(address, error);
    this.#init.status.set({ type: "refused", address, error });
    this.warnings.warn(condition, `${noLinkTo(address)}: ${error.message}`, { host: this.#init.host });
  }

  restored(address: string): void {
    if (!this.#refusals.delete(address) || this.#refusals.size > 0 || !this.isOpen) return;
    this.#init.status.set({ type: "connected", host: this.#init.host, product: this.product });
  }

  refusalOf(address: string): Error | undefined {
    return this.#refusals.get(address);
  }

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
    this.#pauses.end();
    this.aborts.abort(reasonOf(cause));
    if (this.#init.failFast) this.replies.end(reasonOf(cause));
    return cause;
  }
}

function noLinkTo(address: string): string {
  return `no link to ${address}`;
}

/** Opens a link. Where its attach does not fit into the peer's frames, its name loses the address. */
async function fitting<I extends LinkInit, L>(init: I, open: (init: I) => Promise<L>): Promise<L> {
  try {
    return await open(init);
  } catch (error) {
    if (!(error instanceof AmqpError) || error.condition !== FRAME_TOO_LARGE) throw error;
    return await open({ ...init, name: init.name.replace(/\[.*\]\//s, "") });
  }
}

function reasonOf(cause: Error | undefined): Error {
  return cause ?? new ConnectionLost("the connection was closed");
}
