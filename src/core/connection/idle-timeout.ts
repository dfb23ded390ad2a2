import type { Output } from "../links/output.js";
import { LONGEST_TIMER_MS } from "../timers.js";

/** An AMQP frame without performative: a heartbeat (transport 2.4.5). */
const EMPTY_FRAME = Uint8Array.of(0, 0, 0, 8, 2, 0, 0, 0);
/** Shortest interval between checks and between heartbeats, even if the peer's idle-time-out is shorter. */
const SHORTEST_MS = 50;
/** Number of checks in a row without new data after which a probed peer is lost. */
const QUIET_LOOKS = 5;
const QUIET_LOOK_MS = 1_000;

/**
 * Keeps a connection alive both ways: sends a heartbeat before the peer's idle-time-out expires, and calls `onSilence`
 * when the peer is silent for longer than ours. A throttled background tab runs timers only once a minute, so incoming
 * data triggers heartbeats too.
 */
export class IdleTimeout {
  readonly #output: Output;
  readonly #localMs: number;
  readonly #onSilence: (silentMs: number) => void;
  readonly #heartbeat: Uint8Array;
  #remoteMs = 0;
  #receivedMs = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  #secondLook: ReturnType<typeof setTimeout> | undefined;
  #probeTimer: ReturnType<typeof setInterval> | undefined;

  /** `localMs`: longest silence of the peer; 0: no limit. `heartbeat`: the frame to send. Default: an empty frame. */
  constructor(output: Output, localMs: number, onSilence: (silentMs: number) => void, heartbeat = EMPTY_FRAME) {
    this.#output = output;
    this.#localMs = localMs;
    this.#onSilence = onSilence;
    this.#heartbeat = heartbeat;
  }

  /** Starts once the peer is open. `remoteMs` is its idle-time-out; 0: none. */
  start(remoteMs: number): void {
    this.#remoteMs = remoteMs === 0 ? 0 : Math.max(remoteMs, 2 * SHORTEST_MS);
    // An idle-time-out longer than the longest timer needs no heartbeat.
    const shortest = Math.min(remoteMs || LONGEST_TIMER_MS, this.#localMs || LONGEST_TIMER_MS);
    if (shortest === LONGEST_TIMER_MS) return;
    this.#timer = setInterval(() => this.look(), Math.max(SHORTEST_MS, shortest / 4));
  }

  received(): void {
    this.#receivedMs = performance.now();
    if (this.#remoteMs > 0) this.#sendHeartbeat(this.#receivedMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#secondLook);
    clearInterval(this.#probeTimer);
    this.#timer = undefined;
    this.#secondLook = undefined;
    this.#probeTimer = undefined;
    this.#remoteMs = 0;
  }

  /** Sends a heartbeat if one is due, and checks whether the peer is silent. */
  look(): void {
    const nowMs = performance.now();
    if (this.#remoteMs > 0) this.#sendHeartbeat(nowMs);
    if (this.#secondLook !== undefined || !this.#isSilent(nowMs)) return;
    // After a blocked event loop, timers run before the bytes that have arrived meanwhile.
    this.#secondLook = setTimeout(() => {
      this.#secondLook = undefined;
      const laterMs = performance.now();
      if (this.#isSilent(laterMs)) this.#onSilence(Math.round(laterMs - this.#receivedMs));
    }, SHORTEST_MS);
  }

  /**
   * Probes the peer, regardless of the idle timeout: `probe` resolves when the peer has answered, or rejects when it
   * cannot be probed. Checks are counted instead of time, because the page may be frozen meanwhile, and timers run
   * before the bytes that have arrived.
   */
  async demand(probe: () => Promise<void>): Promise<void> {
    if (this.#probeTimer !== undefined) return;
    let seenMs = this.#receivedMs;
    let quiet = 0;
    const timer = setInterval(() => {
      quiet = seenMs === this.#receivedMs ? quiet + 1 : 0;
      seenMs = this.#receivedMs;
      if (quiet === QUIET_LOOKS) this.#onSilence(Math.round(performance.now() - seenMs));
    }, QUIET_LOOK_MS);
    this.#probeTimer = timer;
    try {
      await probe();
    } catch {
      // The peer could not be probed, or the connection is over.
    } finally {
      clearInterval(timer);
      this.#probeTimer = undefined;
    }
  }

  #isSilent(nowMs: number): boolean {
    return this.#localMs > 0 && nowMs - this.#receivedMs > this.#localMs;
  }

  #sendHeartbeat(nowMs: number): void {
    if (nowMs - this.#output.lastMs < this.#remoteMs / 2) return;
    this.#output.writer.append(this.#heartbeat);
    this.#output.flush();
  }
}
