import type { IncomingMessage } from "../../driver.js";

/** When a batch is closed: at so many messages, so long after its first one, or at what comes first of the two. */
export interface BatchLimits {
  readonly size: number | undefined;
  readonly timeoutMs: number | undefined;
}

/** What closed a batch. */
export type Closing = "size" | "timeout" | "stop";

type OnBatch = (batch: readonly IncomingMessage[], closing: Closing) => void;

/**
 * Gathers messages into batches. One whose link goes before its batch is closed leaves it, for it is delivered again.
 * No batch is empty.
 */
export class Batches {
  readonly #size: number;
  readonly #timeoutMs: number | undefined;
  readonly #on: OnBatch;
  #open: IncomingMessage[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ size = Number.POSITIVE_INFINITY, timeoutMs }: BatchLimits, on: OnBatch) {
    this.#size = size;
    this.#timeoutMs = timeoutMs;
    this.#on = on;
  }

  add(message: IncomingMessage): void {
    if (this.#open[0]?.linkLost) this.#dropOrphans();
    if (this.#open.length === 0 && this.#timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#close("timeout"), this.#timeoutMs);
    }
    this.#open.push(message);
    if (this.#open.length < this.#size) return;
    this.#dropOrphans();
    if (this.#open.length >= this.#size) this.#close("size");
  }

  /** What is there is a batch. */
  flush(): void {
    this.#close("stop");
  }

  /** What is there is nobody's any more. */
  discard(): void {
    clearTimeout(this.#timer);
    this.#open = [];
  }

  #close(closing: Closing): void {
    this.#dropOrphans();
    const batch = this.#open;
    this.discard();
    if (batch.length > 0) this.#on(batch, closing);
  }

  #dropOrphans(): void {
    this.#open = this.#open.filter((message) => !message.linkLost);
    if (this.#open.length === 0) this.discard();
  }
}
