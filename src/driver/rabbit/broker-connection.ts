import type { FieldTable } from "../../amqp091/field-table.js";
import type { RabbitConnectionReport } from "../connection-report.js";
import type { Publishing } from "./publishing.js";
import type { PublishingContext } from "./publishing-context.js";
import type { ExchangeDeclaration, QueueDeclaration } from "./topology.js";

/** A connection to RabbitMQ, below the driver: of AMQP 0-9-1, or of AMQP 1.0. */
export interface BrokerConnection {
  readonly isOpen: boolean;
  /** Resolves when the connection is over: with the cause, or undefined after `close`. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly product: string | undefined;
  /** Why the broker accepts no messages at present: an alarm. */
  readonly blocked: string | undefined;
  readonly declarations: Declarations;
  /** Sends messages, in the order of the calls. */
  openSink(context: PublishingContext): MessageSink;
  /**
   * Opens a channel for consumers. Throws the error with which the broker refuses it, or ConnectionLost.
   *
   * @param prefetch Most unsettled messages of each consumer: 1 to 65,535.
   */
  openConsumers(prefetch: number): Promise<ConsumerChannel>;
  /** Measures a round trip and describes the connection. Throws when it is lost meanwhile. */
  report(): Promise<Omit<RabbitConnectionReport, "host" | "declared">>;
  /** Checks soon whether the peer is still there. */
  check(): void;
  close(): Promise<void>;
}

/**
 * The requests that declare and delete exchanges, queues and bindings. Each throws a Refusal when the broker refuses it, and
 * another error when the connection ends. `passive`: only look whether it exists.
 */
export interface Declarations {
  declareExchange(declaration: ExchangeDeclaration, passive?: boolean): Promise<void>;
  declareQueue(declaration: QueueDeclaration, passive?: boolean): Promise<void>;
  bind(queue: string, exchange: string, routingKey: string): Promise<void>;
  /** A queue that does not exist is not an error. */
  deleteQueue(queue: string): Promise<void>;
  /** An exchange that does not exist is not an error. */
  deleteExchange(exchange: string): Promise<void>;
}

/** Sends messages and settles each with its outcome. */
export interface MessageSink {
  /** Sends the message, or queues it until it can leave. */
  send(publishing: Publishing): void;
}

/** Consumers of one connection. An error of one of them may end all of them. */
export interface ConsumerChannel {
  readonly isOpen: boolean;
  /** Resolves when the channel is over: with the cause, or undefined after `close`. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Resolves when the broker has started the consumer. Throws a Refusal when it refuses it. */
  consume(init: ConsumeInit): Promise<void>;
  /** Resolves when no message arrives any more. Rejects when the channel is over. */
  cancel(consumerTag: string): Promise<void>;
  /** Messages that are not settled are delivered again. Never rejects. */
  close(): Promise<void>;
}

export interface ConsumeInit {
  queue: string;
  /** Unique among the consumers of the channel. */
  consumerTag: string;
  /** Arguments of basic.consume. */
  arguments: FieldTable;
  /** Called for each delivery. Must not throw. */
  onDelivery: (delivery: QueueDelivery) => void;
  /**
   * Called for a message that is rejected because it is too large or its properties are invalid, with the reason and the last
   * bytes of its body, 512 at most.
   */
  onRefused?: ((error: Error, tail: Uint8Array) => void) | undefined;
  /**
   * Called when the broker cancels the consumer, because its queue was deleted or is unavailable, or with the reason that the
   * broker states.
   */
  onCancel: (reason?: Error) => void;
}

/** A message from a queue. */
export interface QueueDelivery {
  readonly body: Uint8Array;
  readonly properties: {
    readonly contentType?: string | undefined;
    /** The header `compression`. */
    readonly compression?: string | undefined;
  };
  /** True when its channel ended before it was settled: it is delivered again. */
  readonly isLost: boolean;
  ack(): void;
  /** Without requeue the message is discarded, or dead-lettered. */
  reject(requeue: boolean): void;
}
