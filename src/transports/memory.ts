import type { Accept, Dial, Socket, SocketHandlers } from "../core/byte-stream.js";
import { inLaterTurn } from "./later-turn.js";

/** More than this on its way asks the sender to wait. */
const BUDGET_BYTES = 1024 * 1024;

/** So many hand-overs may follow each other before timers and other events get their turn. */
const BATCHES_A_TURN = 1024;

/**
 * A stream inside this process: every dial makes a linked pair, one end for the dialler, one for `accept`. The bytes
 * are handed over as they are, in order, never within `send`, and not before the dialler has its end.
 */
export function memoryDial(accept: Accept): Dial {
  let made = 0;
  return async (to, on, signal) => {
    signal.throwIfAborted();
    made += 1;
    const pair = new Pair(`memory ${to.hostname} ${made}`);
    pair.near.on = on;
    pair.far.on = accept(pair.far);
    return pair.near;
  };
}

const deaf: SocketHandlers = { data() {}, drain() {}, close() {} };

/** Carries what both ends have sent: a batch at the end of the turn, so that answers to answers never nest. */
class Pair {
  readonly near: MemorySocket;
  readonly far: MemorySocket;
  #batches = 0;
  #scheduled = true;

  constructor(id: string) {
    this.near = new MemorySocket(id, this);
    this.far = new MemorySocket(id, this);
    inLaterTurn(() => this.#handOver());
  }

  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#batches += 1;
    if (this.#batches % BATCHES_A_TURN === 0) inLaterTurn(() => this.#handOver());
    else queueMicrotask(() => this.#handOver());
  }

  #handOver(): void {
    this.#scheduled = false;
    const over = this.near.deliverTo(this.far) || this.far.deliverTo(this.near);
    if (!over) return;
    this.#scheduled = true;
    this.near.over();
    this.far.over();
  }
}

class MemorySocket implements Socket {
  readonly id: string;
  readonly encrypted = false;
  readonly #pair: Pair;
  on = deaf;
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
    this.#pair.schedule();
    return !this.#waiting;
  }

  close(): void {
    this.#closing = true;
    this.#pair.schedule();
  }

  /** Hands over what was sent until now. True once this end has closed and all that it had sent is over there. */
  deliverTo(peer: MemorySocket): boolean {
    const batch = this.#outbox;
    this.#outbox = [];
    for (const bytes of batch) {
      this.buffered -= bytes.length;
      if (!peer.#closing) peer.on.data(bytes);
    }
    if (this.#waiting && !this.#closing && this.buffered <= BUDGET_BYTES / 2) {
      this.#waiting = false;
      this.on.drain();
    }
    return this.#closing && this.#outbox.length === 0;
  }

  over(): void {
    this.#closing = true;
    this.on.close();
  }
}
