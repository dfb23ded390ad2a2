import type { AbortSet } from "../../core/abort-set.js";
import { toError } from "../../core/errors.js";
import type { Log } from "../../core/recurring-warnings.js";
import type { IncomingMessage, ListenOptions } from "../driver.js";
import { MessageDeliveryFailure, type RemoteFailure } from "../exceptions.js";
import { acceptedReplyTo } from "../sending/accepted-reply-to.js";
import type { NonFiniteNumbers } from "../values/json.js";
import type { KnownIds } from "../values/known-ids.js";
import { toReplyFailure } from "../values/reply-failure.js";
import type { QueueDelivery } from "./broker-connection.js";
import { type DecodedRequest, decodeRequest, encodeFailure, encodeReply, type ReplyTo } from "./wire.js";

/** Sends the replies to requests. */
export interface ReplySending {
  /**
   * Sends a reply. Resolves when the broker has accepted it, and when it begins to wait for its queue or a connection.
   * Resolves with the error when it is not delivered; the outcome of a reply that the broker refuses is `rejected`.
   *
   * @throws the error of `encode`.
   */
  reply(to: ReplyTo, encode: (uniqueId: string) => Uint8Array): Promise<Error | undefined>;
  /** Sends a heartbeat, unless one to the same request failed before. */
  heartbeat(to: ReplyTo): void;
}

export interface IncomingMessageInit extends Log {
  replies: ReplySending;
  /** Aborted when the driver is closed. */
  aborts: AbortSet;
  nonFiniteNumbers: NonFiniteNumbers | undefined;
  acceptReplyTo: ListenOptions["acceptReplyTo"];
  /** Ids of the messages that were acknowledged: a repeat is acknowledged, and not handed over. Undefined for requests. */
  acknowledged: KnownIds | undefined;
}

/**
 * The message of a delivery, whose body is not compressed any more. Undefined when it is not to be handled: it cannot be
 * decoded, or it is a repeat.
 */
export function readIncoming(
  queue: string,
  delivery: QueueDelivery,
  body: Uint8Array,
  init: IncomingMessageInit,
): IncomingMessage | undefined {
  try {
    const { contentType } = delivery.properties;
    const request = decodeRequest({ body, contentType }, init.nonFiniteNumbers);
    const { uniqueId, replyTo } = request;
    if (uniqueId !== undefined && init.acknowledged?.has(uniqueId)) {
      init.logger.debug("acknowledged a repeated notification: it was handled before", { queue, uniqueId });
      delivery.ack();
      return undefined;
    }
    const accepted = replyTo && acceptedReplyTo(replyTo.replyQueue, init.acceptReplyTo ?? isReplyQueue, init);
    return new RabbitIncomingMessage(delivery, request, accepted === undefined ? undefined : replyTo, init);
  } catch (thrown) {
    rejectUnreadable(queue, delivery, toError(thrown), init);
    return undefined;
  }
}

/** Rejects a message without requeue. The log has only its size and the reason, because its body may hold a token. */
export function rejectUnreadable(queue: string, delivery: QueueDelivery, { message }: Error, { warnings }: Log): void {
  const size = delivery.body.length;
  warnings.warn(`rejected from ${queue}`, `rejected a message of ${size} bytes from queue ${queue}: ${message}`);
  delivery.reject(false);
}

/** Replies go to the queue that a request names: without a check, to any queue of the virtual host. */
function isReplyQueue(name: string): boolean {
  return name.startsWith("reply_");
}

class RabbitIncomingMessage implements IncomingMessage {
  readonly context: object;
  readonly body: unknown;
  readonly messageId: string | undefined;
  readonly identity: string | undefined;
  readonly #delivery: QueueDelivery;
  readonly #replyTo: ReplyTo | undefined;
  readonly #init: IncomingMessageInit;
  #abort: AbortController | undefined;

  constructor(
    delivery: QueueDelivery,
    request: DecodedRequest,
    replyTo: ReplyTo | undefined,
    init: IncomingMessageInit,
  ) {
    this.context = request.context;
    this.body = request.body;
    this.messageId = request.replyTo?.messageId;
    this.identity = request.uniqueId;
    this.#delivery = delivery;
    this.#replyTo = replyTo;
    this.#init = init;
  }

  get wantsReply(): boolean {
    return this.#replyTo !== undefined;
  }

  get callMonitorTimeoutMs(): number | undefined {
    return this.#replyTo?.callMonitorTimeoutMs;
  }

  /** Replies go by another connection, to a queue that outlives that of the request. So its loss aborts nothing. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.wantsReply) this.#init.aborts.add(this.#abort);
    }
    return this.#abort.signal;
  }

  get linkLost(): boolean {
    return this.#delivery.isLost;
  }

  /** A message whose channel was lost meanwhile is delivered again. Then it is a repeat. */
  acknowledge(): void {
    if (this.identity !== undefined) this.#init.acknowledged?.add(this.identity);
    this.#delivery.ack();
  }

  requeue(): void {
    this.#delivery.reject(true);
  }

  async reply(value: unknown): Promise<void> {
    const error = await this.#reply((ids) => encodeReply(value, ids));
    if (!(error instanceof MessageDeliveryFailure) || error.outcome !== "rejected") return this.#warn(error);
    this.#init.logger.debug(`sending a failure instead: ${error.message}`, { messageId: this.messageId });
    await this.replyFailure(toReplyFailure(error));
  }

  async replyFailure(failure: RemoteFailure): Promise<void> {
    this.#warn(await this.#reply((ids) => encodeFailure(failure, ids)));
  }

  heartbeat(): void {
    if (this.#replyTo !== undefined) this.#init.replies.heartbeat(this.#replyTo);
  }

  #warn(error: Error | undefined): void {
    if (error === undefined) return;
    this.#init.warnings.warn("RPC Reply failed", error.message, { messageId: this.messageId });
  }

  /** Resolves with the error when the reply is not delivered. Throws what the encoder throws. */
  async #reply(encode: (ids: { messageId: string; uniqueId: string }) => Uint8Array): Promise<Error | undefined> {
    const replyTo = this.#replyTo;
    if (replyTo === undefined) return undefined;
    const { messageId } = replyTo;
    try {
      return await this.#init.replies.reply(replyTo, (uniqueId) => encode({ messageId, uniqueId }));
    } finally {
      if (this.#abort !== undefined) this.#init.aborts.delete(this.#abort);
    }
  }
}
