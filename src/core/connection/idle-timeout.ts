import type { Output } from "../links/output.js";
import { LONGEST_TIMER_MS } from "../timers.js";

/** An AMQP frame without performative (transport 2.4.5). */
const EMPTY_FRAME = Uint8Array.of(0, 0, 0, 8, 2, 0, 0, 0);
/** However short an idle time-out a peer asks for, we look and speak no more often. */
const SHORTEST_MS = 50;
/** Who owes us an answer is gone after so many looks at which nothing had come since the last one. */
const QUIET_LOOKS = 5;
const QUIET_LOOK_MS = 1_000;

/**
 * Keeps a connection alive both ways: says something when the peer would think us gone, and tells when the peer is silent
 * for longer than we bear. A throttled background tab runs timers once a minute: what comes in is a reason to look, too.
 */
export class IdleTimeout {
  readonly #output: Output;
  readonly #localMs: number;
  readonly #onSilence: (silentMs: number) => void;
  #remoteMs = 0;
  #receivedMs = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  #secondLook: ReturnType<typeof setTimeout> | undefined;
  #question: ReturnType<typeof setInterval> | undefined;

  /** `localMs`: silence that is not borne; 0: any is. */
  constructor(output: Output, localMs: number, onSilence: (silentMs: number) => void) {
    this.#output = output;
    this.#localMs = localMs;
    this.#onSilence = onSilence;
  }

  /** The peer is open; `remoteMs` is its idle-time-out, 0: none. */
  start(remoteMs: number): void {
    this.#remoteMs = remoteMs === 0 ? 0 : Math.max(remoteMs, 2 * SHORTEST_MS);
    // A longer one than timers have needs no heartbeat in this life.
    const shortest = Math.min(remoteMs || LONGEST_TIMER_MS, this.#localMs || LONGEST_TIMER_MS);
    if (shortest === LONGEST_TIMER_MS) return;
    this.#timer = setInterval(() => this.look(), Math.max(SHORTEST_MS, shortest / 4));
  }

  received(): void {
    this.#receivedMs = performance.now();
    if (this.#remoteMs > 0) this.#speak(this.#receivedMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#secondLook);
    clearInterval(this.#question);
    this.#timer = undefined;
    this.#secondLook = undefined;
    this.#question = undefined;
    this.#remoteMs = 0;
  }

  /** Whether something must be said, and whether the peer is silent. */
  look(): void {
    const nowMs = performance.now();
    if (this.#remoteMs > 0) this.#speak(nowMs);
    if (this.#secondLook !== undefined || !this.#isSilent(nowMs)) return;
    // Where the event loop was held up, timers come before the bytes that have been waiting.
    this.#secondLook = setTimeout(() => {
      this.#secondLook = undefined;
      const laterMs = performance.now();
      if (this.#isSilent(laterMs)) this.#onSilence(Math.round(laterMs - this.#receivedMs));
    }, SHORTEST_MS);
  }

  /**
   * Asks the peer, whatever silence is borne otherwise: `ask` resolves when it has answered, or rejects when it cannot be asked.
   * Looks are counted, not time: the page may be frozen meanwhile, and timers come before the bytes that have been waiting.
   */
  async demand(ask: () => Promise<void>): Promise<void> {
    if (this.#question !== undefined) return;
    let seenMs = this.#receivedMs;
    let quiet = 0;
    const question = setInterval(() => {
      quiet = seenMs === this.#receivedMs ? quiet + 1 : 0;
      seenMs = this.#receivedMs;
      if (quiet === QUIET_LOOKS) this.#onSilence(Math.round(performance.now() - seenMs));
    }, QUIET_LOOK_MS);
    this.#question = question;
    try {
      await ask();
    } catch {
      // It was never asked, or the connection is over.
    } finally {
      clearInterval(question);
      this.#question = undefined;
    }
  }

  #isSilent(nowMs: number): boolean {
    return this.#localMs > 0 && nowMs - this.#receivedMs > this.#localMs;
  }

  #speak(nowMs: number): void {
    if (nowMs - this.#output.lastMs < this.#remoteMs / 2) return;
    this.#output.writer.append(EMPTY_FRAME);
    this.#output.flush();
  }
}
