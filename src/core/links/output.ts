import type { Socket } from "../byte-stream.js";
import { Writer } from "../types/writer.js";

/** A larger batch would keep the peer waiting for bytes that are ready. */
const BATCH_BYTES = 8192;

/**
 * A turn is taken to end so many promises after its first frame: an acknowledgement and the answer that a handler gives
 * at once are a few promises apart, and leave in one piece. No engine tells when there are none left.
 */
const TURN_PROMISES = 8;
const RESOLVED = Promise.resolve();

/** Who has something to add before the bytes leave: dispositions gathered in runs, credit to return. */
export interface FlushListener {
  beforeFlush(): void;
}

export interface OutputOptions {
  /** A peer that does not read, while we owe it answers, is cut off beyond this many bytes. */
  maxBufferedBytes: number;
  /** The peer has stopped reading: more than `maxBufferedBytes` wait. Called by itself, never within a write. */
  onOverflow: (bufferedBytes: number) => void;
  /** The socket takes more again. */
  onWritable: () => void;
}

/**
 * What leaves a connection, in order, whichever plane wrote it: frames are written into one buffer, which goes to the
 * socket at the end of the turn or when it is worth a write of its own.
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
  /** When bytes last left, on the clock of performance.now(). */
  lastMs = performance.now();

  constructor(socket: Socket, options: OutputOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** False while the socket asks to wait, and at the end: transfers wait then; what is owed to the peer still goes. */
  get writable(): boolean {
    return this.#writable;
  }

  /** To be called after every frame. */
  wrote(): void {
    if (this.writer.at - this.writer.from >= BATCH_BYTES) this.flush();
    else this.schedule();
  }

  /** `listener.beforeFlush` is called once, at the end of the turn at the latest. */
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

  /** What others have to add is written now, before what is written next. */
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
    if (buffered > this.#options.maxBufferedBytes) queueMicrotask(() => this.#options.onOverflow(buffered));
  }

  /** The socket's drain. */
  drained(): void {
    if (this.#writable || this.#ended) return;
    this.#writable = true;
    this.#options.onWritable();
  }

  /** What has been written leaves, and nothing after it. */
  end(): void {
    this.flush();
    this.#ended = true;
    this.#writable = false;
  }
}
