import { LONGEST_TIMER_MS } from "./timers.js";

/** What a call may be waiting for. */
export type WaitPhase = "connecting" | "credit" | "acknowledgement" | "reply" | "heartbeat";

export interface DeadlineInit {
  /** How long from now. Absent: for ever. */
  ms?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Makes the error for the phase in which time ran out. What it throws itself ends the operation just as well. */
  expired: (phase: WaitPhase, elapsedMs: number) => Error;
  /** Called each time that the operation begins to wait. An error that it throws ends the operation. */
  onWait?: ((phase: WaitPhase) => void) | undefined;
}

/**
 * The one limit of one operation, made where the operation starts and handed down. Whoever waits says for what
 * (`phase`) and how to stop waiting (`enter`); the limit ends that wait with `expired(phase)`, the user's signal with its reason.
 * `done()` belongs in the `finally` of whoever made it.
 */
export class Deadline {
  readonly #deadlines: Deadlines;
  readonly #init: DeadlineInit;
  readonly #startedMs = performance.now();
  /** When it passes, on the clock of `performance.now()`; Infinity when it never does. */
  readonly atMs: number;
  #phase: WaitPhase = "connecting";
  #abandon: ((reason: unknown) => void) | undefined;
  #over: { reason: unknown } | undefined;
  #onAbort: (() => void) | undefined;

  constructor(deadlines: Deadlines, init: DeadlineInit) {
    this.#deadlines = deadlines;
    this.#init = init;
    this.atMs =
      init.ms === undefined ? Number.POSITIVE_INFINITY : this.#startedMs + Math.min(init.ms, LONGEST_TIMER_MS);
    const { signal } = init;
    if (signal === undefined) return;
    if (signal.aborted) {
      this.#over = { reason: signal.reason };
    } else {
      this.#onAbort = () => this.#end(signal.reason);
      signal.addEventListener("abort", this.#onAbort);
    }
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  get phase(): WaitPhase {
    return this.#phase;
  }

  /** Throws what ended the operation, when something has. */
  throwIfOver(): void {
    if (this.#over !== undefined) throw this.#over.reason;
  }

  /** From now on the operation waits for `phase`; `abandon` is called, once, if it ends meanwhile (at once when it has). */
  beginWait(phase: WaitPhase, abandon: (reason: unknown) => void): void {
    this.#announce(phase);
    this.continueWait(phase, abandon);
  }

  /** As `beginWait`, for a wait in the middle of something: `onWait` is not called. */
  continueWait(phase: WaitPhase, abandon: (reason: unknown) => void): void {
    this.#phase = phase;
    if (this.#over === undefined) this.#abandon = abandon;
    else abandon(this.#over.reason);
  }

  /** The wait is over. */
  endWait(): void {
    this.#abandon = undefined;
  }

  /** Waits for the promise that `begin` returns, which must be handled elsewhere. Ended already: `begin` is not called. */
  async wait<T>(phase: WaitPhase, begin: () => Promise<T>): Promise<T> {
    this.#announce(phase);
    this.throwIfOver();
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#abandon = reject;
        begin().then(resolve, reject);
      });
    } finally {
      this.#abandon = undefined;
    }
  }

  done(): void {
    this.#deadlines.remove(this);
    this.#abandon = undefined;
    if (this.#onAbort !== undefined) this.#init.signal?.removeEventListener("abort", this.#onAbort);
    this.#onAbort = undefined;
  }

  /** Called by Deadlines when the time has passed. */
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
 * All deadlines of a transport on one timer: a timer or an AbortSignal for each call costs more than the call.
 * Kept by the millisecond in which they pass, so that making and removing one is two map operations.
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
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, slot - performance.now()));
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

/** Rounded up to 8 ms, so that many share a slot, and none passes early. */
function slotOf(deadline: Deadline): number {
  return Math.ceil(deadline.atMs / 8) * 8;
}
