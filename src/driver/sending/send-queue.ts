import type { Deadline } from "../../core/deadlines.js";
import { Waiters } from "../../core/waiters.js";

/** Limits of the send queue. A message that would have to wait beyond either of them is refused. */
export interface QueueLimits {
  /** Most messages that wait. Default 10,000. */
  messages?: number | undefined;
  /** Most bytes that wait. Default 64 MiB. */
  bytes?: number | undefined;
}

/** oslo blocks its callers at 500 operations. A promise cannot block, and an offline tab must not grow without limit. */
const MAX_MESSAGES = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** Counts the messages that wait to be sent, on any connection. A message that leaves at once is not counted. */
export class SendQueue {
  readonly limits: Readonly<Record<"messages" | "bytes", number>>;
  #messages = 0;
  #bytes = 0;
  readonly #waiters = new Waiters<void>();
  /** Callers of `writable` that were released in this turn. Their messages are not counted yet. */
  #released = 0;
  #turn: ReturnType<typeof setTimeout> | undefined;

  constructor({ messages = MAX_MESSAGES, bytes = MAX_BYTES }: QueueLimits = {}) {
    this.limits = { messages, bytes };
  }

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#messages >= this.limits.messages || this.#bytes >= this.limits.bytes;
  }

  add(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#messages--;
    this.#bytes -= bytes;
    this.#releaseWaiters();
  }

  /**
   * Resolves when the queue is not full. At most as many callers are released at once as the queue has room for, so that
   * the messages that they send next are not refused.
   */
  async writable(deadline: Deadline): Promise<void> {
    if (this.#waiters.size === 0 && this.#hasRoom) this.#countReleased();
    else await this.#waiters.wait("credit", deadline);
  }

  /** True when there is room for one more message of the average size of the waiting ones. */
  get #hasRoom(): boolean {
    if (this.isFull) return false;
    const released = this.#released;
    if (this.#messages + released >= this.limits.messages) return false;
    return this.#messages === 0 || this.#bytes + (released * this.#bytes) / this.#messages < this.limits.bytes;
  }

  #releaseWaiters(): void {
    while (this.#waiters.size > 0 && this.#hasRoom) {
      this.#countReleased();
      this.#waiters.resolveNext();
    }
  }

  #countReleased(): void {
    this.#released++;
    this.#turn ??= setTimeout(() => {
      this.#turn = undefined;
      this.#released = 0;
      this.#releaseWaiters();
    }, 0);
  }
}

/** The place of one message in the queue: it counts while the message waits to be sent. */
export class QueueTicket {
  readonly #queue: SendQueue;
  readonly #bytes: number;
  #state: "new" | "queued" | "sent" = "new";

  constructor(queue: SendQueue, bytes: number) {
    this.#queue = queue;
    this.#bytes = bytes;
  }

  /** Counts the message. Returns false when the queue is full and the message was never admitted before. */
  enter(): boolean {
    if (this.#state === "queued") return true;
    if (this.#state === "new" && this.#queue.isFull) return false;
    this.#state = "queued";
    this.#queue.add(this.#bytes);
    return true;
  }

  /** Stops counting the message: it was sent or given up. */
  leave(): void {
    if (this.#state === "queued") this.#queue.remove(this.#bytes);
    this.#state = "sent";
  }
}
