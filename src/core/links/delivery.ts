import type { AmqpErrorInit } from "../errors.js";
import { decodeMessage, type Message } from "../messages/message.js";
import { ACCEPTED, type DeliveryState, RELEASED } from "../messages/outcome.js";

/** The link of a delivery. */
export interface DeliveryOwner {
  readonly attached: boolean;
  settled(delivery: Delivery, state: DeliveryState): void;
}

/** A message that came in. It holds one credit of its link until it is settled. */
export class Delivery {
  readonly receiver: DeliveryOwner;
  readonly id: number;
  /** The encoded message. A view: copy it to keep it for long. */
  readonly payload: Uint8Array;
  /** The sender had settled it before it came: what we answer goes nowhere. */
  readonly settled: boolean;
  #message: Message | undefined;
  #answered = false;

  constructor(receiver: DeliveryOwner, id: number, payload: Uint8Array, settled: boolean) {
    this.receiver = receiver;
    this.id = id;
    this.payload = payload;
    this.settled = settled;
  }

  /** Decoded at the first use. Throws ProtocolError when it cannot be. */
  get message(): Message {
    this.#message ??= decodeMessage(this.payload);
    return this.#message;
  }

  /** Its link went before it was answered: no answer reaches the sender any more, who may send it again. */
  get linkLost(): boolean {
    return !this.settled && !this.#answered && !this.receiver.attached;
  }

  /** Answers the sender and returns the credit. Only the first answer counts; none does once the link is gone. */
  settle(state: DeliveryState): void {
    if (this.#answered) return;
    this.#answered = true;
    this.receiver.settled(this, state);
  }

  accept(): void {
    this.settle(ACCEPTED);
  }

  /** Hands it back untouched. */
  release(): void {
    this.settle(RELEASED);
  }

  reject(error: AmqpErrorInit): void {
    this.settle({ type: "rejected", error });
  }

  modify(change: { deliveryFailed: boolean; undeliverableHere: boolean }): void {
    this.settle({ type: "modified", ...change });
  }
}
