import type { ReceivedProperties } from "./properties.js";

/** Fields of basic.deliver. */
export interface DeliverFields {
  readonly consumerTag: string;
  readonly deliveryTag: number;
  readonly redelivered: boolean;
  readonly exchange: string;
  readonly routingKey: string;
}

/** Settles deliveries: their channel. */
export interface DeliveryOwner {
  readonly isOpen: boolean;
  writeAck(deliveryTag: number): void;
  writeReject(deliveryTag: number, requeue: boolean): void;
}

/** A message that was delivered to a consumer. It is settled once: later calls do nothing, as do those after the channel's end. */
export class Delivery {
  readonly fields: DeliverFields;
  readonly properties: ReceivedProperties;
  /** A view of the received bytes, not a copy. */
  readonly body: Uint8Array;
  readonly #owner: DeliveryOwner;
  #isSettled: boolean;

  /** `isSettled`: the consumer does not acknowledge. */
  constructor(
    owner: DeliveryOwner,
    fields: DeliverFields,
    properties: ReceivedProperties,
    body: Uint8Array,
    isSettled: boolean,
  ) {
    this.#owner = owner;
    this.fields = fields;
    this.properties = properties;
    this.body = body;
    this.#isSettled = isSettled;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** True when the channel ended before the delivery was settled: the broker delivers the message again. */
  get isLost(): boolean {
    return !this.#isSettled && !this.#owner.isOpen;
  }

  /** The message is processed. */
  ack(): void {
    if (this.#settle()) this.#owner.writeAck(this.fields.deliveryTag);
  }

  /** Gives the message back: to its queue with `requeue`, otherwise to the dead letter exchange of the queue, if any. */
  reject(requeue: boolean): void {
    if (this.#settle()) this.#owner.writeReject(this.fields.deliveryTag, requeue);
  }

  #settle(): boolean {
    if (this.#isSettled || !this.#owner.isOpen) return false;
    this.#isSettled = true;
    return true;
  }
}
