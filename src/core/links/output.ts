import type { Socket } from "../byte-stream.js";
import { Writer } from "../types/writer.js";

/** Buffered bytes that are written at once. A larger batch would delay bytes that are ready. */
const BATCH_BYTES = 8192;

/**
 * Promise ticks from the first frame of a turn to the flush. An acknowledgement and an immediate reply of its handler are
 * a few ticks apart and leave in one write. No engine reports when the microtask queue is empty.
 */
const TURN_PROMISES = 8;
const RESOLVED = Promise.resolve();

/** Adds frames before a flush: gathered dispositions, and flows that return credit. */
export interface FlushListener {
  beforeFlush(): void;
}

export interface OutputOptions {
  /**
   * Most bytes that the socket may buffer for a peer that does not read. Only frames that we owe to the peer add to a full
   * buffer: transfers wait. Beyond this limit `onOverflow` is called.
   */
  maxBufferedBytes: number;
  /** Called when more than `maxBufferedBytes` wait, in a microtask of its own and never within a write. */
  onOverflow: (bufferedBytes: number) => void;
  /** Called when the socket is writable again. */
  onWritable: () => void;
}

/**
 * The outgoing bytes of a connection. Both planes write their frames in order into one buffer. The buffer is sent at the
 * end of the turn, or earlier when it holds a full batch.
 */
export class Output {
  readonly writer = new Writer();
  readonly #socket: Socket;
  readonly #options: OutputOptions;
  readonly #listeners: FlushListener[] = [];
  #scheduled = false;
  #writable = true;
  #ended = false;
  #promisesLeft = 0;
  readonly #endTurn = (): void => {
    if (--this.#promisesLeft > 0) {
      void RESOLVED.then(this.#endTurn);
      return;
    }
    this.#scheduled = false;
    this.flush();
  };
  /** Time of the last write to the socket, by performance.now(). */
  lastMs = performance.now();

  constructor(socket: Socket, options: OutputOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** False while the socket's buffer is full, and after `end`. Transfers wait then; frames that we owe to the peer do not. */
  get writable(): boolean {
    return this.#writable;
  }

  /** Must be called after every frame. */
  wrote(): void {
    if (this.writer.at - this.writer.from >= BATCH_BYTES) this.flush();
    else this.schedule();
  }

  /** Calls `listener.beforeFlush` once, at the end of the turn at the latest. */
  atFlush(listener: FlushListener): void {
    this.#listeners.push(listener);
    this.schedule();
  }

  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#promisesLeft = TURN_PROMISES;
    // Node's queueMicrotask would cost an AsyncResource each time.
    void RESOLVED.then(this.#endTurn);
  }

  /** Lets the listeners write their frames now, ahead of the frame that the caller writes next. */
  gather(): void {
    while (this.#listeners.length > 0) this.#listeners.pop()?.beforeFlush();
  }

  flush(): void {
    this.gather();
    const { writer } = this;
    if (writer.at === writer.from) return;
    const bytes = writer.take();
    if (this.#ended) return;
    this.lastMs = performance.now();
    if (this.#socket.send(bytes)) return;
    this.#writable = false;
    const { buffered } = this.#socket;
    if (buffered > this.#options.maxBufferedBytes) void RESOLVED.then(() => this.#options.onOverflow(buffered));
  }

  /** Handles the socket's drain event. */
  drained(): void {
    if (this.#writable || this.#ended) return;
    this.#writable = true;
    this.#options.onWritable();
  }

  /** Flushes. Frames that are written later are discarded. */
  end(): void {
    this.flush();
    this.#ended = true;
    this.#writable = false;
  }
}
