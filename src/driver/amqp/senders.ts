import { AmqpError, toError } from "../../core/errors.js";
import type { Sender } from "../../core/links/sender.js";
import type { Message } from "../../core/messages/message.js";
import type { Outcome } from "../../core/messages/outcome.js";
import type { SendingConnection } from "../sending/operations.js";
import type { SendOperation } from "../sending/send-operation.js";
import type { Route } from "./addressing.js";
import type { LinkContext } from "./link-context.js";

type Sending = Pick<SendOperation<SendingConnection>, "deadline" | "settled" | "addressed" | "onQueued">;

/** The sending links of one connection, by address. They are attached at the first use and detached after a long idle time. */
export class Senders {
  readonly #context: LinkContext;
  readonly #max: number | undefined;
  readonly #links = new Map<string, SenderLink>();

  /**
   * Give `max` when the addresses are untrusted input. A link beyond `max` displaces the least recently used one, idle ones
   * first, and an idle link whose message was given up, for lack of credit for example, is detached.
   */
  constructor(context: LinkContext, max?: number) {
    this.#context = context;
    this.#max = max;
  }

  /**
   * Sends the message over the link to the route and resolves with its outcome. A refused or lost link is an outcome too.
   * Rejects only with the error that ends the deadline, or when the message cannot be encoded.
   */
  send(route: Route, message: Message, operation: Sending): Promise<Outcome> {
    operation.addressed(route.address);
    return this.#linkTo(route).send(message, operation);
  }

  /** Detaches the links that have not been used since the last call. */
  purge(): void {
    for (const link of [...this.#links.values()]) {
      if (link.isIdle && !link.wasUsed()) this.#drop(link);
    }
  }

  #linkTo(route: Route): SenderLink {
    const { address } = route;
    const existing = this.#links.get(address);
    if (existing !== undefined && this.#max === undefined) return existing;
    const link = existing ?? this.#create(route);
    // Moved to the end of the map, so that the least recently used link is at its start.
    this.#links.delete(address);
    if (this.#max !== undefined && this.#links.size >= this.#max) this.#dropOne();
    this.#links.set(address, link);
    return link;
  }

  #create(route: Route): SenderLink {
    const onFailure = (): void => {
      if (this.#max !== undefined && link.isIdle) this.#drop(link);
    };
    const condition = this.#max === undefined ? undefined : "no link to a reply address";
    const link = new SenderLink(this.#context, route, onFailure, condition);
    return link;
  }

  #dropOne(): void {
    const links = [...this.#links.values()];
    const link = links.find(({ isIdle }) => isIdle) ?? links[0];
    if (link !== undefined) this.#drop(link);
  }

  #drop(link: SenderLink): void {
    if (this.#links.get(link.address) === link) this.#links.delete(link.address);
    link.close();
  }
}

/** The link to one address. The next use after a refusal or a loss attaches it again, once a pause is over. */
class SenderLink {
  readonly #context: LinkContext;
  readonly #route: Route;
  readonly #onFailure: () => void;
  readonly #condition: string | undefined;
  #sender: Sender | undefined;
  #attaching: Promise<Sender | Error> | undefined;
  #pause: Promise<void> | undefined;
  #sending = 0;
  #used = true;
  #closed = false;

  /** `onFailure` is called when a message is given up. `condition`: see {@link LinkContext.refused}. */
  constructor(context: LinkContext, route: Route, onFailure: () => void, condition: string | undefined) {
    this.#context = context;
    this.#route = route;
    this.#onFailure = onFailure;
    this.#condition = condition;
  }

  get address(): string {
    return this.#route.address;
  }

  /** True while no message is being sent. */
  get isIdle(): boolean {
    return this.#sending === 0;
  }

  /** Returns true when the link has been used since the last call. */
  wasUsed(): boolean {
    const used = this.#used;
    this.#used = false;
    return used;
  }

  async send(message: Message, operation: Sending): Promise<Outcome> {
    this.#sending++;
    this.#used = true;
    let failed = true;
    try {
      const sender = this.#sender ?? (await operation.deadline.wait("credit", () => this.#attached()));
      const outcome: Outcome =
        "send" in sender ? await sender.send(message, operation) : { type: "unsent", error: sender };
      failed = false;
      return outcome;
    } finally {
      this.#sending--;
      if (failed) this.#onFailure();
    }
  }

  close(): void {
    this.#closed = true;
    this.#context.restored(this.address);
    void this.#sender?.close();
  }

  /** Attaches the link. Concurrent sends share one attach. */
  #attached(): Promise<Sender | Error> {
    this.#attaching ??= this.#attach().finally(() => {
      this.#attaching = undefined;
    });
    return this.#attaching;
  }

  async #attach(): Promise<Sender | Error> {
    await this.#pause;
    const { address, capabilities } = this.#route;
    try {
      const sender = await this.#context.openSender({
        name: this.#context.linkName("sender", address),
        source: { address },
        target: { address, capabilities },
        onDetach: (error) => this.#lost(error ?? detached(address)),
      });
      // A link that ended within the turn of its attach has called `onDetach` already.
      if (!sender.attached) return detached(address);
      if (this.#closed) void sender.close();
      else this.#sender = sender;
      this.#context.restored(address);
      return sender;
    } catch (thrown) {
      const error = toError(thrown);
      this.#lost(error);
      return error;
    }
  }

  #lost(error: Error): void {
    this.#sender = undefined;
    if (this.#closed) return;
    this.#context.refused(this.address, error, this.#condition);
    this.#pause = this.#context.pause().then(() => {
      if (this.isIdle) this.#context.restored(this.address);
    });
  }
}

function detached(address: string): AmqpError {
  return new AmqpError({
    condition: "amqp:link:detach-forced",
    description: `the peer detached the link to ${address}`,
  });
}
