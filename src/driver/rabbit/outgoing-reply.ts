import type { Operations, SendingConnection } from "../sending/operations.js";
import type { SendOutcome } from "../sending/outcomes.js";
import { SendOperation } from "../sending/send-operation.js";
import type { MessageIds } from "../values/ids.js";
import { compress } from "./compression.js";
import type { ResolvedRabbitOptions } from "./option-table.js";
import type { Publisher } from "./publisher.js";
import { type Route, replyRoute } from "./topology.js";
import type { ReplyTo } from "./wire.js";

/** A connection that replies are published on. */
export interface ReplyConnection extends SendingConnection {
  /** True while the broker reads no messages: an alarm. */
  readonly isBlocked: boolean;
  /** Publishes replies and heartbeats. */
  readonly replies: Pick<Publisher, "publish">;
}

/** What all replies of a driver share. */
export interface ReplyContext {
  operations: Operations<ReplyConnection>;
  ids: Pick<MessageIds, "next">;
  options: ResolvedRabbitOptions;
}

export interface OutgoingReplyInit {
  to: ReplyTo;
  /** Name of the operation, in oslo's words. */
  operation: string;
  /** Most milliseconds until it is accepted. Undefined: no limit. */
  timeoutMs: number | undefined;
  body: Uint8Array;
  /** The `_unique_id` in the body. */
  uniqueId: string;
}

/** A reply or a heartbeat from its start until it is delivered or given up. */
export class OutgoingReply {
  readonly to: ReplyTo;
  readonly operation: SendOperation<ReplyConnection>;
  readonly #context: ReplyContext;
  readonly #route: Route;
  readonly #body: Uint8Array;
  #uniqueId: string;
  #isSent = false;

  /** @throws MessagingException when the transport is closed. */
  constructor(context: ReplyContext, { to, operation, timeoutMs, body, uniqueId }: OutgoingReplyInit) {
    this.to = to;
    this.#context = context;
    this.#route = replyRoute(to.replyQueue);
    this.#body = body;
    this.#uniqueId = uniqueId;
    this.operation = new SendOperation<ReplyConnection>(context.operations, {
      operation,
      target: to.replyQueue,
      timeoutMs: undefined,
      defaultMs: timeoutMs,
      retry: undefined,
      signal: undefined,
    });
  }

  /** Size of the body. */
  get bytes(): number {
    return this.#body.length;
  }

  /**
   * Publishes the reply, under a new `_unique_id` each time: the receiver would discard a repeat.
   *
   * @throws RangeError when the name of the queue is too long.
   * @throws the reason for which the operation ends.
   */
  async send(connection: ReplyConnection): Promise<SendOutcome> {
    if (this.#isSent) this.#renew();
    this.#isSent = true;
    const { directMandatoryFlag: mandatory, kombuCompression: compression } = this.#context.options;
    const body = compression === undefined ? this.#body : await compress(this.#body);
    return await connection.replies.publish(this.#route, { body, mandatory, compression }, this.operation);
  }

  /** Resolves after `ms`. Throws the reason for which the operation ends, if it ends first. */
  pause(ms: number): Promise<void> {
    const { deadline } = this.operation;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        deadline.endWait();
        resolve();
      }, ms);
      deadline.beginWait("credit", (reason) => {
        clearTimeout(timer);
        reject(reason);
      });
    });
  }

  end(): void {
    this.operation.end();
  }

  /** Replaces the ID in the body, which ends with it. The value is not encoded again: it may have changed since. */
  #renew(): void {
    const next = this.#context.ids.next();
    const at = lastIndexOf(this.#body, this.#uniqueId);
    for (let i = 0; i < next.length; i++) this.#body[at + i] = next.charCodeAt(i);
    this.#uniqueId = next;
  }
}

/** Position of the last occurrence of ASCII text, which the bytes have. */
function lastIndexOf(bytes: Uint8Array, text: string): number {
  let at = bytes.length - text.length;
  while (at > 0 && !isAt(bytes, at, text)) at--;
  return at;
}

function isAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
