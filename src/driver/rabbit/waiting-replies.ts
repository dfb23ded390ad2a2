import { toError } from "../../core/errors.js";
import type { Log } from "../../core/recurring-warnings.js";
import type { FailedOutcome, SendOutcome } from "../sending/outcomes.js";
import type { ObsoleteQueues } from "./obsolete-queues.js";
import type { OutgoingReply } from "./outgoing-reply.js";

/** Pause before a reply is sent again, as in oslo. */
const RETRY_MS = 250;
/** Most times that a reply is sent again because its connection ended: it may be the cause. */
const MAX_LOSSES = 10;
/** Most replies that wait, and most bytes of them. */
const MAX_REPLIES = 1_000;
const MAX_BYTES = 16 * 1024 * 1024;

export interface WaitingRepliesInit extends Pick<Log, "warnings"> {
  /** Longest time for which a queue may be missing. */
  missingMs: number;
  obsolete: ObsoleteQueues;
  /** Called with a reply that the broker rejects. Must not throw. */
  onRejected: (reply: OutgoingReply, outcome: FailedOutcome) => void;
}

/**
 * Replies that wait because their queue is missing, the broker blocks messages or there is no connection (amqpdriver.py AMQPIncomingMessage.reply). The
 * oldest reply to each queue is sent every 250 ms; the others follow when it is accepted. When a queue has been missing for
 * too long, all replies to it are discarded. Without a connection they wait until there is one.
 */
export class WaitingReplies {
  readonly #init: WaitingRepliesInit;
  /** The oldest first. */
  readonly #replies = new Set<OutgoingReply>();
  /** The same, by queue. */
  readonly #queues = new Map<string, Set<OutgoingReply>>();
  #bytes = 0;

  constructor(init: WaitingRepliesInit) {
    this.#init = init;
  }

  /** Sends the reply again until it is delivered or given up, and then ends it. */
  add(reply: OutgoingReply): void {
    this.#replies.add(reply);
    this.#bytes += reply.bytes;
    const { replyQueue } = reply.to;
    const waiting = this.#queues.get(replyQueue);
    if (waiting !== undefined) {
      waiting.add(reply);
    } else {
      const first = new Set([reply]);
      this.#queues.set(replyQueue, first);
      void this.#sendAll(replyQueue, first);
    }
    for (const oldest of this.#replies) {
      if (this.#replies.size <= MAX_REPLIES && this.#bytes <= MAX_BYTES) break;
      this.#discard(oldest, "too many replies", `${this.#replies.size} replies of ${this.#bytes} bytes were waiting`);
    }
  }

  /** Sends the replies to one queue, one after another, and those that are added meanwhile. */
  async #sendAll(queue: string, waiting: ReadonlySet<OutgoingReply>): Promise<void> {
    let missingMs: number | undefined; // the time since which the queue is known to be missing
    let isRetry = true;
    for (const reply of waiting) {
      let losses = 0;
      while (this.#replies.has(reply)) {
        const outcome = await this.#send(reply, isRetry);
        isRetry = mayWait(outcome);
        missingMs = outcome.type === "returned" ? (missingMs ?? performance.now()) : undefined;
        if (missingMs !== undefined && performance.now() - missingMs >= this.#init.missingMs) {
          this.#abandon(queue, waiting);
        } else if (outcome.type === "unknown" && ++losses > MAX_LOSSES) {
          this.#discard(reply, "RPC Reply failed", outcome.error.message);
        } else if (!isRetry && this.#remove(reply)) {
          reply.end();
          if (outcome.type !== "accepted") this.#init.onRejected(reply, outcome);
        }
      }
    }
    this.#queues.delete(queue);
  }

  async #send(reply: OutgoingReply, isRetry: boolean): Promise<SendOutcome> {
    const { operation } = reply;
    try {
      if (isRetry && operation.live !== undefined) await reply.pause(RETRY_MS);
      return await reply.send(operation.live ?? (await operation.connected()));
    } catch (thrown) {
      const error = toError(thrown);
      this.#discard(reply, "RPC Reply failed", error.message);
      return { type: "unsent", error };
    }
  }

  /** Gives up a queue that has been missing for too long. */
  #abandon(queue: string, waiting: ReadonlySet<OutgoingReply>): void {
    this.#init.obsolete.add(queue);
    const seconds = this.#init.missingMs / 1_000;
    for (const reply of waiting) {
      const reason = `due to a missing queue (${queue}). Abandoning...`;
      const abandoned = `The reply ${reply.to.messageId} failed to send after ${seconds} seconds ${reason}`;
      this.#init.warnings.warn(`missing ${queue}`, abandoned);
      this.#remove(reply);
      reply.end();
    }
  }

  /** Ends the attempt too, if one is under way. */
  #discard(reply: OutgoingReply, condition: string, reason: string): void {
    if (!this.#remove(reply)) return;
    const { replyQueue, messageId } = reply.to;
    this.#init.warnings.warn(condition, `discarded a reply to ${replyQueue}: ${reason}`, { messageId });
    reply.operation.deadline.expire();
    reply.end();
  }

  /** Returns false when the reply does not wait any more. */
  #remove(reply: OutgoingReply): boolean {
    if (!this.#replies.delete(reply)) return false;
    this.#bytes -= reply.bytes;
    this.#queues.get(reply.to.replyQueue)?.delete(reply);
    return true;
  }
}

/** True for a reply that waits: its queue is missing, or its connection ended. */
export function mayWait({ type }: SendOutcome): boolean {
  return type === "returned" || type === "unsent" || type === "unknown";
}
