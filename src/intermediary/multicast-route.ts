import { type DeliveryState, type Outcome, RELEASED } from "../core/messages/outcome.js";
import type { Share } from "./budget.js";
import { Consumer } from "./consumer.js";
import { Fifo } from "./fifo.js";
import type { ConsumerLink, OpenProducerLink, RoutedMessage } from "./links.js";
import type { Node, NodeInit } from "./node.js";
import { kept } from "./payload.js";
import { Producers } from "./producers.js";

/** Largest number of messages that wait for the credit of a slow consumer; further ones are dropped for it. */
const BACKLOG = 1000;

/**
 * A router address whose messages each go to every consumer. Producers get as much credit as the fastest consumer
 * gives; a slower one has a backlog, and loses the messages that do not fit. The producer gets its outcome when every
 * consumer has settled: see Tally.
 */
export class MulticastRoute implements Node {
  readonly #init: NodeInit;
  readonly #share: Share;
  readonly #consumers = new Map<Consumer, Fifo<Copy>>();
  readonly #producers = new Producers(() => this.#room());

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
    const consumer = new Consumer(link, this.#init.traffic, {
      onCredit: (_, draining) => this.#onCredit(consumer, draining),
      onDetach: () => this.#onConsumerDetach(consumer),
    });
    this.#consumers.set(consumer, new Fifo());
  }

  #onMessage(message: RoutedMessage): void {
    const tally = new Tally(message);
    let stored: Copy | undefined;
    for (const [consumer, backlog] of this.#consumers) {
      const atOnce = backlog.size === 0 && consumer.room > 0;
      if (!(atOnce || backlog.size < BACKLOG) || !this.#share.take(message.payload.length)) continue;
      tally.expect();
      if (atOnce) {
        this.#send({ payload: message.payload, tally }, consumer);
      } else {
        stored ??= { payload: kept(message.payload), tally };
        backlog.push(stored);
      }
    }
    tally.complete();
  }

  #onCredit(consumer: Consumer, draining: boolean): void {
    const backlog = this.#consumers.get(consumer);
    while (backlog !== undefined && consumer.room > 0) {
      const copy = backlog.shift();
      if (copy === undefined) break;
      this.#send(copy, consumer);
    }
    if (consumer.room > 0 && !draining) this.#producers.feed();
  }

  #onConsumerDetach(consumer: Consumer): void {
    const backlog = this.#consumers.get(consumer);
    this.#consumers.delete(consumer);
    for (let copy = backlog?.shift(); copy !== undefined; copy = backlog?.shift()) this.#settle(copy, RELEASED);
    if (this.#consumers.size > 0) return;
    this.#producers.withdraw();
    this.#reportUnused();
  }

  #send(copy: Copy, consumer: Consumer): void {
    consumer.send(copy.payload, copy.tally.settled, (outcome) => this.#settle(copy, outcome));
  }

  #settle({ payload, tally }: Copy, outcome: Outcome): void {
    this.#share.give(payload.length);
    tally.add(outcome);
  }

  /** Number of messages that the fastest consumer accepts now. */
  #room(): number {
    let room = 0;
    for (const [consumer, backlog] of this.#consumers) {
      if (backlog.size === 0) room = Math.max(room, consumer.room);
    }
    return room;
  }

  #reportUnused(): void {
    if (this.#consumers.size === 0 && this.#producers.size === 0) this.#init.onUnused();
  }
}

/** One consumer's copy of a message. */
interface Copy {
  payload: Uint8Array;
  tally: Tally;
}

/** The possible outcomes for the producer; the consumers' outcome with the highest index wins. */
const RANKS: readonly DeliveryState[] = [
  RELEASED,
  { type: "modified", deliveryFailed: true, undeliverableHere: false },
  { type: "accepted" },
  { type: "rejected", error: undefined },
];

/**
 * Settles a message once for all consumers, as qpid-dispatch does: rejected, without the error, if a consumer rejected
 * it; otherwise accepted if one accepted it; otherwise modified if one may have got it; otherwise released.
 */
class Tally {
  readonly #message: RoutedMessage;
  /** Outcomes still to come, plus one until `complete` is called. */
  #missing = 1;
  #rank = 0;

  constructor(message: RoutedMessage) {
    this.#message = message;
  }

  get settled(): boolean {
    return this.#message.settled;
  }

  /** Announces the outcome of one more copy. */
  expect(): void {
    this.#missing++;
  }

  /** Declares that all copies are announced. */
  complete(): void {
    this.add(RELEASED);
  }

  /** Adds the outcome of a copy. */
  add(outcome: Outcome): void {
    this.#rank = Math.max(this.#rank, rankOf(outcome));
    this.#missing--;
    if (this.#missing === 0) this.#message.settle(RANKS[this.#rank] ?? RELEASED);
  }
}

function rankOf(outcome: Outcome): number {
  switch (outcome.type) {
    case "released":
    case "unsent":
      return 0;
    case "modified":
    case "unknown":
      return 1;
    case "accepted":
      return 2;
    case "rejected":
      return 3;
    default:
      return outcome satisfies never;
  }
}
