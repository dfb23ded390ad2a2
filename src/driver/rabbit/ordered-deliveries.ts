import { toError } from "../../core/errors.js";
import type { QueueDelivery } from "./broker-connection.js";
import { decompress } from "./compression.js";

export interface OrderedDeliveriesInit {
  /** Largest body after decompression, in bytes. */
  maxBytes: number;
  /** Called with each delivery and its body without compression. Must not throw. */
  onReadable: (delivery: QueueDelivery, body: Uint8Array) => void;
  /** Called with a delivery whose body cannot be decompressed. Must not throw. */
  onUnreadable: (delivery: QueueDelivery, error: Error) => void;
}

/**
 * Decompresses the bodies of a consumer's deliveries, one at a time. All deliveries are passed on in the order of their
 * arrival: those behind a compressed one wait for it. Without one, nothing waits.
 */
export class OrderedDeliveries {
  readonly #init: OrderedDeliveriesInit;
  readonly #waiting: QueueDelivery[] = [];
  #isBusy = false;

  constructor(init: OrderedDeliveriesInit) {
    this.#init = init;
  }

  add(delivery: QueueDelivery): void {
    if (!this.#isBusy && delivery.properties.compression === undefined) {
      this.#init.onReadable(delivery, delivery.body);
      return;
    }
    this.#waiting.push(delivery);
    if (!this.#isBusy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (!next.isLost) await this.#pass(next);
    }
    this.#isBusy = false;
  }

  async #pass(delivery: QueueDelivery): Promise<void> {
    const { maxBytes, onReadable, onUnreadable } = this.#init;
    const { compression } = delivery.properties;
    if (compression === undefined) return onReadable(delivery, delivery.body);
    let body: Uint8Array;
    try {
      body = await decompress(delivery.body, compression, maxBytes);
    } catch (thrown) {
      return onUnreadable(delivery, toError(thrown));
    }
    onReadable(delivery, body);
  }
}
