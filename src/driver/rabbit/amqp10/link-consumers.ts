import { ACCESS_REFUSED } from "../../../amqp091/reply-codes.js";
import type { Connection } from "../../../core/connection/connection.js";
import { Deferred } from "../../../core/deferred.js";
import { AmqpError, ConnectionLost, toError } from "../../../core/errors.js";
import type { Delivery } from "../../../core/links/delivery.js";
import type { Receiver } from "../../../core/links/receiver.js";
import type { Log } from "../../../core/recurring-warnings.js";
import type { ConsumeInit, ConsumerChannel, QueueDelivery } from "../broker-connection.js";
import { isRefusal } from "../refusal.js";
import { queueAddress } from "./addresses.js";
import { LinkRefusal } from "./link-refusal.js";
import { type ReceivedMessage, readMessage } from "./received-message.js";

/** Bytes of a message besides its body that are permitted. RabbitMQ has no limit for them of its own. */
const SECTIONS_BYTES = 65_536;
/** Last bytes of a body that are passed on when it is too large. */
const TAIL_BYTES = 512;

export interface LinkConsumersInit extends Pick<Log, "warnings"> {
  connection: Connection;
  /** Makes the names of the links unique within the connection. */
  name: string;
  /** See LinkInit. */
  session: object;
  prefetch: number;
  /** Largest body, in bytes. */
  maxMessageBytes: number;
  /** Called when they are closed. */
  onClose: () => void;
}

/**
 * The receiving links of a listener. The credit is the prefetch count. A link ends when its queue is deleted. A missing permission
 * ends the session with all of its links: each consumer is cancelled then.
 */
export class LinkConsumers implements ConsumerChannel {
  readonly closed: Promise<Error | undefined>;
  readonly #closed = new Deferred<Error | undefined>();
  readonly #init: LinkConsumersInit;
  readonly #receivers = new Map<string, Receiver>();
  #lastLink = 0;
  #isClosed = false;

  constructor(init: LinkConsumersInit) {
    this.#init = init;
    this.closed = this.#closed.promise;
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.#init.connection.isOpen;
  }

  async consume(init: ConsumeInit): Promise<void> {
    const { connection, name, session, prefetch, maxMessageBytes } = this.#init;
    const { queue, consumerTag, onRefused, onCancel } = init;
    try {
      const receiver = await connection.openReceiver({
        name: `queue ${queue} (${name}.${++this.#lastLink})`,
        session,
        source: { address: queueAddress(queue) },
        target: {},
        credit: prefetch,
        maxMessageBytes: maxMessageBytes + SECTIONS_BYTES,
        // RabbitMQ would end the session before a message beyond the limit, and deliver it again.
        fields: { max_message_size: 0 },
        onDelivery: (delivery) => this.#onDelivery(init, delivery),
        onTooLarge: (ends, reason) => onRefused?.(new Error(reason), ends.subarray(-TAIL_BYTES)),
        onDetach: (error) => {
          this.#receivers.delete(consumerTag);
          if (this.isOpen) onCancel(isDeletion(error) ? undefined : error && LinkRefusal.of(error));
        },
      });
      this.#receivers.set(consumerTag, receiver);
      if (this.#isClosed) await this.#close();
    } catch (thrown) {
      const error = LinkRefusal.of(thrown);
      const isOfOther = isRefusal(error) && error.code === ACCESS_REFUSED && !error.text.includes(`'${queue}'`);
      // A listener that shares the session lacks the permission: this one may be consumed in the next session.
      throw isOfOther ? new ConnectionLost(error.message, { cause: error }) : error;
    }
  }

  async cancel(consumerTag: string): Promise<void> {
    await this.#receivers.get(consumerTag)?.drain();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#close();
    this.#init.onClose();
    this.#closed.resolve(undefined);
  }

  /** Called at the end of the connection. */
  end(cause: Error | undefined): void {
    this.#closed.resolve(cause);
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#receivers.values()].map((receiver) => receiver.close()));
  }

  #onDelivery({ queue, onDelivery, onRefused }: ConsumeInit, delivery: Delivery): void {
    const { maxMessageBytes, warnings } = this.#init;
    let message: ReceivedMessage;
    try {
      message = readMessage(delivery.payload);
      const size = message.body.length;
      if (size > maxMessageBytes)
        throw new Error(`message of ${size} bytes exceeds the limit of ${maxMessageBytes} bytes, maxMessageBytes`);
    } catch (thrown) {
      const error = toError(thrown);
      warnings.warn("refused", `rejected a message from queue ${queue}: ${error.message}`);
      delivery.reject({ condition: "amqp:decode-error", description: error.message });
      onRefused?.(error, delivery.payload.subarray(-TAIL_BYTES));
      return;
    }
    onDelivery(new LinkDelivery(delivery, message));
  }
}

/** The queue was deleted: RabbitMQ states this condition alone. */
function isDeletion(error: Error | undefined): boolean {
  return error instanceof AmqpError && error.condition === "amqp:resource-deleted";
}

const UNREADABLE = { condition: "amqp:not-allowed", description: "the message cannot be used" };

class LinkDelivery implements QueueDelivery {
  readonly body: Uint8Array;
  readonly properties: QueueDelivery["properties"];
  readonly #delivery: Delivery;

  constructor(delivery: Delivery, { body, properties }: ReceivedMessage) {
    this.body = body;
    this.properties = properties;
    this.#delivery = delivery;
  }

  get isLost(): boolean {
    return this.#delivery.linkLost;
  }

  ack(): void {
    this.#delivery.accept();
  }

  /**
   * With `delivery-failed`, a requeued message counts for the delivery limit of a quorum queue, as it does by AMQP 0-9-1. A
   * released one does not.
   */
  reject(requeue: boolean): void {
    if (requeue) this.#delivery.modify({ deliveryFailed: true, undeliverableHere: false });
    else this.#delivery.reject(UNREADABLE);
  }
}
