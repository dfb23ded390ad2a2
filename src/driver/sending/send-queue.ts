import type { Deadline } from "../../core/deadlines.js";
import { Waiters } from "../../core/waiters.js";

/** How much may wait to be sent: beyond either, what would have to wait too is refused. */
export interface QueueLimits {
  messages?: number | undefined;
  bytes?: number | undefined;
}

/** oslo holds up its callers at 500 operations; here nobody can be held up, and a tab that is offline must not grow without limit. */
const MAX_MESSAGES = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** How much waits to be sent, on whatever connection, and who waits for that to become less. What leaves at once is not counted. */
export class SendQueue {
  readonly limits: Readonly<Record<"messages" | "bytes", number>>;
  #messages = 0;
  #bytes = 0;
  readonly #waiters = new Waiters<void>();
  /** How many were told in this turn that there is room: what they send is not counted yet. */
  #told = 0;
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
    this.#tell();
  }

  /** Resolves when it is not full, for so many at once as there is room for: they send next, and are not to be refused. */
  async writable(deadline: Deadline): Promise<void> {
    if (this.#waiters.size === 0 && this.#hasRoom) this.#count();
    else await this.#waiters.wait("credit", deadline);
  }

  /** For one more message, as large as those that wait are on average. */
  get #hasRoom(): boolean {
    if (this.isFull) return false;
    const told = this.#told;
    if (this.#messages + told >= this.limits.messages) return false;
    return this.#messages === 0 || this.#bytes + (told * this.#bytes) / this.#messages < this.limits.bytes;
  }

  #tell(): void {
    while (this.#waiters.size > 0 && this.#hasRoom) {
      this.#count();
      this.#waiters.resolveNext();
    }
  }

  #count(): void {
    this.#told++;
    this.#turn ??= setTimeout(() => {
      this.#turn = undefined;
      this.#told = 0;
      this.#tell();
    }, 0);
  }
}
