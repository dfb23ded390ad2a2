import { Deferred } from "../../core/deferred.js";
import { within } from "../../core/within.js";
import type { DriverListener, ListenOptions, OnIncoming, Peer } from "../driver.js";
import type { QueueDelivery } from "./broker-connection.js";
import type { ConsumerContext } from "./consumer-context.js";
import { Consumers, type ConsumersInit } from "./consumers.js";
import { DeclarationRefused } from "./declaration-refused.js";
import { type IncomingMessageInit, readIncoming, rejectUnreadable } from "./incoming-message.js";
import type { ResolvedRabbitOptions } from "./option-table.js";

/** Longest wait for the broker when a listener stops or closes. */
const END_MS = 2_000;

/** Largest prefetch count: 16 bits. */
const LARGEST_PREFETCH = 65_535;

/** Most unsettled messages of each consumer: `rabbit_qos_prefetch_count`, or twice the concurrency; at least one batch. */
export function prefetchOf(
  { rabbitQosPrefetchCount }: ResolvedRabbitOptions,
  { concurrency = 1, minimumCredit = 1 }: Pick<ListenOptions, "concurrency" | "minimumCredit">,
): number {
  return Math.min(Math.max(rabbitQosPrefetchCount || 2 * concurrency, minimumCredit), LARGEST_PREFETCH);
}

export interface ListenerInit
  extends IncomingMessageInit,
    Pick<ConsumersInit, "queues" | "consumerArguments" | "prefetch" | "maxMessageBytes"> {
  /** Names of the queues that are deleted when the listener closes. */
  obsoleteAtClose: readonly string[];
  onMessage: OnIncoming;
  onClose: () => void;
}

/** The consumers of one server or notification listener, on one connection after another. */
export class Listener implements DriverListener {
  readonly #init: ListenerInit;
  readonly #attached = new Deferred();
  readonly #closed = new Deferred();
  #peer: Peer | undefined;
  #consumers: Consumers | undefined;
  #stopping: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(init: ListenerInit) {
    this.#init = init;
    // Each caller gets the promise itself.
    this.#attached.promise.catch(() => {});
  }

  /**
   * Resolves when all queues are consumed for the first time.
   *
   * @throws DeclarationRefused when the broker refuses a queue for a reason that does not pass.
   */
  get attached(): Promise<void> {
    return this.#attached.promise;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Why a queue is not consumed at present. */
  get refusal(): Error | undefined {
    return this.#consumers?.refusal;
  }

  get peer(): Peer | undefined {
    return this.#peer;
  }

  /** Starts the consumers on a new connection. */
  attach(connection: ConsumerContext): void {
    if (this.#stopping !== undefined) return;
    this.#peer = connection.peer;
    const { queues, consumerArguments, prefetch, maxMessageBytes } = this.#init;
    this.#consumers = new Consumers(connection, {
      queues,
      consumerArguments,
      prefetch,
      maxMessageBytes,
      onDelivery: this.#onDelivery,
      onUnreadable: (queue, delivery, error) => rejectUnreadable(queue, delivery, error, this.#init),
      onConsuming: () => this.#attached.resolve(),
      onFailure: (error) => {
        if (error instanceof DeclarationRefused && error.isFinal) this.#attached.reject(error);
      },
    });
  }

  stop(): Promise<void> {
    this.#stopping ??= within(END_MS, this.#consumers?.stop());
    return this.#stopping;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopping ??= Promise.resolve();
    this.#init.onClose();
    this.#closed.resolve();
    await within(END_MS, this.#consumers?.close(this.#init.obsoleteAtClose));
  }

  readonly #onDelivery = (queue: string, delivery: QueueDelivery, body: Uint8Array): void => {
    const message = readIncoming(queue, delivery, body, this.#init);
    if (message !== undefined) this.#init.onMessage(message);
  };
}
