import type { Deadline } from "../../core/deadlines.js";
import { ACCEPTED, type DeliveryState } from "../../core/messages/outcome.js";
import type { RemoteFailure } from "../exceptions.js";

/** The reply that ends a call. */
export type Reply =
  | { readonly type: "response"; readonly value: unknown }
  | { readonly type: "failure"; readonly failure: RemoteFailure };

/** The operation of the request. */
interface RequestOperation {
  readonly deadline: Deadline;
  /** The error for a reply that cannot arrive because its connection ended. */
  unanswered(cause: Error): Error;
}

/** The reply to one request. It may arrive before the peer acknowledges the request. */
export class PendingReply<R> {
  readonly #operation: RequestOperation;
  readonly #onHeartbeat: (() => void) | undefined;
  #id = "";
  #pending: Map<string, PendingReply<R>> | undefined;
  #reply: R | Error | undefined;
  #onReply: ((reply: R | Error) => void) | undefined;
  #lost: Error | undefined;
  #isAccepted = false;
  #isAnswered = false;
  /** Resolves `accepted`. */
  #accept: (() => void) | undefined;

  /** `onHeartbeat` restarts the call monitor. */
  constructor(operation: RequestOperation, onHeartbeat: (() => void) | undefined) {
    this.#operation = operation;
    this.#onHeartbeat = onHeartbeat;
  }

  /** True when the reply or a heartbeat has arrived: the request must not be sent again. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Called when the request gets a new id among the pending replies of its connection. A reply to an earlier id is discarded. */
  registered(id: string, pending: Map<string, PendingReply<R>>): void {
    this.cancel();
    this.#lost = undefined;
    this.#isAnswered = false;
    this.#id = id;
    this.#pending = pending;
    pending.set(id, this);
  }

  /** The result of `sent`, or `accepted` if the reply or a heartbeat arrives first: both show that the request was accepted. */
  accepted<T>(sent: Promise<T>): Promise<T | DeliveryState> {
    return new Promise((resolve, reject) => {
      const accept = (): void => resolve(ACCEPTED);
      this.#accept = accept;
      this.#onReply = accept;
      sent.then(resolve, reject);
    });
  }

  /**
   * The reply to an accepted request. Rejects with the error that ends the deadline, with the error of a reply that cannot
   * be read, and with the `unanswered` error of the operation when `connectionLost` was called.
   */
  value(): Promise<R> {
    this.#isAccepted = true;
    return new Promise((resolve, reject) => {
      const settle = (reply: R | Error): void => (reply instanceof Error ? reject(reply) : resolve(reply));
      const known = this.#reply ?? this.#lost;
      if (known !== undefined) return settle(known);
      this.#onReply = settle;
      this.#operation.deadline.beginWait("reply", reject);
    });
  }

  heartbeat(): void {
    this.#isAnswered = true;
    this.#accept?.();
    this.#onHeartbeat?.();
  }

  settle(reply: R | Error): void {
    this.cancel();
    this.#isAnswered = true;
    this.#reply = reply;
    this.#onReply?.(reply);
  }

  /** Called when the reply cannot arrive. Only an accepted request fails with this: any other one fails with its own outcome. */
  connectionLost(cause: Error): void {
    this.#lost = this.#operation.unanswered(cause);
    if (this.#isAccepted) this.#onReply?.(this.#lost);
  }

  /** Unregisters the request. A reply that arrives from now on is discarded. */
  cancel(): void {
    this.#pending?.delete(this.#id);
  }
}
