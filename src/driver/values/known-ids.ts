/** Most ids that are remembered. */
const MAX_IDS = 10_000;
/** Longest id that is remembered, in characters. Ids are untrusted input. */
const LONGEST_ID = 2_048;

/** The newest ids of processed messages, by which repeats are recognised. */
export class KnownIds {
  /** Time of the addition by id, on the clock of performance.now(). */
  readonly #addedMs = new Map<string, number>();
  /** A ring of the ids, in order. The search for the oldest key of a Map would cost more than all the rest. */
  readonly #order: string[] = [];
  #next = 0;

  /** True for an id that was added, at most `maxAgeMs` ago. */
  has(id: string, maxAgeMs = Number.POSITIVE_INFINITY): boolean {
    const addedMs = this.#addedMs.get(id);
    return addedMs !== undefined && performance.now() - addedMs < maxAgeMs;
  }

  add(id: string): void {
    if (id.length > LONGEST_ID) return;
    const oldest = this.#order[this.#next];
    if (oldest !== undefined) this.#addedMs.delete(oldest);
    this.#order[this.#next] = id;
    this.#next = (this.#next + 1) % MAX_IDS;
    this.#addedMs.set(id, performance.now());
  }
}
