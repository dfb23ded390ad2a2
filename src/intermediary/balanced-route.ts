import { type DeliveryState, type Outcome, RELEASED } from "../core/messages/outcome.js";
import type { Share } from "./budget.js";
import { Consumer } from "./consumer.js";
import { Fifo } from "./fifo.js";
import type { ConsumerLink, OpenProducerLink, RoutedMessage } from "./links.js";
import type { Node, NodeInit } from "./node.js";
import { Producers } from "./producers.js";
import { Rotation } from "./rotation.js";

/** The outcome of a message whose consumer detached without settling it: the consumer may or may not have got it. */
const LOST: DeliveryState = { type: "modified", deliveryFailed: true, undeliverableHere: false };

/**
 * A router address whose messages each go to one consumer. Nothing is stored: the producer gets the consumer's outcome.
 * If other producers have used up the credit before a message arrives, the message waits for the next credit; it is
 * released when no consumer is left.
 */
export class BalancedRoute implements Node {
  readonly #init: NodeInit;
  readonly #share: Share;
  readonly #consumers = new Set<Consumer>();
  readonly #rotation = new Rotation();
  readonly #waiting = new Fifo<RoutedMessage>();
  readonly #producers = new Producers(() => this.#rotation.room());

  constructor(init: NodeInit) {
    this.#init = init;
    this.#share = init.budget.share();
  }

  get waiting(): number {
    return this.#share.messages;
  }

  addProducer(open: OpenProducerLink): void {
    this.#producers.add(
      open,
      (message) => this.#onMessage(message),
      () => this.#reportUnused(),
    );
  }

  addConsumer(link: ConsumerLink): void {
    this.#consumers.add(
      new Consumer(link, this.#init.traffic, {
        onCredit: (consumer, draining) => this.#onCredit(consumer, draining),
        onDetach: (consumer) => this.#onConsumerDetach(consumer),
      }),
    );
  }

  #onMessage(message: RoutedMessage): void {
    if (this.#share.take(message.payload.length)) this.#route(message);
    else message.settle(RELEASED);
  }

  #onCredit(consumer: Consumer, draining: boolean): void {
    if (consumer.room <= 0) return;
    this.#rotation.add(consumer);
    while (this.#waiting.size > 0) {
      const next = this.#rotation.pick();
      if (next === undefined) return;
      const message = this.#waiting.shift();
      if (message !== undefined) this.#forward(message, next);
    }
    if (!draining) this.#producers.feed();
  }

  #onConsumerDetach(consumer: Consumer): void {
    this.#consumers.delete(consumer);
    this.#rotation.delete(consumer);
    if (this.#consumers.size > 0) return;
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      this.#settle(message, RELEASED);
    }
    this.#producers.withdraw();
    this.#reportUnused();
  }

  #route(message: RoutedMessage): void {
    const consumer = this.#rotation.pick();
    if (consumer !== undefined) this.#forward(message, consumer);
    else if (this.#consumers.size > 0) this.#waiting.push(message);
    else this.#settle(message, RELEASED);
  }

  #forward(message: RoutedMessage, consumer: Consumer): void {
    consumer.send(message.payload, message.settled, (outcome) => this.#onOutcome(message, outcome));
  }

  #onOutcome(message: RoutedMessage, outcome: Outcome): void {
    if (outcome.type === "unsent") this.#route(message);
    else this.#settle(message, outcome.type === "unknown" ? LOST : outcome);
  }

  #settle(message: RoutedMessage, state: DeliveryState): void {
    this.#share.give(message.payload.length);
    message.settle(state);
  }

  #reportUnused(): void {
    if (this.#consumers.size === 0 && this.#producers.size === 0) this.#init.onUnused();
  }
}
