import type { Deadline, WaitPhase } from "../../core/deadlines.js";
import { AmqpError } from "../../core/errors.js";
import type { Progress } from "../../core/links/sender.js";
import type { Body } from "../../core/messages/message.js";
import type { Outcome } from "../../core/messages/outcome.js";
import type { DriverConnection } from "../amqp/driver-connection.js";
import {
  type FailureInit,
  MessageDeliveryFailure,
  type MessagingException,
  MessagingTimeout,
  SendQueueFull,
} from "../exceptions.js";
import type { Target } from "../target.js";
import type { Operations } from "./operations.js";

export interface SendOperationInit {
  /** What it is, in oslo's words: "RPC Call". */
  operation: string;
  /** Whom it is for. */
  target: Target | string;
  /** What the caller gave: when it has passed, that is a MessagingTimeout. */
  timeoutMs: number | undefined;
  /** Instead of it: when this has passed, that is a MessageDeliveryFailure. */
  defaultMs: number;
  retry: number | undefined;
  signal: AbortSignal | undefined;
  /** Counted while it has to wait. Undefined: it may always wait. */
  body?: Body | undefined;
}

/** One message on its way, until it is delivered or given up. What it fails with says how far it came. */
export class SendOperation implements Progress {
  readonly deadline: Deadline;
  /** Where it goes: known once there is a connection. */
  address: string | undefined;
  readonly #init: SendOperationInit;
  readonly #outbox: Operations;
  #bus: DriverConnection | undefined;
  /** What went wrong the last time that it was tried. */
  #setback: Error | undefined;
  /** What it counts for in the backlog, while it does. */
  #queuedBytes: number | undefined;
  /** It was queued or has left: it is not refused any more. */
  #taken = false;

  /** Made by {@link Operations.start}. */
  constructor(outbox: Operations, init: SendOperationInit) {
    this.#outbox = outbox;
    this.#init = init;
    this.deadline = outbox.deadlines.start({
      ms: init.timeoutMs ?? init.defaultMs,
      signal: init.signal,
      expired: (phase, elapsedMs) => this.#expired(phase, elapsedMs),
    });
  }

  /**
   * Sends until the message is accepted: again over the present connection, or the next one, as long as the retries and the
   * time allow and the message is known not to have got through.
   *
   * @throws MessageDeliveryFailure, SendQueueFull, and what ends the deadline.
   */
  async deliver(send: (bus: DriverConnection) => Promise<Outcome>): Promise<void> {
    const { supervisor } = this.#outbox;
    const { retry = -1 } = this.#init;
    for (let left = retry < 0 ? Number.POSITIVE_INFINITY : retry; ; left--) {
      const bus = supervisor.live ?? (await this.#connected());
      this.#bus = bus;
      const outcome = await send(bus);
      if (outcome.type === "accepted") return;
      const failure = this.#failure(outcome, bus);
      if (left === 0 || !mayResend(outcome)) throw failure;
      this.#setback = failure;
      bus.logger.debug(`sent again: ${failure.message}`);
      this.queued();
      if (outcome.type !== "unsent") await this.deadline.wait("credit", bus.pause());
    }
  }

  /** It waits: counted from now on. Throws SendQueueFull, once at most, before anything of it has left. */
  queued(): void {
    const { body } = this.#init;
    if (body === undefined || this.#queuedBytes !== undefined) return;
    const { backlog } = this.#outbox;
    if (!this.#taken && backlog.isFull) throw this.#refused();
    this.#taken = true;
    this.#queuedBytes = sizeOf(body);
    backlog.add(this.#queuedBytes);
  }

  /** It waits no longer to be sent. */
  left(): void {
    this.#taken = true;
    if (this.#queuedBytes === undefined) return;
    this.#outbox.backlog.remove(this.#queuedBytes);
    this.#queuedBytes = undefined;
  }

  /** The error for a call whose reply will not come, for the connection by which it would have come is over. */
  unanswered(cause: Error): MessageDeliveryFailure {
    const facts = this.#facts("reply", this.deadline.elapsedMs);
    const reason = `the connection for its reply is gone: ${cause.message}`;
    return new MessageDeliveryFailure({ ...facts, outcome: "unknown", reason, cause });
  }

  /** The error for a call that no heartbeat came for in time. */
  silent(): MessagingTimeout {
    const { phase, elapsedMs } = this.deadline;
    return this.#timeout(phase === "reply" ? "heartbeat" : phase, elapsedMs);
  }

  done(): void {
    this.left();
    this.#outbox.end(this.deadline);
  }

  #connected(): Promise<DriverConnection> {
    this.queued();
    return this.#outbox.supervisor.current(this.deadline);
  }

  #refused(): SendQueueFull {
    const { supervisor, backlog } = this.#outbox;
    const { messages, bytes, limits } = backlog;
    const phase = supervisor.live === undefined ? "connecting" : "credit";
    return new SendQueueFull({ ...this.#facts(phase, this.deadline.elapsedMs), messages, bytes, limits });
  }

  #expired(phase: WaitPhase, elapsedMs: number): MessagingException {
    const { closed } = this.#outbox;
    if (this.#init.timeoutMs !== undefined && !closed) return this.#timeout(phase, elapsedMs);
    const reason = closed ? "the transport was closed" : "timed out";
    const outcome = phase === "connecting" || phase === "credit" ? "unsent" : "unknown";
    return new MessageDeliveryFailure({ ...this.#facts(phase, elapsedMs), outcome, reason });
  }

  #timeout(phase: WaitPhase, elapsedMs: number): MessagingTimeout {
    return new MessagingTimeout(this.#facts(phase, elapsedMs));
  }

  #failure(outcome: Exclude<Outcome, { type: "accepted" }>, bus: DriverConnection): MessageDeliveryFailure {
    const unsent = bus.isOpen ? "credit" : "connecting";
    const phase = outcome.type === "unsent" ? unsent : "acknowledgement";
    const facts = this.#facts(phase, this.deadline.elapsedMs);
    return new MessageDeliveryFailure({
      ...facts,
      outcome: outcome.type,
      reason: reasonOf(outcome),
      cause: causeOf(outcome),
    });
  }

  #facts(phase: WaitPhase, elapsedMs: number): FailureInit {
    const { operation, target } = this.#init;
    const { address } = this;
    const host = this.#outbox.supervisor.host?.name;
    return { operation, target, phase, address, host, elapsedMs, cause: this.#cause() };
  }

  /** Why it takes so long, if something is known to be wrong. */
  #cause(): Error | undefined {
    const { live: life, lastError } = this.#outbox.supervisor;
    const refusal = this.address === undefined ? undefined : life?.refusalOf(this.address);
    return lastError ?? this.#bus?.endedBy ?? refusal ?? this.#setback;
  }
}

/** Of JSON text as the driver makes it, a character counted as a byte. */
function sizeOf(body: Body): number {
  return body.type === "value" && typeof body.value === "string" ? body.value.length : 0;
}

/** Sending it again cannot double it: it has not left, or the peer says that it did nothing with it. */
function mayResend(outcome: Outcome): boolean {
  if (outcome.type === "modified") return !outcome.deliveryFailed && !outcome.undeliverableHere;
  return outcome.type === "unsent" || outcome.type === "released";
}

function reasonOf(outcome: Exclude<Outcome, { type: "accepted" }>): string {
  switch (outcome.type) {
    case "released":
      return "the peer gave it back";
    case "modified":
      return `the peer gave it back (delivery failed: ${outcome.deliveryFailed}, undeliverable here: ${outcome.undeliverableHere})`;
    case "rejected":
      return outcome.error === undefined ? "the peer gave no reason" : new AmqpError(outcome.error).message;
    case "unsent":
    case "unknown":
      return outcome.error.message;
    default:
      return outcome satisfies never;
  }
}

function causeOf(outcome: Exclude<Outcome, { type: "accepted" }>): Error | undefined {
  if (outcome.type === "unsent" || outcome.type === "unknown") return outcome.error;
  return outcome.type === "rejected" && outcome.error !== undefined ? new AmqpError(outcome.error) : undefined;
}
