import type { AmqpErrorInit } from "../errors.js";
import { decodeMessage, type Message } from "../messages/message.js";
import { ACCEPTED, type DeliveryState, RELEASED } from "../messages/outcome.js";

/** The link of a delivery. */
export interface DeliveryOwner {
  readonly attached: boolean;
  settled(delivery: Delivery, state: DeliveryState): void;
}

/** An incoming message. It holds one credit of its link until it is settled. */
export class Delivery {
  readonly receiver: DeliveryOwner;
  readonly id: number;
  /** The encoded message. It is a view: copy it to keep it for long. */
  readonly payload: Uint8Array;
  /** The sender sent it settled. Our outcome is not sent to the peer. */
  readonly settled: boolean;
  #message: Message | undefined;
  #answered = false;

  constructor(receiver: DeliveryOwner, id: number, payload: Uint8Array, settled: boolean) {
    this.receiver = receiver;
    this.id = id;
    this.payload = payload;
    this.settled = settled;
  }

  /**
   * The message, decoded at the first use.
   *
   * @throws ProtocolError when it cannot be decoded.
   */
  get message(): Message {
    this.#message ??= decodeMessage(this.payload);
    return this.#message;
  }

  /** True when the link ended before the delivery was settled: no outcome reaches the sender, which may send it again. */
  get linkLost(): boolean {
    return !this.settled && !this.#answered && !this.receiver.attached;
  }

  /** Settles the delivery and returns its credit. Later calls are ignored. No outcome is sent once the link has ended. */
  settle(state: DeliveryState): void {
    if (this.#answered) return;
    this.#answered = true;
    this.receiver.settled(this, state);
  }

  accept(): void {
    this.settle(ACCEPTED);
  }

  /** Returns the message to the sender unprocessed. */
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
