import type { Deadline, DeadlineInit, WaitPhase } from "../../core/deadlines.js";
import {
  type FailureInit,
  MessageDeliveryFailure,
  MessageUndeliverable,
  type MessagingException,
  MessagingTimeout,
  SendQueueFull,
} from "../exceptions.js";
import type { Target } from "../target.js";
import { likelyReason } from "./likely-reason.js";
import type { Operations, SendingConnection } from "./operations.js";
import { type FailedOutcome, outcomeCause, outcomeReason } from "./outcomes.js";
import { QueueTicket } from "./send-queue.js";

export interface SendOperationInit {
  /** Name of the operation in oslo's wording: "RPC Call". */
  operation: string;
  target: Target | string;
  /** Timeout that the caller gave. When it passes, the operation fails with MessagingTimeout. */
  timeoutMs: number | undefined;
  /** Timeout when `timeoutMs` is omitted. When it passes, the operation fails with MessageDeliveryFailure. Undefined: none. */
  defaultMs: number | undefined;
  /** Most times that the message is sent again. -1 or omitted: until the timeout. */
  retry: number | undefined;
  /** Send the message settled: the peer does not acknowledge it. Default false. */
  settled?: boolean | undefined;
  signal: AbortSignal | undefined;
  /** Size that is counted in the send queue while the message waits. Omitted: the message may always wait. */
  bytes?: number | undefined;
  /** Called each time that the message waits for credit on an attached link. */
  onQueued?: (() => void) | undefined;
}

/** The sending of one message, from its start until it is delivered or given up. Its errors name the phase that it reached. */
export class SendOperation<C extends SendingConnection> implements DeadlineInit {
  readonly ms: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly deadline: Deadline;
  readonly settled: boolean;
  readonly onQueued: (() => void) | undefined;
  /** Most times that the message is sent again. Infinity: until the timeout. */
  readonly retries: number;
  readonly #operations: Operations<C>;
  readonly #init: SendOperationInit;
  readonly #ticket: QueueTicket | undefined;
  #connection: C | undefined;
  /** Known once a connection has resolved the target. */
  #address: string | undefined;
  #isRepeat = false;
  #lastFailure: { error: MessageDeliveryFailure; reason: string } | undefined;

  /** Throws MessagingException when the transport is closed. Call `end` in a `finally`. */
  constructor(operations: Operations<C>, init: SendOperationInit) {
    const { bytes, retry = -1 } = init;
    this.#operations = operations;
    this.#init = init;
    this.settled = init.settled ?? false;
    this.onQueued = init.onQueued;
    this.retries = retry < 0 ? Number.POSITIVE_INFINITY : retry;
    this.#ticket = bytes === undefined ? undefined : new QueueTicket(operations.queue, bytes);
    this.ms = init.timeoutMs ?? init.defaultMs;
    this.signal = init.signal;
    this.deadline = operations.start(this);
  }

  /** The present connection, while it is open. The message is sent over it. */
  get live(): C | undefined {
    const { live } = this.#operations.connections;
    if (live !== undefined) this.#connection = live;
    return live;
  }

  /** The next connection as soon as it is open. Rejects with the error that ends the deadline. */
  async connected(): Promise<C> {
    this.#connection = await this.#operations.connections.connect(this.deadline, true);
    return this.#connection;
  }

  /** True when the fate of an earlier attempt is unknown: the peer may have the message. */
  get isRepeat(): boolean {
    return this.#isRepeat;
  }

  /** Called with the address to which the present connection sends the message. */
  addressed(address: string): void {
    this.#address = address;
  }

  /** The error for an outcome of the message that is not `accepted`. */
  failure(outcome: FailedOutcome): MessageDeliveryFailure {
    if (outcome.type === "unknown") this.#isRepeat = true;
    const unsent = this.#connection?.isOpen ? "credit" : "connecting";
    const phase = outcome.type === "unsent" ? unsent : "acknowledgement";
    const reason = outcomeReason(outcome);
    const facts = this.#facts(phase, this.deadline.elapsedMs);
    const init = { ...facts, reason, cause: outcomeCause(outcome), explanation: undefined };
    const error =
      outcome.type === "returned"
        ? new MessageUndeliverable({ ...init, ...outcome })
        : new MessageDeliveryFailure({ ...init, outcome: outcome.type === "unsent" ? this.#unsent : outcome.type });
    this.#lastFailure = { error, reason };
    return error;
  }

  /** The error for a call whose reply cannot arrive because its connection ended. */
  unanswered(cause: Error): MessageDeliveryFailure {
    const facts = this.#facts("reply", this.deadline.elapsedMs);
    const reason = `the connection was lost before the reply arrived: ${cause.message}`;
    return new MessageDeliveryFailure({ ...facts, outcome: "unknown", reason, cause });
  }

  /** The error for a call whose server sent no heartbeat in time. */
  silent(): MessagingTimeout {
    const { phase, elapsedMs } = this.deadline;
    return this.#timeout(phase === "reply" ? "heartbeat" : phase, elapsedMs);
  }

  end(): void {
    this.#ticket?.leave();
    this.#operations.end(this.deadline);
  }

  /** Throws SendQueueFull when the message would have to wait in a full queue. */
  onWait(phase: WaitPhase): void {
    const ticket = this.#ticket;
    if (ticket === undefined) return;
    if (phase !== "connecting" && phase !== "credit") ticket.leave();
    else if (!ticket.enter()) throw this.#queueFull();
  }

  #queueFull(): SendQueueFull {
    const { connections, queue } = this.#operations;
    const { messages, bytes, limits } = queue;
    const phase = connections.live === undefined ? "connecting" : "credit";
    return new SendQueueFull({ ...this.#facts(phase, this.deadline.elapsedMs), messages, bytes, limits });
  }

  /** The error for a message whose deadline passed in this phase. */
  expired(phase: WaitPhase, elapsedMs: number): MessagingException {
    const { closed } = this.#operations;
    if (this.#init.timeoutMs !== undefined && !closed) return this.#timeout(phase, elapsedMs);
    const reason = closed ? "the transport was closed" : "timed out";
    const outcome = phase === "connecting" || phase === "credit" ? this.#unsent : "unknown";
    return new MessageDeliveryFailure({ ...this.#facts(phase, elapsedMs, !closed), outcome, reason });
  }

  /** The outcome of a message that this attempt has not sent. */
  get #unsent(): "unsent" | "unknown" {
    return this.#isRepeat ? "unknown" : "unsent";
  }

  #timeout(phase: WaitPhase, elapsedMs: number): MessagingTimeout {
    return new MessagingTimeout(this.#facts(phase, elapsedMs, true));
  }

  /** The details of an error, with the known problem or the likely reason of a timeout. */
  #facts(phase: WaitPhase, elapsedMs: number, timedOut = false): FailureInit {
    const { operation, target } = this.#init;
    const { host, live } = this.#operations.connections;
    const problem = this.#problem();
    // An accepted request has no failure. The message of the error of an earlier attempt repeats operation and target.
    const failed = problem === undefined && phase !== "reply" && phase !== "heartbeat" ? this.#lastFailure : undefined;
    const cause = problem ?? failed?.error;
    const guess = timedOut && cause === undefined;
    return {
      operation,
      target,
      phase,
      address: this.#address,
      host: host?.name,
      timeoutMs: this.ms,
      elapsedMs,
      cause,
      explanation: guess ? likelyReason(phase, live?.peer.kind, typeof target === "string") : failed?.reason,
    };
  }

  /** The known problem of the connection or the link that delays the message. */
  #problem(): Error | undefined {
    const { live, lastError } = this.#operations.connections;
    const refusal = this.#address === undefined ? undefined : live?.refusalOf(this.#address);
    return lastError ?? this.#connection?.endedBy ?? refusal;
  }
}
