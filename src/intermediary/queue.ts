import type { AmqpErrorInit } from "../core/errors.js";
import { ACCEPTED, type Outcome } from "../core/messages/outcome.js";
import type { Share } from "./budget.js";
import { Consumer } from "./consumer.js";
import { Fifo } from "./fifo.js";
import type { ConsumerLink, OpenProducerLink, ProducerLink, RoutedMessage } from "./links.js";
import type { Node, NodeInit } from "./node.js";
import { kept, timeToLiveMs } from "./payload.js";
import { Rotation } from "./rotation.js";

/** Credit of a broker's producer, whose messages are settled as soon as they arrive. */
export const PRODUCER_CREDIT = 1000;

/** Largest number of refused messages that are tried on a consumer each time that it gives credit. */
const TRIED_AT_ONCE = 100;

/** A stored message. */
interface QueuedMessage {
  readonly payload: Uint8Array;
  /** On the clock of performance.now(). */
  readonly expiresAtMs: number;
  /** Consumers that settled the message as undeliverable here. */
  refusedBy: WeakSet<Consumer> | undefined;
}

/**
 * A broker address whose messages each go to one consumer. The queue accepts a message once it is stored, and keeps it
 * until a consumer accepts or rejects it, or its time to live is over. Expiry is checked when the message would be
 * delivered or its room is needed. A message that is released, modified, or unsettled when its consumer detaches is
 * delivered again, before newer ones. The header is not changed: neither redeliveries nor the time in the queue are
 * counted in it.
 */
export class Queue implements Node {
  readonly #init: NodeInit;
  readonly #share: Share;
  readonly #consumers = new Set<Consumer>();
  readonly #producers = new Set<ProducerLink>();
  readonly #rotation = new Rotation();
  readonly #fresh = new Fifo<QueuedMessage>();
  readonly #returned = new Fifo<QueuedMessage>();
  /** Messages that a consumer refused; others may still accept them. */
  readonly #refused = new Fifo<QueuedMessage>();
  #deleted = false;

  constructor(init: NodeInit) {
    this.#init = init;
    this.#share = init.budget.share();
  }

  get waiting(): number {
    return this.#share.messages;
  }

  addProducer(open: OpenProducerLink): void {
    const handlers = {
      onMessage: (message: RoutedMessage) => this.#onMessage(message),
      onDetach: () => {
        this.#producers.delete(link);
        this.#reportUnused();
      },
    };
    const link = open(handlers, PRODUCER_CREDIT);
    this.#producers.add(link);
  }

  addConsumer(link: ConsumerLink): void {
    this.#consumers.add(
      new Consumer(link, this.#init.traffic, {
        onCredit: (consumer) => this.#onCredit(consumer),
        onDetach: (consumer) => this.#onConsumerDetach(consumer),
      }),
    );
  }

  /** Stores a message. Returns false if it does not fit. */
  put(payload: Uint8Array): boolean {
    if (!this.#share.take(payload.length)) {
      this.#removeExpired();
      if (!this.#share.take(payload.length)) return this.#refuse();
    }
    const expiresAtMs = performance.now() + timeToLiveMs(payload);
    this.#fresh.push({ payload: kept(payload), expiresAtMs, refusedBy: undefined });
    this.#deliver();
    return true;
  }

  #onMessage(message: RoutedMessage): void {
    const error = { condition: "amqp:resource-limit-exceeded", description: `${this.#init.address} is full` };
    message.settle(this.put(message.payload) ? ACCEPTED : { type: "rejected", error });
  }

  #onCredit(consumer: Consumer): void {
    if (consumer.room <= 0) return;
    this.#rotation.add(consumer);
    this.#deliverRefused(consumer);
    this.#deliver();
  }

  #onConsumerDetach(consumer: Consumer): void {
    this.#consumers.delete(consumer);
    this.#rotation.delete(consumer);
    if (this.#init.temporary) this.#delete();
    else this.#reportUnused();
  }

  #deliver(): void {
    while (this.#returned.size + this.#fresh.size > 0) {
      const consumer = this.#rotation.pick();
      if (consumer === undefined) return;
      const queued = this.#returned.shift() ?? this.#fresh.shift();
      if (queued !== undefined) this.#send(queued, consumer);
    }
  }

  #deliverRefused(consumer: Consumer): void {
    for (let left = Math.min(TRIED_AT_ONCE, this.#refused.size); left > 0 && consumer.room > 0; left--) {
      const queued = this.#refused.shift();
      if (queued?.refusedBy?.has(consumer)) this.#refused.push(queued);
      else if (queued !== undefined) this.#send(queued, consumer);
    }
  }

  #send(queued: QueuedMessage, consumer: Consumer): void {
    if (isExpired(queued)) this.#remove(queued);
    else consumer.send(queued.payload, false, (outcome) => this.#onOutcome(queued, consumer, outcome));
  }

  #onOutcome(queued: QueuedMessage, consumer: Consumer, outcome: Outcome): void {
    if (outcome.type === "accepted") {
      this.#remove(queued);
    } else if (outcome.type === "rejected") {
      this.#drop(queued, outcome.error);
    } else {
      const refused = outcome.type === "modified" && outcome.undeliverableHere;
      if (refused) queued.refusedBy = (queued.refusedBy ?? new WeakSet()).add(consumer);
      this.#requeue(queued);
    }
  }

  #requeue(queued: QueuedMessage): void {
    if (this.#deleted) {
      this.#remove(queued);
    } else if (queued.refusedBy === undefined) {
      this.#returned.push(queued);
      this.#deliver();
    } else {
      this.#refused.push(queued);
      for (const consumer of this.#consumers) {
        if (this.#refused.size > 0 && consumer.room > 0) this.#deliverRefused(consumer);
      }
    }
  }

  #drop(queued: QueuedMessage, error: AmqpErrorInit | undefined): void {
    const { address, warnings } = this.#init;
    const reason = JSON.stringify(error?.condition ?? "no reason given");
    const message = `a message of ${queued.payload.length} bytes from ${JSON.stringify(address)}`;
    warnings.warn("dropped message", `dropped ${message}: a consumer rejected it, ${reason}`);
    this.#remove(queued);
  }

  #remove(queued: QueuedMessage): void {
    this.#share.give(queued.payload.length);
    this.#reportUnused();
  }

  /** Deletes a temporary queue when its consumer detaches: removes its messages and closes its producers. */
  #delete(): void {
    this.#deleted = true;
    for (const messages of [this.#returned, this.#fresh, this.#refused]) {
      for (let queued = messages.shift(); queued !== undefined; queued = messages.shift()) this.#remove(queued);
    }
    const description = `${this.#init.address} is deleted: its consumer has detached`;
    for (const producer of this.#producers) void producer.close({ condition: "amqp:resource-deleted", description });
    this.#producers.clear();
    // Reported even while the consumer has unsettled messages: no new link may attach to the address.
    this.#init.onUnused();
  }

  #removeExpired(): void {
    while (this.#fresh.first !== undefined && isExpired(this.#fresh.first)) {
      const queued = this.#fresh.shift();
      if (queued !== undefined) this.#remove(queued);
    }
  }

  #refuse(): false {
    const { address, warnings } = this.#init;
    warnings.warn("full", `${JSON.stringify(address)} is full: it holds ${this.#share.messages} messages`);
    return false;
  }

  #reportUnused(): void {
    const links = this.#consumers.size + this.#producers.size;
    if (links === 0 && this.#share.messages === 0) this.#init.onUnused();
  }
}

function isExpired({ expiresAtMs }: QueuedMessage): boolean {
  return expiresAtMs <= performance.now();
}
