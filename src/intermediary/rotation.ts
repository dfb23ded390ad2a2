import type { Consumer } from "./consumer.js";

/** How many consumers one choice compares: the cost of a message must not grow with their number. */
const COMPARED = 8;

/**
 * The consumers of an address that take messages now, in turn. Who has used up its credit is taken out when its turn
 * comes, and has to be added again when it gives more.
 */
export class Rotation {
  readonly #ready: Consumer[] = [];
  readonly #places = new Map<Consumer, number>();
  #next = 0;

  add(consumer: Consumer): void {
    if (this.#places.has(consumer)) return;
    this.#places.set(consumer, this.#ready.length);
    this.#ready.push(consumer);
  }

  delete(consumer: Consumer): void {
    const place = this.#places.get(consumer);
    if (place === undefined) return;
    this.#places.delete(consumer);
    const last = this.#ready.pop();
    if (last === undefined || last === consumer) return;
    this.#ready[place] = last;
    this.#places.set(last, place);
  }

  /** Whose turn it is: of the next few with credit, the one with the fewest messages in hand. */
  pick(): Consumer | undefined {
    const candidates = this.#upcoming();
    let best = candidates[0];
    for (const candidate of candidates) {
      if (best !== undefined && candidate.unsettled < best.unsettled) best = candidate;
    }
    this.#next++;
    return best;
  }

  /** How many messages the next few consumers take together. */
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
