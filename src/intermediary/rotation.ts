import type { Consumer } from "./consumer.js";

/** Number of consumers that one `pick` compares, so that the cost of a message does not grow with their number. */
const COMPARED = 8;

/**
 * The consumers of an address that have credit, in turn. A consumer without credit is removed when its turn comes, and
 * must be added again when it gives credit.
 */
export class Rotation {
  readonly #ready: Consumer[] = [];
  /** Index in `#ready`, by consumer. */
  readonly #indexes = new Map<Consumer, number>();
  #next = 0;

  add(consumer: Consumer): void {
    if (this.#indexes.has(consumer)) return;
    this.#indexes.set(consumer, this.#ready.length);
    this.#ready.push(consumer);
  }

  delete(consumer: Consumer): void {
    const index = this.#indexes.get(consumer);
    if (index === undefined) return;
    this.#indexes.delete(consumer);
    const last = this.#ready.pop();
    if (last === undefined || last === consumer) return;
    this.#ready[index] = last;
    this.#indexes.set(last, index);
  }

  /** The consumer for the next message: of the next few with credit, the one with the fewest unsettled messages. */
  pick(): Consumer | undefined {
    const candidates = this.#upcoming();
    let best = candidates[0];
    for (const candidate of candidates) {
      if (best !== undefined && candidate.unsettled < best.unsettled) best = candidate;
    }
    this.#next++;
    return best;
  }

  /** Number of messages that the next few consumers accept together. */
  room(): number {
    return this.#upcoming().reduce((room, consumer) => room + consumer.room, 0);
  }

  #upcoming(): Consumer[] {
    const upcoming: Consumer[] = [];
    const spent: Consumer[] = [];
    const { length } = this.#ready;
    for (let looked = 0; looked < length && upcoming.length < COMPARED; looked++) {
      const consumer = this.#ready[(this.#next + looked) % length];
      if (consumer !== undefined) (consumer.room > 0 ? upcoming : spent).push(consumer);
    }
    for (const consumer of spent) this.delete(consumer);
    return upcoming;
  }
}
