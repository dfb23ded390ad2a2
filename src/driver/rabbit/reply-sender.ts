import { toError } from "../../core/errors.js";
import type { Log } from "../../core/recurring-warnings.js";
import type { MessageDeliveryFailure } from "../exceptions.js";
import { toReplyFailure } from "../values/reply-failure.js";
import { ObsoleteQueues } from "./obsolete-queues.js";
import { OutgoingReply, type ReplyContext } from "./outgoing-reply.js";
import { mayWait, WaitingReplies } from "./waiting-replies.js";
import { encodeFailure, encodeHeartbeat, type ReplyTo } from "./wire.js";

/** Operations, in oslo's words. */
const REPLY = "RPC Reply";
const KEEP_ALIVE = "RPC KeepAlive";

export interface ReplySenderInit extends ReplyContext, Pick<Log, "warnings"> {}

/**
 * Sends replies and heartbeats to the queues that requests name (amqpdriver.py AMQPIncomingMessage). A reply whose queue is
 * missing waits: its client may be about to declare the queue again, after a restart of the broker.
 */
export class ReplySender {
  readonly #init: ReplySenderInit;
  readonly #obsolete = new ObsoleteQueues();
  readonly #waiting: WaitingReplies;
  /** Requests that get no more heartbeats. */
  readonly #silenced = new WeakSet<ReplyTo>();
  /** Requests whose reply was replaced by a failure. */
  readonly #replaced = new WeakSet<ReplyTo>();

  constructor(init: ReplySenderInit) {
    this.#init = init;
    this.#waiting = new WaitingReplies({
      warnings: init.warnings,
      missingMs: init.options.kombuMissingConsumerRetryTimeoutMs,
      obsolete: this.#obsolete,
      onRejected: ({ to, operation }, outcome) => void this.#replace(to, operation.failure(outcome)),
    });
  }

  /**
   * Sends a reply. Resolves when the broker has accepted it, and when it begins to wait for its queue, a connection or the
   * end of an alarm.
   * Resolves with the error when it is not delivered; the outcome of a reply that the broker refuses is `rejected`.
   *
   * @param encode Encodes the reply with this `_unique_id`. Called once, at once.
   * @throws the error of `encode`.
   */
  async reply(to: ReplyTo, encode: (uniqueId: string) => Uint8Array): Promise<Error | undefined> {
    const { messageId, replyQueue } = to;
    if (this.#obsolete.has(replyQueue)) {
      const dropped = `${replyQueue} doesn't exist, drop reply to ${messageId}`;
      this.#init.warnings.warn(`obsolete ${replyQueue}`, dropped);
      return undefined;
    }
    const uniqueId = this.#init.ids.next();
    return await this.#send(to, encode(uniqueId), uniqueId);
  }

  /** Sends a heartbeat, once. None follows to a queue that the broker refuses. */
  heartbeat(to: ReplyTo): void {
    const { callMonitorTimeoutMs: timeoutMs, replyQueue } = to;
    // A Python client whose call has no monitor fails on a heartbeat.
    if (timeoutMs === undefined || this.#silenced.has(to) || this.#obsolete.has(replyQueue)) return;
    void this.#beat(to, timeoutMs);
  }

  async #send(to: ReplyTo, body: Uint8Array, uniqueId: string): Promise<Error | undefined> {
    let reply: OutgoingReply | undefined;
    try {
      reply = new OutgoingReply(this.#init, { to, operation: REPLY, timeoutMs: undefined, body, uniqueId });
      const { live } = reply.operation;
      const outcome = live === undefined || live.isBlocked ? undefined : await reply.send(live);
      if (outcome === undefined || mayWait(outcome)) {
        this.#waiting.add(reply);
        return undefined;
      }
      reply.end();
      return outcome.type === "accepted" ? undefined : reply.operation.failure(outcome);
    } catch (thrown) {
      reply?.end();
      return toError(thrown);
    }
  }

  /** Sends a failure in the place of a reply that the broker rejected after it had waited. */
  async #replace(to: ReplyTo, error: MessageDeliveryFailure): Promise<void> {
    if (this.#replaced.has(to)) return this.#warn(REPLY, error, to);
    this.#replaced.add(to);
    const { messageId } = to;
    const failure = toReplyFailure(error);
    const failed = await this.reply(to, (uniqueId) => encodeFailure(failure, { messageId, uniqueId }));
    if (failed !== undefined) this.#warn(REPLY, failed, to);
  }

  async #beat(to: ReplyTo, timeoutMs: number): Promise<void> {
    const uniqueId = this.#init.ids.next();
    const body = encodeHeartbeat({ messageId: to.messageId, uniqueId });
    let beat: OutgoingReply | undefined;
    try {
      beat = new OutgoingReply(this.#init, { to, operation: KEEP_ALIVE, timeoutMs, body, uniqueId });
      const { operation } = beat;
      const outcome = await beat.send(operation.live ?? (await operation.connected()));
      if (outcome.type === "accepted") return;
      if (outcome.type === "returned" || outcome.type === "rejected") this.#silenced.add(to);
      this.#warn(KEEP_ALIVE, operation.failure(outcome), to);
    } catch (thrown) {
      this.#warn(KEEP_ALIVE, toError(thrown), to);
    } finally {
      beat?.end();
    }
  }

  #warn(operation: string, { message }: Error, { messageId }: ReplyTo): void {
    this.#init.warnings.warn(`${operation} failed`, message, { messageId });
  }
}
