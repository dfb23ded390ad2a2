import { ACCEPTED } from "../core/messages/outcome.js";
import type { ConsumerLink, OpenProducerLink, RoutedMessage } from "./links.js";
import type { Node, NodeInit } from "./node.js";
import { kept } from "./payload.js";
import { PRODUCER_CREDIT, Queue } from "./queue.js";

/**
 * A broker address whose messages each go to every attached consumer. Each consumer has its own queue, which is deleted
 * when the consumer detaches. A message is always accepted, even without consumers or when a consumer's queue is full.
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
    // Copied here, if needed, so that all queues share one copy.
    const payload = kept(message.payload);
    for (const queue of this.#subscribers) queue.put(payload);
    message.settle(ACCEPTED);
  }

  #reportUnused(): void {
    if (this.#subscribers.size === 0 && this.#producers === 0) this.#init.onUnused();
  }
}
