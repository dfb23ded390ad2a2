import type { Deadline } from "../../core/deadlines.js";
import { ACCEPTED, type Outcome } from "../../core/messages/outcome.js";

/** The reply to one request. It may arrive before the peer acknowledges the request. */
export class PendingReply<R> {
  /** Restarts the call monitor. */
  readonly onHeartbeat: (() => void) | undefined;
  #unregister: (() => void) | undefined;
  #reply: R | Error | undefined;
  #onReply: ((reply: R | Error) => void) | undefined;
  #lostWith: Error | undefined;
  #onConnectionLost: ((cause: Error) => void) | undefined;

  constructor(onHeartbeat: (() => void) | undefined) {
    this.onHeartbeat = onHeartbeat;
  }

  /** Called when the request gets a new id. A reply to an earlier id is discarded. */
  registered(unregister: () => void): void {
    this.cancel();
    this.#unregister = unregister;
    this.#lostWith = undefined;
  }

  /** The outcome of `sent`, or `accepted` if the reply arrives first: a reply shows that the request was accepted. */
  accepted(sent: Promise<Outcome>): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#onReply = () => resolve(ACCEPTED);
      sent.then(resolve, reject);
    });
  }

  /**
   * The reply to an accepted request. Rejects with the error that ends the deadline, with the error of a reply that cannot
   * be read, and with `unanswered(cause)` when `connectionLost` was called.
   */
  value(deadline: Deadline, unanswered: (cause: Error) => Error): Promise<R> {
    return new Promise((resolve, reject) => {
      const settle = (reply: R | Error): void => (reply instanceof Error ? reject(reply) : resolve(reply));
      if (this.#reply !== undefined) return settle(this.#reply);
      if (this.#lostWith !== undefined) return reject(unanswered(this.#lostWith));
      this.#onReply = settle;
      this.#onConnectionLost = (cause) => reject(unanswered(cause));
      deadline.beginWait("reply", reject);
    });
  }

  settle(reply: R | Error): void {
    this.cancel();
    this.#reply = reply;
    this.#onReply?.(reply);
  }

  /** Called when the reply cannot arrive. Only an accepted request fails with this: any other one fails with its own outcome. */
  connectionLost(cause: Error): void {
    this.#lostWith = cause;
    this.#onConnectionLost?.(cause);
  }

  /** Unregisters the request. A reply that arrives from now on is discarded. */
  cancel(): void {
    this.#unregister?.();
    this.#unregister = undefined;
  }
}
