import type { Socket } from "./dial.js";
import { Writer } from "./writer.js";

/** A larger batch would keep the peer waiting for bytes that are ready. */
const BATCH_BYTES = 8192;

const RESOLVED = Promise.resolve();

/** Who has something to add before the bytes leave: dispositions gathered in runs, credit to return. */
export interface FlushListener {
  beforeFlush(): void;
}

export interface OutputOptions {
  /** A peer that does not read, while we owe it answers, is cut off beyond this many bytes. */
  maxBufferedBytes: number;
  /** The peer has stopped reading: `maxBufferedBytes` are waiting. */
  onOverflow: (bufferedBytes: number) => void;
  /** The socket takes more again. */
  onWritable: () => void;
  /** Sees all that leaves. */
  onBytes?: ((bytes: Uint8Array) => void) | undefined;
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
  readonly #flushScheduled = (): void => {
    this.#scheduled = false;
    this.flush();
  };
  /** When bytes last left, on the clock of performance.now(). */
  lastMs = performance.now();

  constructor(socket: Socket, options: OutputOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** False while the socket asks to wait: transfers wait then; what is owed to the peer still goes. */
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
    // At the end of the turn. Node's queueMicrotask costs an AsyncResource each time.
    void RESOLVED.then(this.#flushScheduled);
  }

  flush(): void {
    while (this.#listeners.length > 0) this.#listeners.pop()?.beforeFlush();
    const { writer } = this;
    if (writer.at === writer.from || this.#ended) return;
    const bytes = writer.take();
    this.lastMs = performance.now();
    this.#options.onBytes?.(bytes);
    if (this.#socket.send(bytes)) return;
    this.#writable = false;
    const { buffered } = this.#socket;
    if (buffered > this.#options.maxBufferedBytes) this.#options.onOverflow(buffered);
  }

  /** The socket's drain. */
  drained(): void {
    if (this.#writable) return;
    this.#writable = true;
    this.#options.onWritable();
  }

  /** Nothing leaves any more. */
  end(): void {
    this.#ended = true;
  }
}
