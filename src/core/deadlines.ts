import { offAbort, onAbort } from "./abort.js";
import { timerMs } from "./timers.js";

/**
 * Event that a call is waiting for. `credit`: that the message may be sent. At RabbitMQ it waits while the broker accepts
 * none, while its exchange is declared, and behind 16 unconfirmed requests with the same routing key.
 */
export type WaitPhase = "connecting" | "credit" | "acknowledgement" | "reply" | "heartbeat";

export interface DeadlineInit {
  /** Milliseconds from now, of any length. Omitted or Infinity: no time limit. */
  ms?: number | undefined;
  /** The caller's signal. When aborted, the operation ends with its reason. */
  signal?: AbortSignal | undefined;
  /** Creates the error for the phase in which the time ran out. If it throws, the operation ends with that error. */
  expired: (phase: WaitPhase, elapsedMs: number) => Error;
  /** Called each time that the operation begins to wait. An error that it throws ends the operation. */
  onWait?: ((phase: WaitPhase) => void) | undefined;
}

/**
 * The time limit of one operation, created where the operation starts and passed down. Each wait names its phase and how
 * to abandon it (`beginWait`). When the time has passed, the wait ends with `expired(phase)`; when the caller's signal is
 * aborted, with the reason of the signal. The creator of a deadline calls `done()` in a `finally` block.
 */
export class Deadline {
  readonly #deadlines: Deadlines;
  readonly #init: DeadlineInit;
  readonly #startedMs = performance.now();
  /** Time at which it expires, on the clock of `performance.now()`; Infinity without a time limit. */
  readonly atMs: number;
  #phase: WaitPhase = "connecting";
  #abandon: ((reason: unknown) => void) | undefined;
  #over: { reason: unknown } | undefined;
  #onAbort: (() => void) | undefined;

  constructor(deadlines: Deadlines, init: DeadlineInit) {
    this.#deadlines = deadlines;
    this.#init = init;
    this.atMs = this.#startedMs + (init.ms ?? Number.POSITIVE_INFINITY);
    const { signal } = init;
    if (signal === undefined) return;
    if (signal.aborted) {
      this.#over = { reason: signal.reason };
    } else {
      this.#onAbort = () => this.#end(signal.reason);
      onAbort(signal, this.#onAbort);
    }
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  get phase(): WaitPhase {
    return this.#phase;
  }

  /** @throws the reason for which the operation has ended, if it has. */
  throwIfOver(): void {
    if (this.#over !== undefined) throw this.#over.reason;
  }

  /** Starts a wait. `abandon` is called once if the operation ends during the wait, at once if it has already ended. */
  beginWait(phase: WaitPhase, abandon: (reason: unknown) => void): void {
    this.#announce(phase);
    this.continueWait(phase, abandon);
  }

  /** As `beginWait`, for the rest of an operation that is under way: `onWait` is not called. */
  continueWait(phase: WaitPhase, abandon: (reason: unknown) => void): void {
    this.#phase = phase;
    if (this.#over === undefined) this.#abandon = abandon;
    else abandon(this.#over.reason);
  }

  /** Ends the wait that `beginWait` started. */
  endWait(): void {
    this.#abandon = undefined;
  }

  /**
   * Waits for the promise that `begin` returns. `begin` is not called when the operation has already ended. If the
   * operation ends first, the later result or error of the promise is ignored.
   *
   * @throws the reason for which the operation ends.
   */
  async wait<T>(phase: WaitPhase, begin: () => Promise<T>): Promise<T> {
    this.#announce(phase);
    this.throwIfOver();
    let abandon: ((reason: unknown) => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        abandon = reject;
        this.#abandon = reject;
        begin().then(resolve, reject);
      });
    } finally {
      // Another wait may have begun meanwhile: a reply can arrive before its request is confirmed.
      if (this.#abandon === abandon) this.#abandon = undefined;
    }
  }

  /** Releases the timer and the signal's listener. */
  done(): void {
    this.#deadlines.remove(this);
    this.#abandon = undefined;
    if (this.#onAbort !== undefined) offAbort(this.#init.signal, this.#onAbort);
    this.#onAbort = undefined;
  }

  /** Called by `Deadlines` when the time has passed. */
  expire(): void {
    this.#end(this.#expired());
  }

  #announce(phase: WaitPhase): void {
    this.#phase = phase;
    this.#abandon = undefined;
    if (this.#over !== undefined) return;
    try {
      this.#init.onWait?.(phase);
    } catch (thrown) {
      this.#end(thrown);
    }
  }

  #expired(): unknown {
    try {
      return this.#init.expired(this.#phase, this.elapsedMs);
    } catch (thrown) {
      return thrown;
    }
  }

  #end(reason: unknown): void {
    if (this.#over !== undefined) return;
    this.#over = { reason };
    const abandon = this.#abandon;
    this.done();
    abandon?.(reason);
  }
}

/**
 * All deadlines of a transport share one timer, because a timer or an AbortSignal for each call costs more than the call.
 * Deadlines are grouped in slots by the time at which they expire, so that starting or removing one takes two map
 * operations. A time beyond the longest timer takes several timers.
 */
export class Deadlines {
  readonly #slots = new Map<number, Set<Deadline>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  start(init: DeadlineInit): Deadline {
    const deadline = new Deadline(this, init);
    if (deadline.atMs !== Number.POSITIVE_INFINITY) this.#add(deadline);
    return deadline;
  }

  remove(deadline: Deadline): void {
    const slot = slotOf(deadline);
    const deadlines = this.#slots.get(slot);
    if (deadlines === undefined) return;
    deadlines.delete(deadline);
    if (deadlines.size > 0) return;
    this.#slots.delete(slot);
    if (this.#slots.size === 0) this.#disarm();
  }

  #add(deadline: Deadline): void {
    const slot = slotOf(deadline);
    const deadlines = this.#slots.get(slot);
    if (deadlines === undefined) this.#slots.set(slot, new Set([deadline]));
    else deadlines.add(deadline);
    if (slot < this.#timerMs) this.#arm(slot);
  }

  #arm(slot: number): void {
    clearTimeout(this.#timer);
    this.#timerMs = slot;
    this.#timer = setTimeout(() => this.#fire(), timerMs(Math.max(0, slot - performance.now())));
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerMs = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    this.#disarm();
    const nowMs = performance.now();
    const due: Set<Deadline>[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const [slot, deadlines] of this.#slots) {
      if (slot > nowMs) {
        next = Math.min(next, slot);
      } else {
        this.#slots.delete(slot);
        due.push(deadlines);
      }
    }
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
    for (const deadlines of due) for (const deadline of deadlines) deadline.expire();
  }
}

/** The time of expiry, rounded up to 8 ms: many deadlines share a slot, and none expires early. */
function slotOf(deadline: Deadline): number {
  return Math.ceil(deadline.atMs / 8) * 8;
}
