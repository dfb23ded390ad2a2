import { ACCEPTED } from "../core/messages/outcome.js";
import type { ConsumerLink, OpenProducerLink, RoutedMessage } from "./links.js";
import type { Node, NodeInit } from "./node.js";
import { kept } from "./payload.js";
import { PRODUCER_CREDIT, Queue } from "./queue.js";

/**
 * An address of a broker where each message goes to every consumer that is there: each has a queue of its own, which
 * goes with it. A message is accepted in any case, also when nobody hears it or a consumer's queue is full.
 */
export class Topic implements Node {
  readonly #init: NodeInit;
  readonly #subscribers = new Set<Queue>();
  #producers = 0;

  constructor(init: NodeInit) {
    this.#init = init;
  }

  get waiting(): number {
    let waiting = 0;
    for (const queue of this.#subscribers) waiting += queue.waiting;
    return waiting;
  }

  addProducer(open: OpenProducerLink): void {
    const handlers = {
      onMessage: (message: RoutedMessage) => this.#onMessage(message),
      onDetach: () => {
        this.#producers--;
        this.#reportUnused();
      },
    };
    open(handlers, PRODUCER_CREDIT);
    this.#producers++;
  }

  addConsumer(link: ConsumerLink): void {
    const onUnused = (): void => {
      this.#subscribers.delete(queue);
      this.#reportUnused();
    };
    const queue = new Queue({ ...this.#init, temporary: true, onUnused });
    queue.addConsumer(link);
    this.#subscribers.add(queue);
  }

  #onMessage(message: RoutedMessage): void {
    // Copied here if at all, so that all queues share the bytes.
    const payload = kept(message.payload);
    for (const queue of this.#subscribers) queue.put(payload);
    message.settle(ACCEPTED);
  }

  #reportUnused(): void {
    if (this.#subscribers.size === 0 && this.#producers === 0) this.#init.onUnused();
  }
}
