/** Most names that are remembered, as in oslo. */
const MAX_QUEUES = 200;
/** Time for which a name is remembered. */
const LIFETIME_MS = 60_000;

/**
 * Reply queues that do not exist any more (amqpdriver.py ObsoleteReplyQueuesCache). Replies to them are discarded at once: a
 * client that is gone may leave many replies.
 */
export class ObsoleteQueues {
  /** Time of the end by name, the oldest first, on the clock of `performance.now()`. */
  readonly #endsMs = new Map<string, number>();

  add(queue: string): void {
    this.#endsMs.delete(queue);
    const [oldest] = this.#endsMs.keys();
    if (oldest !== undefined && this.#endsMs.size >= MAX_QUEUES) this.#endsMs.delete(oldest);
    this.#endsMs.set(queue, performance.now() + LIFETIME_MS);
  }

  has(queue: string): boolean {
    const endMs = this.#endsMs.get(queue);
    if (endMs === undefined) return false;
    if (performance.now() < endMs) return true;
    this.#endsMs.delete(queue);
    return false;
  }
}
