import { KnownIds } from "../values/known-ids.js";

/** Longest time for which a request is remembered. */
const MAX_AGE_MS = 10 * 60_000;

/**
 * The requests that a server dispatched last. A broker that lost the connection before the acknowledgement reached it
 * delivers a request again, and the repeat must not run.
 */
export class DispatchedRequests {
  readonly #ids = new KnownIds();

  /** Enters a request that is to be dispatched. Returns false for a repeat. */
  add(identity: string): boolean {
    if (this.#ids.has(identity, MAX_AGE_MS)) return false;
    this.#ids.add(identity);
    return true;
  }
}
