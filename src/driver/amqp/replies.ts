import { toError } from "../../core/errors.js";
import type { Delivery } from "../../core/links/delivery.js";
import { decodeMessage, type Message } from "../../core/messages/message.js";
import { MessagingException } from "../exceptions.js";
import type { PendingReply, Reply } from "../sending/pending-reply.js";
import type { MessageIds } from "../values/ids.js";
import type { NonFiniteNumbers } from "../values/json.js";
import type { LinkContext } from "./link-context.js";
import { decodeReply } from "./wire.js";

const TARGET = "rpc-response";

export interface RepliesInit {
  credit: number;
  ids: MessageIds;
  nonFiniteNumbers: NonFiniteNumbers | undefined;
}

/**
 * The link that replies arrive on, and the calls that wait for them. It is attached at the first call, to an address that
 * the peer assigns. When it is refused or lost, the connection is closed and the driver connects again.
 */
export class Replies {
  readonly #context: LinkContext;
  readonly #credit: number;
  readonly #ids: MessageIds;
  readonly #nonFinite: NonFiniteNumbers | undefined;
  readonly #pending = new Map<string, PendingReply<Reply>>();
  #address: string | undefined;
  #attaching: Promise<string | Error> | undefined;

  constructor(context: LinkContext, { credit, ids, nonFiniteNumbers }: RepliesInit) {
    this.#context = context;
    this.#credit = credit;
    this.#ids = ids;
    this.#nonFinite = nonFiniteNumbers;
  }

  /** Address that replies are sent to. Undefined until the link is attached. */
  get address(): string | undefined {
    return this.#address;
  }

  /** Attaches the link. Resolves with its address, or with the error; then the connection is closed too. */
  attach(): Promise<string | Error> {
    this.#attaching ??= this.#attach();
    return this.#attaching;
  }

  /** Returns a new message ID. `reply` receives the reply to the request that is sent with it. */
  register(reply: PendingReply<Reply>): string {
    const id = this.#ids.next();
    reply.registered(id, this.#pending);
    return id;
  }

  /** Called when no more replies can arrive. Only acknowledged requests fail with this: the others fail with their own outcome. */
  end(cause: Error): void {
    for (const reply of this.#pending.values()) reply.connectionLost(cause);
  }

  async #attach(): Promise<string | Error> {
    const context = this.#context;
    try {
      const receiver = await context.openReceiver({
        name: context.linkName("receiver", TARGET),
        source: { dynamic: true },
        target: { address: TARGET },
        credit: this.#credit,
        onDelivery: this.#onDelivery,
        onTooLarge: this.#onTooLarge,
        onDetach: (error) => context.fail(noReplies(error)),
      });
      const address = receiver.source?.address;
      if (address === undefined) throw noReplies(new Error("the peer assigned no address"));
      this.#address = address;
      return address;
    } catch (thrown) {
      const error = noReplies(toError(thrown));
      context.fail(error);
      return error;
    }
  }

  #pendingOf({ correlationId }: Message): PendingReply<Reply> | undefined {
    return typeof correlationId === "string" ? this.#pending.get(correlationId) : undefined;
  }

  readonly #onTooLarge = (head: Uint8Array, reason: string): void => {
    try {
      this.#pendingOf(decodeMessage(head, true))?.settle(new MessagingException(`rejected the reply: ${reason}`));
    } catch {
      // Not a message, or its properties are too long.
    }
  };

  readonly #onDelivery = (delivery: Delivery): void => {
    const bytes = delivery.payload.length;
    let pending: PendingReply<Reply> | undefined;
    try {
      const { message } = delivery;
      pending = this.#pendingOf(message);
      if (pending === undefined) {
        const discarded = `discarded a reply (${bytes} bytes) that matches no call: it may have timed out`;
        this.#context.warnings.warn("reply without a call", discarded);
        delivery.modify({ deliveryFailed: true, undeliverableHere: true });
        return;
      }
      const reply = decodeReply(message, this.#nonFinite);
      delivery.accept();
      if (reply.type === "heartbeat") pending.heartbeat();
      else pending.settle(reply);
    } catch (thrown) {
      const error = toError(thrown);
      this.#context.warnings.warn("rejected reply", `rejected a reply of ${bytes} bytes: ${error.message}`);
      delivery.reject({ condition: "amqp:decode-error", description: error.message });
      pending?.settle(error);
    }
  };
}

function noReplies(cause: Error | undefined): Error {
  return new Error(`no link for replies: ${cause?.message ?? "the peer detached it"}`, { cause });
}
