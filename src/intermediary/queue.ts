import type { AmqpErrorInit } from "../core/errors.js";
import { ACCEPTED, type Outcome } from "../core/messages/outcome.js";
import type { Share } from "./budget.js";
import { Consumer } from "./consumer.js";
import { Fifo } from "./fifo.js";
import type { ConsumerLink, OpenProducerLink, ProducerLink, RoutedMessage } from "./links.js";
import type { Node, NodeInit } from "./node.js";
import { kept, timeToLiveMs } from "./payload.js";
import { Rotation } from "./rotation.js";

/** What a broker's producer may send before it is answered: it is answered at once. */
export const PRODUCER_CREDIT = 1000;

/** How many of the messages that were refused by some consumer are tried on one that gives credit, each time. */
const TRIED_AT_ONCE = 100;

/** A stored message. */
interface QueuedMessage {
  readonly payload: Uint8Array;
  /** On the clock of performance.now(). */
  readonly expiresAtMs: number;
  /** Who answered "undeliverable here". */
  refusedBy: WeakSet<Consumer> | undefined;
}

/**
 * An address of a broker where each message goes to one consumer. It accepts a message when it has stored it, and keeps
 * it until a consumer accepts or rejects it or its time to live is over, of which it takes notice when it would deliver
 * the message or needs its room. What is released, modified, or still unanswered when its consumer goes is delivered
 * again, before newer ones. The header passes as it is: neither redeliveries nor the time spent here are counted in it.
 */
export class Queue implements Node {
  readonly #init: NodeInit;
  readonly #share: Share;
  readonly #consumers = new Set<Consumer>();
  readonly #producers = new Set<ProducerLink>();
  readonly #rotation = new Rotation();
  readonly #fresh = new Fifo<QueuedMessage>();
  readonly #returned = new Fifo<QueuedMessage>();
  /** What some consumer has refused: the others may still take it. */
  readonly #refused = new Fifo<QueuedMessage>();
  #full = false;
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

  /** Stores a message. False when there is no room for it. */
  put(payload: Uint8Array): boolean {
    if (!this.#share.take(payload.length)) {
      this.#dropExpired();
      if (!this.#share.take(payload.length)) return this.#refuse();
    }
    this.#full = false;
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
      const entry = this.#returned.shift() ?? this.#fresh.shift();
      if (entry !== undefined) this.#send(entry, consumer);
    }
  }

  #deliverRefused(consumer: Consumer): void {
    for (let left = Math.min(TRIED_AT_ONCE, this.#refused.size); left > 0 && consumer.room > 0; left--) {
      const entry = this.#refused.shift();
      if (entry?.refusedBy?.has(consumer)) this.#refused.push(entry);
      else if (entry !== undefined) this.#send(entry, consumer);
    }
  }

  #send(entry: QueuedMessage, consumer: Consumer): void {
    if (isExpired(entry)) this.#forget(entry);
    else consumer.send(entry.payload, false, (outcome) => this.#onOutcome(entry, consumer, outcome));
  }

  #onOutcome(entry: QueuedMessage, consumer: Consumer, outcome: Outcome): void {
    if (outcome.type === "accepted") {
      this.#forget(entry);
    } else if (outcome.type === "rejected") {
      this.#drop(entry, outcome.error);
    } else {
      const refused = outcome.type === "modified" && outcome.undeliverableHere;
      if (refused) entry.refusedBy = (entry.refusedBy ?? new WeakSet()).add(consumer);
      this.#putBack(entry);
    }
  }

  #putBack(entry: QueuedMessage): void {
    if (this.#deleted) {
      this.#forget(entry);
    } else if (entry.refusedBy === undefined) {
      this.#returned.push(entry);
      this.#deliver();
    } else {
      this.#refused.push(entry);
      for (const consumer of this.#consumers) {
        if (this.#refused.size > 0 && consumer.room > 0) this.#deliverRefused(consumer);
      }
    }
  }

  #drop(entry: QueuedMessage, reason: AmqpErrorInit | undefined): void {
    const { address, logger } = this.#init;
    const why = JSON.stringify(reason?.condition ?? "without a reason");
    const message = `a message of ${entry.payload.length} bytes from ${JSON.stringify(address)}`;
    logger.warn(`dropped ${message}: a consumer rejected it, ${why}`);
    this.#forget(entry);
  }

  #forget(entry: QueuedMessage): void {
    this.#share.give(entry.payload.length);
    this.#reportUnused();
  }

  /** Its consumer has gone: what it had for it is worth nothing, and its producers are told. */
  #delete(): void {
    this.#deleted = true;
    for (const entries of [this.#returned, this.#fresh, this.#refused]) {
      for (let entry = entries.shift(); entry !== undefined; entry = entries.shift()) this.#forget(entry);
    }
    const error = { condition: "amqp:resource-deleted", description: `${this.#init.address} went with its consumer` };
    for (const producer of this.#producers) void producer.close(error);
    this.#producers.clear();
    // At once, whatever its consumer had in hand: nobody may attach to it any more.
    this.#init.onUnused();
  }

  #dropExpired(): void {
    while (this.#fresh.first !== undefined && isExpired(this.#fresh.first)) {
      const entry = this.#fresh.shift();
      if (entry !== undefined) this.#forget(entry);
    }
  }

  /** Logs once for every time that it is full. */
  #refuse(): false {
    const { address, logger } = this.#init;
    if (!this.#full) logger.warn(`${JSON.stringify(address)} is full: it holds ${this.#share.messages} messages`);
    this.#full = true;
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
