import type { IncomingMessage } from "../../driver.js";

/** Limits that close a batch: its number of messages, or the time since its first message, whichever is reached first. */
export interface BatchLimits {
  readonly size: number | undefined;
  readonly timeoutMs: number | undefined;
}

/** Reason why a batch was closed. */
export type Closing = "size" | "timeout" | "stop";

type OnBatch = (batch: readonly IncomingMessage[], closing: Closing) => void;

/**
 * Collects messages into batches. A message whose link is lost before its batch is closed is removed, because it is delivered
 * again. No batch is empty.
 */
export class Batches {
  readonly #size: number;
  readonly #timeoutMs: number | undefined;
  readonly #onBatch: OnBatch;
  #open: IncomingMessage[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ size = Number.POSITIVE_INFINITY, timeoutMs }: BatchLimits, onBatch: OnBatch) {
    this.#size = size;
    this.#timeoutMs = timeoutMs;
    this.#onBatch = onBatch;
  }

  add(message: IncomingMessage): void {
    if (this.#open[0]?.linkLost) this.#removeLost();
    if (this.#open.length === 0 && this.#timeoutMs !== undefined) {
      this.#timer = setTimeout(() => this.#close("timeout"), this.#timeoutMs);
    }
    this.#open.push(message);
    if (this.#open.length < this.#size) return;
    this.#removeLost();
    if (this.#open.length >= this.#size) this.#close("size");
  }

  /** Closes the open batch. */
  flush(): void {
    this.#close("stop");
  }

  /** Discards the open batch. */
  discard(): void {
    clearTimeout(this.#timer);
    this.#open = [];
  }

  #close(closing: Closing): void {
    this.#removeLost();
    const batch = this.#open;
    this.discard();
    if (batch.length > 0) this.#onBatch(batch, closing);
  }

  #removeLost(): void {
    this.#open = this.#open.filter((message) => !message.linkLost);
    if (this.#open.length === 0) this.discard();
  }
}
