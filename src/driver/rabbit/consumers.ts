import type { FieldTable } from "../../amqp091/field-table.js";
import { Deferred } from "../../core/deferred.js";
import { ConnectionLost, toError } from "../../core/errors.js";
import type { ConsumerChannel, QueueDelivery } from "./broker-connection.js";
import type { ConsumerContext } from "./consumer-context.js";
import { consumerRefusal } from "./declaration-refused.js";
import { OrderedDeliveries } from "./ordered-deliveries.js";
import type { BoundQueue } from "./topology.js";

export interface ConsumersInit {
  /** The queues, in the order in which they are declared and consumed. */
  queues: readonly BoundQueue[];
  /** Arguments of basic.consume. */
  consumerArguments: FieldTable;
  /** Most unsettled messages of each consumer: 1 to 65,535. */
  prefetch: number;
  /** Largest body after decompression, in bytes. */
  maxMessageBytes: number;
  onDelivery: (queue: string, delivery: QueueDelivery, body: Uint8Array) => void;
  onUnreadable: (queue: string, delivery: QueueDelivery, error: Error) => void;
  /** Called each time that all queues are consumed on a new channel. */
  onConsuming: () => void;
  /** Called each time that a queue cannot be declared or consumed, or is consumed no more. */
  onFailure: (error: Error) => void;
}

/**
 * The consumers of a listener on one connection, all on one channel. After a loss of the channel or of a queue they are
 * started again, after a pause, until they are stopped.
 */
export class Consumers {
  readonly #context: ConsumerContext;
  readonly #init: ConsumersInit;
  readonly #consumers: readonly Consumer[];
  readonly #closing = new Deferred();
  /** Ends the present pauses. */
  readonly #pauses = new Set<() => void>();
  readonly #over: Promise<void>;
  #state: "consuming" | "stopped" | "closing" = "consuming";
  #channel: ConsumerChannel | undefined;

  constructor(context: ConsumerContext, init: ConsumersInit) {
    this.#context = context;
    this.#init = init;
    this.#consumers = init.queues.map((queue, index) => new Consumer(queue, `${index + 1}`, this, context, init));
    this.#over = this.#keep();
  }

  /** False once they are stopped: messages that arrive are given back. */
  get isConsuming(): boolean {
    return this.#state === "consuming";
  }

  /** Why a queue is not consumed at present. */
  get refusal(): Error | undefined {
    return this.#consumers.find(({ refusal }) => refusal !== undefined)?.refusal;
  }

  /** Cancels the consumers. Resolves when no message arrives any more. Never rejects. */
  async stop(): Promise<void> {
    if (!this.isConsuming) return;
    this.#state = "stopped";
    await Promise.all(this.#consumers.map((consumer) => consumer.cancel()));
  }

  /** Deletes these queues, and closes the channel. Messages that are not settled are delivered again. Never rejects. */
  async close(obsoleteQueues: readonly string[]): Promise<void> {
    this.#state = "closing";
    this.#closing.resolve();
    for (const end of this.#pauses) end();
    await this.#over;
    for (const { name } of this.#consumers) this.#context.restored(name);
    if (!this.#context.isOpen) return;
    try {
      for (const name of obsoleteQueues) await this.#context.declarer.deleteQueue(name);
    } catch (thrown) {
      const { message } = toError(thrown);
      this.#context.logger.debug(`a queue of fanouts is not deleted, it expires: ${message}`, { obsoleteQueues });
    }
    await this.#channel?.close();
  }

  /** Resolves after the pause, or when the consumers are closed. */
  pause(): Promise<void> {
    // A race with `#closing` would leak: a queue may be refused for days.
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pauses.delete(end);
        resolve();
      };
      this.#pauses.add(end);
      void this.#context.pause().then(end);
    });
  }

  /** Resolves when the connection is over or the consumers are closed, between two steps. Never rejects. */
  async #keep(): Promise<void> {
    while (this.isConsuming && this.#context.isOpen) {
      await this.#consumeUntilClosed();
      if (this.isConsuming && this.#context.isOpen) await this.pause();
    }
    await Promise.race([this.#context.closed, this.#closing.promise]);
  }

  async #consumeUntilClosed(): Promise<void> {
    let failing = this.#consumers;
    try {
      const channel = await this.#context.openConsumers(this.#init.prefetch);
      this.#channel = channel;
      for (const consumer of this.#consumers) {
        failing = [consumer];
        await consumer.declare();
      }
      for (const consumer of this.#consumers) {
        failing = [consumer];
        if (this.isConsuming) await consumer.consume(channel);
      }
      failing = this.#consumers;
      if (this.isConsuming) this.#init.onConsuming();
      const closed = channel.closed.then((cause) => {
        throw cause ?? new ConnectionLost("the channel was closed");
      });
      await Promise.race([closed, this.#closing.promise]);
    } catch (thrown) {
      const error = toError(thrown);
      for (const consumer of failing) consumer.failed(error);
      await this.#channel?.close();
    }
  }
}

/** The consumer of one queue. */
class Consumer {
  readonly #queue: BoundQueue;
  readonly #tag: string;
  readonly #consumers: Consumers;
  readonly #context: ConsumerContext;
  readonly #init: ConsumersInit;
  readonly #deliveries: OrderedDeliveries;
  /** The channel on which the broker has started the consumer. */
  #channel: ConsumerChannel | undefined;
  #refusal: Error | undefined;

  constructor(queue: BoundQueue, tag: string, consumers: Consumers, context: ConsumerContext, init: ConsumersInit) {
    this.#queue = queue;
    this.#tag = tag;
    this.#consumers = consumers;
    this.#context = context;
    this.#init = init;
    this.#deliveries = new OrderedDeliveries({
      maxBytes: init.maxMessageBytes,
      onReadable: (delivery, body) => {
        if (consumers.isConsuming) init.onDelivery(this.name, delivery, body);
        else delivery.reject(true);
      },
      onUnreadable: (delivery, error) => init.onUnreadable(this.name, delivery, error),
    });
  }

  /** Name of the queue. */
  get name(): string {
    return this.#queue.declaration.queue;
  }

  /** Why the queue is not consumed at present. */
  get refusal(): Error | undefined {
    return this.#refusal;
  }

  /** Called when the queue is not consumed, with the reason. */
  failed(error: Error): void {
    if (!this.#consumers.isConsuming) return;
    this.#refusal = error;
    this.#init.onFailure(error);
    if (this.#context.isOpen) this.#context.refused(this.name, error);
  }

  async declare(): Promise<void> {
    await this.#context.declarer.declareQueue(this.#queue);
  }

  async consume(channel: ConsumerChannel): Promise<void> {
    try {
      await channel.consume({
        queue: this.name,
        consumerTag: this.#tag,
        arguments: this.#init.consumerArguments,
        onDelivery: (delivery) => this.#deliveries.add(delivery),
        onCancel: (reason) => {
          this.#channel = undefined;
          void this.#consumeAgain(channel, reason);
        },
      });
    } catch (thrown) {
      throw consumerRefusal(this.name, toError(thrown));
    }
    this.#channel = channel;
    this.#refusal = undefined;
    this.#context.restored(this.name);
    if (!this.#consumers.isConsuming) await this.cancel();
  }

  async cancel(): Promise<void> {
    try {
      await this.#channel?.cancel(this.#tag);
    } catch {
      // The channel is closed: no message arrives any more.
    }
  }

  /** The broker has cancelled the consumer: its queue was deleted, or is on a node that is down. */
  async #consumeAgain(channel: ConsumerChannel, reason: Error | undefined): Promise<void> {
    this.failed(reason ?? new ConnectionLost("the broker cancelled the consumer: was the queue deleted?"));
    for (;;) {
      await this.#consumers.pause();
      if (!this.#consumers.isConsuming || !channel.isOpen) return;
      try {
        await this.declare();
        if (!this.#consumers.isConsuming) return;
        await this.consume(channel);
        return;
      } catch (thrown) {
        // An error that closes the channel is that of all its consumers.
        if (channel.isOpen) this.failed(toError(thrown));
      }
    }
  }
}
