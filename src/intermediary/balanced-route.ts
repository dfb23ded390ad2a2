import { type DeliveryState, type Outcome, RELEASED } from "../core/messages/outcome.js";
import type { Share } from "./budget.js";
import { Consumer } from "./consumer.js";
import { Fifo } from "./fifo.js";
import type { ConsumerLink, OpenInlet, Parcel } from "./links.js";
import type { Node, NodeInit } from "./node.js";
import { Producers } from "./producers.js";
import { Rotation } from "./rotation.js";

/** What was sent on, and then the consumer went without a word: nobody knows how far it got. */
const LOST: DeliveryState = { type: "modified", deliveryFailed: true, undeliverableHere: false };

/**
 * An address of a router where each message goes to one consumer. Nothing is stored: the consumer's outcome is the
 * producer's. A message that comes on credit which other producers have used up meanwhile waits for the next credit,
 * and goes back released when no consumer is left.
 */
export class BalancedRoute implements Node {
  readonly #init: NodeInit;
  readonly #share: Share;
  readonly #consumers = new Set<Consumer>();
  readonly #rotation = new Rotation();
  readonly #waiting = new Fifo<Parcel>();
  readonly #producers = new Producers(() => this.#rotation.room());

  constructor(init: NodeInit) {
    this.#init = init;
    this.#share = init.budget.share();
  }

  get waiting(): number {
    return this.#share.messages;
  }

  addProducer(open: OpenInlet): void {
    this.#producers.add(
      open,
      (parcel) => this.#onParcel(parcel),
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

  #onParcel(parcel: Parcel): void {
    if (this.#share.take(parcel.payload.length)) this.#route(parcel);
    else parcel.settle(RELEASED);
  }

  #onCredit(consumer: Consumer, draining: boolean): void {
    if (consumer.room <= 0) return;
    this.#rotation.add(consumer);
    while (this.#waiting.size > 0) {
      const next = this.#rotation.pick();
      if (next === undefined) return;
      const parcel = this.#waiting.shift();
      if (parcel !== undefined) this.#forward(parcel, next);
    }
    if (!draining) this.#producers.feed();
  }

  #onConsumerDetach(consumer: Consumer): void {
    this.#consumers.delete(consumer);
    this.#rotation.delete(consumer);
    if (this.#consumers.size > 0) return;
    for (let parcel = this.#waiting.shift(); parcel !== undefined; parcel = this.#waiting.shift()) {
      this.#answer(parcel, RELEASED);
    }
    this.#producers.withdraw();
    this.#reportUnused();
  }

  #route(parcel: Parcel): void {
    const consumer = this.#rotation.pick();
    if (consumer !== undefined) this.#forward(parcel, consumer);
    else if (this.#consumers.size > 0) this.#waiting.push(parcel);
    else this.#answer(parcel, RELEASED);
  }

  #forward(parcel: Parcel, consumer: Consumer): void {
    consumer.send(parcel.payload, parcel.settled, (outcome) => this.#onOutcome(parcel, outcome));
  }

  #onOutcome(parcel: Parcel, outcome: Outcome): void {
    if (outcome.type === "unsent") this.#route(parcel);
    else this.#answer(parcel, outcome.type === "unknown" ? LOST : outcome);
  }

  #answer(parcel: Parcel, state: DeliveryState): void {
    this.#share.give(parcel.payload.length);
    parcel.settle(state);
  }

  #reportUnused(): void {
    if (this.#consumers.size === 0 && this.#producers.size === 0) this.#init.onUnused();
  }
}
