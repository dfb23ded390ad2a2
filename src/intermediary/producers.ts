import type { OpenProducerLink, ProducerLink, RoutedMessage } from "./links.js";

/** The most that a router gives one producer, as qpid-dispatch does. */
const WINDOW = 250;

interface Producer {
  readonly link: ProducerLink;
  /** Half of what it was given last: with this much credit left it wants more. */
  wantsAt: number;
}

/**
 * The producers of one address of a router. They get credit while a consumer has some: each as much as the consumers
 * take now, at most 250, so that what has to wait here for a consumer is bounded. What they have is withdrawn when the
 * last consumer goes.
 */
export class Producers {
  readonly #producers = new Set<Producer>();
  readonly #wanting = new Set<Producer>();
  readonly #room: () => number;

  /** `room`: how many messages could go on to consumers now. */
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
        this.#sent(producer);
      },
      onDetach: () => {
        this.#producers.delete(producer);
        this.#wanting.delete(producer);
        onDetach();
      },
    };
    const producer: Producer = { link: open(handlers, 0), wantsAt: 0 };
    this.#producers.add(producer);
    this.#wanting.add(producer);
    this.feed();
  }

  /** Gives credit to those who want some, as long as there is room. */
  feed(): void {
    for (const producer of this.#wanting) {
      const room = Math.min(WINDOW, this.#room());
      if (room <= 0) return;
      this.#wanting.delete(producer);
      producer.wantsAt = room >> 1;
      producer.link.grant(room - producer.link.credit);
    }
  }

  /** Nobody takes anything any more. */
  withdraw(): void {
    for (const producer of this.#producers) {
      if (producer.link.credit === 0) continue;
      producer.link.drain().then(() => this.#want(producer));
    }
  }

  #sent(producer: Producer): void {
    if (producer.link.credit <= producer.wantsAt) this.#want(producer);
  }

  #want(producer: Producer): void {
    if (!this.#producers.has(producer)) return;
    this.#wanting.add(producer);
    this.feed();
  }
}
