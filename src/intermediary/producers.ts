import type { OpenProducerLink, ProducerLink, RoutedMessage } from "./links.js";

/** Largest credit that a router grants to one producer; the same as in qpid-dispatch. */
const WINDOW = 250;

interface Producer {
  readonly link: ProducerLink;
  /** Half of the last grant. The producer is granted more when its credit is down to this. */
  refillAt: number;
}

/**
 * The producers of one router address. They get credit while a consumer has some: each as much as the consumers accept
 * now, at most 250, which bounds the messages that wait for a consumer. Their credit is withdrawn when the last
 * consumer detaches.
 */
export class Producers {
  readonly #producers = new Set<Producer>();
  /** Producers to be granted credit as soon as consumers accept messages. */
  readonly #needingCredit = new Set<Producer>();
  readonly #room: () => number;

  /** `room` returns the number of messages that the consumers accept now. */
  constructor(room: () => number) {
    this.#room = room;
  }

  get size(): number {
    return this.#producers.size;
  }

  add(open: OpenProducerLink, onMessage: (message: RoutedMessage) => void, onDetach: () => void): void {
    const handlers = {
      onMessage: (message: RoutedMessage) => {
        onMessage(message);
        if (producer.link.credit <= producer.refillAt) this.#refill(producer);
      },
      onDetach: () => {
        this.#producers.delete(producer);
        this.#needingCredit.delete(producer);
        onDetach();
      },
    };
    const producer: Producer = { link: open(handlers, 0), refillAt: 0 };
    this.#producers.add(producer);
    this.#needingCredit.add(producer);
    this.feed();
  }

  /** Grants credit to the producers that need it, as long as the consumers accept messages. */
  feed(): void {
    for (const producer of this.#needingCredit) {
      const room = Math.min(WINDOW, this.#room());
      if (room <= 0) return;
      this.#needingCredit.delete(producer);
      producer.refillAt = room >> 1;
      producer.link.grant(room - producer.link.credit);
    }
  }

  /** Withdraws all credit. Called when no consumer is left. */
  withdraw(): void {
    for (const producer of this.#producers) {
      if (producer.link.credit === 0) continue;
      producer.link.drain().then(() => this.#refill(producer));
    }
  }

  #refill(producer: Producer): void {
    if (!this.#producers.has(producer)) return;
    this.#needingCredit.add(producer);
    this.feed();
  }
}
