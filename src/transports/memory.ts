import type { Accept, Dial, Socket, SocketHandlers } from "../core/byte-stream.js";
import { kindOf } from "../core/kinds.js";
import { inLaterTurn } from "./later-turn.js";

/** With more bytes than this under way, `send` asks the caller to wait. */
const BUDGET_BYTES = 1024 * 1024;

/** Number of hand-overs after which timers and other events get a turn. */
const BATCHES_A_TURN = 1024;

/**
 * Streams inside this process: every dial makes a linked pair, one end for the dialler and one for `accept`. The bytes
 * are handed over uncopied and in order, never within `send`, and only after the dialler has its end. No timer is needed:
 * tests may replace them by fake ones.
 *
 * @throws TypeError when `accept` is not a function.
 */
export function memoryDial(accept: Accept): Dial {
  if (typeof accept !== "function")
    throw new TypeError(`memoryDial requires an accept function, not ${kindOf(accept)}`);
  let pairs = 0;
  return async (to, handlers, signal) => {
    signal.throwIfAborted();
    pairs += 1;
    const pair = new Pair(`memory ${to.hostname} ${pairs}`);
    pair.near.handlers = handlers;
    pair.far.handlers = accept(pair.far);
    return pair.near;
  };
}

const noHandlers: SocketHandlers = { data() {}, drain() {}, close() {} };

const RESOLVED = Promise.resolve();

/** Carries the bytes of both ends, as one batch at the end of the turn, so that replies to replies do not nest. */
class Pair {
  readonly near: MemorySocket;
  readonly far: MemorySocket;
  #batches = 0;
  #turnMs = performance.now();
  #dialled = false;
  #scheduled = false;
  readonly #handOver = (): void => this.#deliver();

  constructor(id: string) {
    this.near = new MemorySocket(id, this);
    this.far = new MemorySocket(id, this);
    inLaterTurn(() => this.schedule(this.near));
  }

  /** The dialler has its end once it uses it, at the latest in a later turn. Until then the bytes of the far end wait. */
  schedule(user: MemorySocket): void {
    this.#dialled ||= user === this.near;
    if (!this.#dialled || this.#scheduled) return;
    this.#scheduled = true;
    this.#batches += 1;
    if (this.#batches % BATCHES_A_TURN === 0 && this.#clockRuns()) inLaterTurn(this.#handOver);
    else void RESOLVED.then(this.#handOver);
  }

  /** A fake clock may stand still: no timer is due, and a later turn may never come. */
  #clockRuns(): boolean {
    const thenMs = this.#turnMs;
    this.#turnMs = performance.now();
    return this.#turnMs !== thenMs;
  }

  #deliver(): void {
    this.#scheduled = false;
    const isOver = this.near.deliverTo(this.far) || this.far.deliverTo(this.near);
    if (!isOver) return;
    this.#scheduled = true;
    this.near.end();
    this.far.end();
  }
}

class MemorySocket implements Socket {
  readonly id: string;
  readonly encrypted = false;
  readonly #pair: Pair;
  handlers = noHandlers;
  buffered = 0;
  #outbox: Uint8Array[] = [];
  #waiting = false;
  #closing = false;

  constructor(id: string, pair: Pair) {
    this.id = id;
    this.#pair = pair;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closing) return false;
    this.#outbox.push(bytes);
    this.buffered += bytes.length;
    if (this.buffered > BUDGET_BYTES) this.#waiting = true;
    this.#pair.schedule(this);
    return !this.#waiting;
  }

  close(): void {
    this.#closing = true;
    this.#pair.schedule(this);
  }

  /** Hands over the bytes sent until now. Returns true once this end has closed and the peer has all its bytes. */
  deliverTo(peer: MemorySocket): boolean {
    const batch = this.#outbox;
    this.#outbox = [];
    for (const bytes of batch) {
      this.buffered -= bytes.length;
      if (!peer.#closing) peer.handlers.data(bytes);
    }
    if (this.#waiting && !this.#closing && this.buffered <= BUDGET_BYTES / 2) {
      this.#waiting = false;
      this.handlers.drain();
    }
    return this.#closing && this.#outbox.length === 0;
  }

  end(): void {
    this.#closing = true;
    this.handlers.close();
  }
}
