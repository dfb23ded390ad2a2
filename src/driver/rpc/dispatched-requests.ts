/** Most requests that are remembered. */
const MAX_REQUESTS = 10_000;
/** Longest time for which a request is remembered. */
const MAX_AGE_MS = 10 * 60_000;
/** Longest identity that is remembered, in characters. It is untrusted input. */
const LONGEST_IDENTITY = 2_048;

/**
 * The requests that a server dispatched last. A broker that lost the connection before the acknowledgement reached it
 * delivers a request again, and the repeat must not run.
 */
export class DispatchedRequests {
  /** Time of the dispatch by identity, on the clock of performance.now(). */
  readonly #dispatchedMs = new Map<string, number>();
  /** A ring of the identities, in order. The search for the oldest key of a Map would cost more than all the rest. */
  readonly #order: string[] = [];
  #next = 0;

  /** Enters a request that is to be dispatched. Returns false for a repeat. */
  add(identity: string): boolean {
    if (identity.length > LONGEST_IDENTITY) return true;
    const nowMs = performance.now();
    const dispatchedMs = this.#dispatchedMs.get(identity);
    if (dispatchedMs !== undefined && nowMs - dispatchedMs < MAX_AGE_MS) return false;
    const oldest = this.#order[this.#next];
    if (oldest !== undefined) this.#dispatchedMs.delete(oldest);
    this.#order[this.#next] = identity;
    this.#next = (this.#next + 1) % MAX_REQUESTS;
    this.#dispatchedMs.set(identity, nowMs);
    return true;
  }
}
