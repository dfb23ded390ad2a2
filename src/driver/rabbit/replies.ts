import type { FieldTable } from "../../amqp091/field-table.js";
import type { Deadline } from "../../core/deadlines.js";
import { Deferred } from "../../core/deferred.js";
import { ConnectionLost, toError } from "../../core/errors.js";
import type { Log } from "../../core/recurring-warnings.js";
import { Waiters } from "../../core/waiters.js";
import { MessagingException } from "../exceptions.js";
import type { PendingReply, Reply } from "../sending/pending-reply.js";
import type { NonFiniteNumbers } from "../values/json.js";
import type { ConsumerChannel, QueueDelivery } from "./broker-connection.js";
import { consumerRefusal, DeclarationRefused } from "./declaration-refused.js";
import type { ListeningConnection } from "./listening-connection.js";
import { OrderedDeliveries } from "./ordered-deliveries.js";
import type { BoundQueue } from "./topology.js";
import { type DecodedReply, decodeReply } from "./wire.js";

const CONSUMER_TAG = "1";

/** Most replies that are delivered and not acknowledged. Only compressed ones wait, for their decompression. */
const PREFETCH = 1_000;

export interface RepliesInit extends Pick<Log, "warnings"> {
  /** The reply queue, under one name for the life of the driver. */
  queue: BoundQueue;
  /** Arguments of basic.consume. */
  consumerArguments: FieldTable;
  /** Largest body after decompression, in bytes. */
  maxMessageBytes: number;
  /** The listening connections, one after another. Each is given to `attach` before `connect` resolves with it. */
  connections: { connect(deadline: Deadline, keepTrying: true): Promise<ListeningConnection> };
  nonFiniteNumbers: NonFiniteNumbers | undefined;
  /** When the connection ends, calls that wait for their replies fail. Otherwise their replies wait in the queue. */
  failFast: boolean;
}

/**
 * The reply queue and the calls that wait for their replies (amqpdriver.py ReplyWaiter). The queue is declared and consumed
 * at the first call, and then again on each connection, and whenever its consumer ends. It outlives connections, and so do
 * the calls.
 */
export class Replies {
  readonly #init: RepliesInit;
  readonly #pending = new Map<string, PendingReply<Reply>>();
  /** Results that came before the end of their reply: old servers send two messages. */
  readonly #results = new WeakMap<PendingReply<Reply>, Reply>();
  readonly #waiters = new Waiters<void>();
  #isNeeded = false;
  /** The connection on which the queue is consumed, or will be. */
  #connection: ListeningConnection | undefined;
  /** The channel of the consumer. Undefined without one. */
  #channel: ConsumerChannel | undefined;

  constructor(init: RepliesInit) {
    this.#init = init;
  }

  /** Name of the queue. */
  get queue(): string {
    return this.#init.queue.declaration.queue;
  }

  /** True while the queue is consumed. */
  get isReady(): boolean {
    return this.#channel?.isOpen === true;
  }

  /** Called with each new connection. */
  attach(connection: ListeningConnection): void {
    if (this.#isNeeded) this.#start(connection);
    if (!this.#init.failFast) return;
    void connection.closed.then((cause) => this.#end(cause ?? new ConnectionLost("the connection was closed")));
  }

  /**
   * Resolves when the queue is consumed: a request that is published then can be answered.
   *
   * @throws DeclarationRefused when the queue cannot be had, for example without a permission.
   * @throws the reason for which the deadline ends, if it ends first.
   */
  async ready(deadline: Deadline): Promise<void> {
    if (this.isReady) return;
    const connection = await this.#init.connections.connect(deadline, true);
    this.#isNeeded = true;
    this.#start(connection);
    if (!this.isReady) await this.#waiters.wait("connecting", deadline);
  }

  /** `pending` receives the reply to the request with this message ID. */
  register(id: string, pending: PendingReply<Reply>): void {
    pending.registered(id, this.#pending);
  }

  #start(connection: ListeningConnection): void {
    if (this.#connection === connection || !connection.isOpen) return;
    this.#connection = connection;
    void this.#keep(connection);
  }

  async #keep(connection: ListeningConnection): Promise<void> {
    while (connection.isOpen) {
      const error = await this.#consume(connection);
      connection.refused(this.queue, error);
      if (error instanceof DeclarationRefused && error.isFinal) return this.#refuse(connection, error);
      await connection.pause();
    }
  }

  /** Declares and consumes the queue. Resolves at the end of the consumer, with the cause. */
  async #consume(connection: ListeningConnection): Promise<Error> {
    let channel: ConsumerChannel | undefined;
    try {
      await connection.declarer.declareQueue(this.#init.queue);
      channel = await connection.openConsumers(PREFETCH);
      const cancelled = new Deferred<Error>();
      const deliveries = new OrderedDeliveries({
        maxBytes: this.#init.maxMessageBytes,
        onReadable: this.#onReadable,
        onUnreadable: (delivery, error) => this.#reject(delivery, delivery.body, error),
      });
      await channel.consume({
        queue: this.queue,
        consumerTag: CONSUMER_TAG,
        arguments: this.#init.consumerArguments,
        onDelivery: (delivery) => deliveries.add(delivery),
        onRefused: ({ message }, tail) =>
          this.#pending.get(lastMessageId(tail))?.settle(new MessagingException(message)),
        onCancel: (reason) => cancelled.resolve(reason ?? new ConnectionLost("the broker cancelled the consumer")),
      });
      connection.restored(this.queue);
      this.#channel = channel;
      this.#waiters.resolve();
      const closed = channel.closed.then((cause) => cause ?? new ConnectionLost("the channel was closed"));
      return await Promise.race([cancelled.promise, closed]);
    } catch (thrown) {
      return consumerRefusal(this.queue, toError(thrown));
    } finally {
      if (this.#channel === channel) this.#channel = undefined;
      void channel?.close();
    }
  }

  /** The queue cannot be had. The next call tries again. */
  #refuse(connection: ListeningConnection, error: Error): void {
    this.#waiters.reject(error);
    this.#end(error);
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#isNeeded = false;
  }

  /** No reply can arrive. Only accepted requests fail with this: the others fail with their own outcome. */
  #end(cause: Error): void {
    for (const pending of [...this.#pending.values()]) pending.connectionLost(cause);
  }

  readonly #onReadable = (delivery: QueueDelivery, body: Uint8Array): void => {
    const { contentType } = delivery.properties;
    try {
      this.#receive(decodeReply({ body, contentType }, this.#init.nonFiniteNumbers), body.length);
      delivery.ack();
    } catch (thrown) {
      this.#reject(delivery, body, toError(thrown));
    }
  };

  #receive({ messageId, reply, ending }: DecodedReply, bytes: number): void {
    const pending = this.#pending.get(messageId);
    if (pending === undefined) {
      const discarded = `discarded a reply (${bytes} bytes) that matches no call: it may have timed out`;
      this.#init.warnings.warn("reply without a call", discarded);
    } else if (ending) {
      pending.settle(reply ?? this.#results.get(pending) ?? { type: "response", value: null });
    } else {
      if (reply !== undefined) this.#results.set(pending, reply);
      pending.heartbeat();
    }
  }

  #reject(delivery: QueueDelivery, body: Uint8Array, error: Error): void {
    this.#init.warnings.warn("rejected reply", `rejected a reply of ${body.length} bytes: ${error.message}`);
    delivery.reject(false);
    this.#pending.get(lastMessageId(body))?.settle(error);
  }
}

/**
 * The message ID in a body that cannot be read, so that its call fails at once: a result of Python may hold NaN, which is not
 * JSON, or be too large, when only the end of the body is known. The last one counts: a result may have text like it, but
 * comes first.
 */
function lastMessageId(body: Uint8Array): string {
  const ids = new TextDecoder().decode(body).matchAll(/_msg_id\W{1,16}([0-9a-f]{32})/g);
  return [...ids].at(-1)?.[1] ?? "";
}
