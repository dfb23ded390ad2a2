import type { Publishing } from "./publishing.js";

/**
 * Most unconfirmed requests of one routing key. When their connection is lost they are sent again, and a Python server recognises
 * a repeat among the last 16 messages only (oslo_messaging/_drivers/amqp.py, _MessageIDCache).
 */
const MAX_UNCONFIRMED = 16;

/**
 * The messages with one exchange and routing key that may not be sent yet, in their order: their exchange is being declared,
 * or too many requests are unconfirmed.
 */
export class Lane {
  readonly key: string;
  readonly waiting = new Set<Publishing>();
  isDeclaring = false;
  /** Those of `waiting` that may have been sent before. */
  readonly #repeats = new WeakSet<Publishing>();
  readonly #onLeave: (lane: Lane) => void;
  #unconfirmed = 0;

  /** `onLeave` is called when the number of unconfirmed requests has decreased. */
  constructor(key: string, onLeave: (lane: Lane) => void) {
    this.key = key;
    this.#onLeave = onLeave;
  }

  get isFull(): boolean {
    return this.#unconfirmed >= MAX_UNCONFIRMED;
  }

  get isIdle(): boolean {
    return this.#unconfirmed === 0 && this.waiting.size === 0 && !this.isDeclaring;
  }

  /**
   * Lets a message wait. Repeats wait before all others: behind more than 16 new requests, a Python server would not
   * recognise them.
   */
  add(publishing: Publishing, isRepeat: boolean): void {
    if (!isRepeat) {
      this.waiting.add(publishing);
      return;
    }
    const others = [...this.waiting].filter((waiting) => !this.#repeats.has(waiting));
    for (const other of others) this.waiting.delete(other);
    this.#repeats.add(publishing);
    for (const waiting of [publishing, ...others]) this.waiting.add(waiting);
  }

  /** Counts a request as unconfirmed. */
  enter(): void {
    this.#unconfirmed++;
  }

  leave(): void {
    this.#unconfirmed--;
    this.#onLeave(this);
  }

  abandoned(publishing: Publishing): void {
    this.waiting.delete(publishing);
  }
}
