import type { Deadline } from "../../core/deadlines.js";
import { ACCEPTED } from "../../core/messages/outcome.js";
import type { SendOutcome } from "../sending/outcomes.js";
import type { Route } from "./topology.js";

/** A message to send. */
export interface RabbitMessage {
  /** JSON text, compressed with `compression`. */
  readonly body: Uint8Array;
  /** Have the message returned when no queue receives it. */
  readonly mandatory: boolean;
  /** Milliseconds that the message may wait in a queue. Omitted: no limit. */
  readonly expirationMs?: number | undefined;
  readonly compression?: "gzip" | undefined;
  /** The reply to a request. A request that is answered is not sent again. */
  readonly reply?: { readonly isAnswered: boolean } | undefined;
}

/** The place where a message waits before it is sent. */
interface Stage {
  /** Called when the message is given up. */
  abandoned(publishing: Publishing): void;
}

/** Limits the messages that are sent and not confirmed. */
interface Limit {
  /** Called when the message is confirmed or given up. */
  leave(): void;
}

/** One message on its way to its outcome. */
export class Publishing {
  readonly route: Route;
  readonly message: RabbitMessage;
  readonly #deadline: Deadline;
  readonly #resolve: (outcome: SendOutcome) => void;
  readonly #reject: (reason: unknown) => void;
  #stage: Stage | undefined;
  /** The limit that counts the message. */
  limit: Limit | undefined;
  /** Whether the outcome is known or the message was given up. */
  isOver = false;
  /** Whether the message has left at least once. */
  wasSent = false;
  /** Errors of other messages that ended the channel of this one. */
  interruptions = 0;
  /** Times that the exchange of the message did not exist. */
  misses = 0;
  /** Whether the message is sent alone, because it may be the one that closes the channel. */
  isSuspect = false;

  constructor(
    route: Route,
    message: RabbitMessage,
    deadline: Deadline,
    resolve: (outcome: SendOutcome) => void,
    reject: (reason: unknown) => void,
  ) {
    this.route = route;
    this.message = message;
    this.#deadline = deadline;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** True when there is no need to send the message again: it was given up, or its reply shows that it was received. */
  get isDone(): boolean {
    return this.isOver || this.message.reply?.isAnswered === true;
  }

  /** Called when the message begins to wait for its turn. May give the message up. */
  waitIn(stage: Stage): void {
    const isFirst = this.#stage === undefined;
    this.#stage = stage;
    if (isFirst && !this.wasSent) this.#deadline.beginWait("credit", this.#abandon);
  }

  /** Called before the message leaves. Returns false when it is given up instead, or answered meanwhile. */
  leave(): boolean {
    this.#stage = undefined;
    if (this.isDone) {
      this.settle(ACCEPTED);
      return false;
    }
    // A message that is sent again stays in this phase: its fate is unknown.
    if (!this.wasSent) this.#deadline.beginWait("acknowledgement", this.#abandon);
    if (this.isOver) return false;
    this.wasSent = true;
    return true;
  }

  /**
   * A request that is answered was accepted, whatever became of its confirm. The wait of the deadline is not ended: the
   * operation may wait for something else by now.
   */
  settle(outcome: SendOutcome): void {
    if (this.isOver) return;
    const isAnswered = this.message.reply?.isAnswered === true;
    this.isOver = true;
    this.#resolve(isAnswered ? ACCEPTED : outcome);
  }

  fail(reason: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#reject(reason);
  }

  /** The outcome when the connection ends before a confirm. */
  lost(error: Error): void {
    this.settle({ type: this.wasSent ? "unknown" : "unsent", error });
  }

  readonly #abandon = (reason: unknown): void => {
    if (this.isOver) return;
    this.fail(reason);
    this.#stage?.abandoned(this);
  };
}
