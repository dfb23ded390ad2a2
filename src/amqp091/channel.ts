import type { Deadline } from "../core/deadlines.js";
import { Deferred } from "../core/deferred.js";
import { ConnectionLost, toError } from "../core/errors.js";
import type { Output } from "../core/links/output.js";
import type { Logger } from "../core/logger.js";
import type { RecurringWarnings } from "../core/recurring-warnings.js";
import { type Confirmation, Confirms } from "./confirms.js";
import { ContentAssembly, type PublishedMessage, writePublish } from "./content.js";
import { type DeliverFields, Delivery, type DeliveryOwner } from "./delivery.js";
import { Amqp091Error } from "./errors.js";
import { BODY, HEADER, METHOD } from "./frames.js";
import { fieldsOf, type ReceivedMethod, readMethod } from "./method-codec.js";
import {
  type AnswerFields,
  BASIC_ACK,
  BASIC_DELIVER,
  BASIC_NACK,
  BASIC_RETURN,
  type Fields,
  type MethodName,
  type RequestName,
  type SentFields,
} from "./methods.js";
import type { ReceivedProperties } from "./properties.js";
import type { Reader } from "./reader.js";
import { COMMAND_INVALID, REPLY_SUCCESS, UNEXPECTED_FRAME } from "./reply-codes.js";
import { Requests } from "./requests.js";
import { writeAck, writeReject } from "./settlement.js";
import { violation } from "./violation.js";

/** The connection, as its channels use it. */
export interface ChannelConnection {
  /** Name for logs. */
  readonly id: string;
  readonly output: Output;
  readonly logger: Logger;
  readonly warnings: RecurringWarnings;
  readonly maxFrameBytes: number;
  /** Largest message accepted, in bytes. */
  readonly maxMessageBytes: number;
  readonly writable: boolean;
  /** Resolves when `writable` or the state of a channel may have changed. */
  whenWritable(deadline: Deadline): Promise<void>;
  /** Wakes the callers of `whenWritable`. */
  changed(): void;
  /** A body of this size is about to be written. */
  publishes(bytes: number): void;
  send<M extends MethodName>(channel: number, name: M, fields: SentFields<M>): void;
  /** The number of the channel can be used again. */
  release(channel: number): void;
}

/** Requests that need no more than their answer. */
export type ChannelRequest = Exclude<
  RequestName,
  `connection.${string}` | `channel.${string}` | "basic.consume" | "basic.cancel" | "confirm.select"
>;

/** Fields of a request. `noWait` is not supported: every request is answered. */
export type RequestFields<M extends RequestName> = Omit<SentFields<M>, "noWait">;

export interface ConsumeInit extends RequestFields<"basic.consume"> {
  /** Unique among the consumers of the channel. */
  consumerTag: string;
  /** Called for each delivery. If it throws, the delivery is rejected without requeue. */
  onDelivery: (delivery: Delivery) => void;
  /**
   * Called for a message that is rejected because it is too large or its properties are invalid, with the reason and the last
   * bytes of its body, 512 at most.
   */
  onRefused?: ((error: Error, tail: Uint8Array) => void) | undefined;
  /** Called when the broker cancels the consumer, because its queue was deleted or is unavailable. */
  onCancel: () => void;
}

type ReturnFields = Fields<"basic.return">;

/**
 * One channel. Requests are answered in order and may be pipelined. An error of any of them closes the channel with
 * everything on it.
 */
export class Channel implements DeliveryOwner {
  readonly id: number;
  /** Resolves when the channel is over: with the cause, or undefined after `close`. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly #closed = new Deferred<Error | undefined>();
  readonly #connection: ChannelConnection;
  readonly #requests = new Requests();
  readonly #consumers = new Map<string, ConsumeInit>();
  readonly #content: ContentAssembly<DeliverFields | ReturnFields>;
  #confirms: Confirms | undefined;
  #state: "open" | "closing" | "over" = "open";
  /** Cause of the end, for requests that come too late. */
  #endedBy: Error | undefined;
  #isFlowing = true;

  constructor(connection: ChannelConnection, id: number) {
    this.#connection = connection;
    this.id = id;
    this.closed = this.#closed.promise;
    this.#content = new ContentAssembly(connection.maxMessageBytes, this.#onContent);
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** True while messages can be published without waiting: the broker does not block, and the stream is not full. */
  get writable(): boolean {
    return this.isOpen && this.#isFlowing && this.#connection.writable;
  }

  /** Messages that are published and not confirmed yet. */
  get unconfirmed(): number {
    return this.#confirms?.size ?? 0;
  }

  /**
   * Resolves when `writable` is true.
   *
   * @throws the reason for which the deadline ends, if it ends first.
   * @throws the cause of the channel's end.
   */
  async whenWritable(deadline: Deadline): Promise<void> {
    while (!this.writable) {
      if (!this.isOpen) throw this.#ended();
      await this.#connection.whenWritable(deadline);
    }
  }

  /**
   * Sends a method and resolves with the fields of its answer.
   *
   * @throws RangeError when a field or the method is too large. Nothing is sent then.
   * @throws Amqp091Error when the broker closes the channel or the connection with an error.
   * @throws ConnectionLost when the channel ends otherwise.
   */
  async request<M extends ChannelRequest>(name: M, fields: RequestFields<M>): Promise<AnswerFields<M>> {
    return await this.#request(name, fields as SentFields<M>);
  }

  /** Starts a consumer. Resolves when the broker has started it; the first deliveries follow. Throws as `request`. */
  async consume({ onDelivery, onRefused, onCancel, ...fields }: ConsumeInit): Promise<void> {
    const { consumerTag } = fields;
    if (this.#consumers.has(consumerTag)) throw new RangeError(`consumer tag ${JSON.stringify(consumerTag)} is in use`);
    this.#consumers.set(consumerTag, { onDelivery, onRefused, onCancel, ...fields });
    try {
      await this.#request("basic.consume", fields);
    } catch (thrown) {
      this.#consumers.delete(consumerTag);
      throw thrown;
    }
  }

  /** Ends a consumer. Deliveries arrive until this resolves. Throws as `request`. */
  async cancel(consumerTag: string): Promise<void> {
    await this.#request("basic.cancel", { consumerTag });
    this.#consumers.delete(consumerTag);
  }

  /** Begins confirm mode. Messages can be published from now on, even before this resolves. Throws as `request`. */
  async confirmSelect(): Promise<void> {
    const answered = this.#request("confirm.select", {});
    this.#confirms ??= new Confirms();
    await answered;
  }

  /**
   * Publishes a message and resolves with its fate. Messages leave in the order of the calls, even while the channel is not
   * `writable`: then they wait in memory. The channel must be in confirm mode.
   *
   * @throws RangeError when a name or the properties are too large. Nothing is sent then.
   */
  publish(message: PublishedMessage): Promise<Confirmation> {
    if (!this.isOpen) return Promise.resolve({ type: "unsent", error: this.#ended() });
    const { output, maxFrameBytes } = this.#connection;
    try {
      if (this.#confirms === undefined) throw new Error("a message was published before confirm.select");
      this.#connection.publishes(message.body.length);
      writePublish(output, this.id, message, maxFrameBytes);
      return this.#confirms.add(message.mandatory ? message : undefined);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  /**
   * Closes the channel. Resolves when it is closed. Idempotent. No delivery is handed over from now on: those that are not
   * settled are delivered again. Confirms still arrive.
   */
  async close(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      this.#connection.send(this.id, "channel.close", { replyCode: REPLY_SUCCESS, replyText: "closed" });
      this.#connection.changed();
    }
    await this.closed;
  }

  /** @internal */
  async open(): Promise<void> {
    await this.#request("channel.open", {});
  }

  /** @internal Asks the broker for a sign of life, which changes nothing. */
  async probe(): Promise<void> {
    await this.#request("channel.flow", { active: true });
  }

  /** @internal */
  writeAck(deliveryTag: number): void {
    const { output } = this.#connection;
    writeAck(output.writer, this.id, deliveryTag);
    output.wrote();
  }

  /** @internal */
  writeReject(deliveryTag: number, requeue: boolean): void {
    const { output } = this.#connection;
    writeReject(output.writer, this.id, deliveryTag, requeue);
    output.wrote();
  }

  /**
   * @internal Handles one frame of the channel. The reader is at the payload.
   *
   * @throws Amqp091Error when the peer violates the protocol.
   */
  onFrame(type: number, reader: Reader): void {
    if (type === BODY) this.#content.onBody(reader.bytes, reader.at, reader.end);
    else if (type === HEADER) this.#content.onHeader(reader);
    else if (type === METHOD) this.#onMethod(reader);
  }

  /** @internal The connection is over. */
  end(cause: Error): void {
    this.#end(cause, cause);
  }

  #onMethod(reader: Reader): void {
    if (!this.#content.isComplete) {
      throw violation(UNEXPECTED_FRAME, "UNEXPECTED_FRAME - method where content was expected");
    }
    const start = reader.at;
    switch (reader.long()) {
      case BASIC_DELIVER:
        return this.#content.begin(readDeliver(reader));
      case BASIC_ACK:
        return this.#onConfirm(reader, true);
      case BASIC_NACK:
        return this.#onConfirm(reader, false);
      case BASIC_RETURN:
        reader.at = start;
        return this.#content.begin(fieldsOf(readMethod(reader), "basic.return"));
      default:
        reader.at = start;
        return this.#onControl(readMethod(reader));
    }
  }

  #onConfirm(reader: Reader, isAck: boolean): void {
    const tag = reader.longlong();
    const multiple = (reader.octet() & 1) !== 0;
    reader.finish();
    this.#confirms?.confirm(tag, multiple, isAck);
  }

  #onControl(received: ReceivedMethod): void {
    const { name } = received.method;
    switch (name) {
      case "channel.close": {
        const { replyCode: code, replyText: text, classId, methodId } = fieldsOf(received, name);
        this.#connection.send(this.id, "channel.close-ok", {});
        const error = new Amqp091Error({ code, text, classId, methodId });
        // When both sides close, the number is free only after the answer to ours.
        if (this.#state === "open") this.#connection.release(this.id);
        this.#end(error, error);
        return;
      }
      case "channel.close-ok":
        if (this.isOpen) throw invalid(name);
        this.#connection.release(this.id);
        this.#end(undefined, this.#ended());
        return;
      case "channel.flow": {
        const { active } = fieldsOf(received, name);
        this.#isFlowing = active;
        this.#connection.send(this.id, "channel.flow-ok", { active });
        this.#connection.changed();
        return;
      }
      case "basic.cancel":
        return this.#onCancel(fieldsOf(received, name));
      default:
        if (!name.endsWith("-ok")) throw invalid(name);
        return this.#requests.answer(received);
    }
  }

  #onCancel({ consumerTag, noWait }: Fields<"basic.cancel">): void {
    if (!noWait) this.#connection.send(this.id, "basic.cancel-ok", { consumerTag });
    const consumer = this.#consumers.get(consumerTag);
    this.#consumers.delete(consumerTag);
    try {
      consumer?.onCancel();
    } catch (thrown) {
      this.#logCallbackError("onCancel", consumerTag, thrown);
    }
  }

  readonly #onContent = (
    method: DeliverFields | ReturnFields,
    properties: ReceivedProperties | undefined,
    body: Uint8Array | undefined,
    size: number,
    refusal: string,
    tail: Uint8Array,
  ): void => {
    if ("replyCode" in method) this.#onReturn(method, body, size);
    else if (this.isOpen) this.#onDeliver(method, properties, body, refusal, tail);
  };

  #onReturn(
    { exchange, routingKey, replyCode, replyText }: ReturnFields,
    body: Uint8Array | undefined,
    size: number,
  ): void {
    const returned = { type: "returned", code: replyCode, text: replyText } as const;
    if (this.#confirms?.return(exchange, routingKey, body, size, returned)) return;
    const to = `exchange ${JSON.stringify(exchange)}, routing key ${JSON.stringify(routingKey)}`;
    this.#warn("return", `ignored a returned message of ${size} bytes that was not published here (${to})`);
  }

  #onDeliver(
    fields: DeliverFields,
    properties: ReceivedProperties | undefined,
    body: Uint8Array | undefined,
    refusal: string,
    tail: Uint8Array,
  ): void {
    const { consumerTag, deliveryTag } = fields;
    const consumer = this.#consumers.get(consumerTag);
    if (consumer === undefined) {
      this.#warn("consumer", `requeued a message for consumer ${JSON.stringify(consumerTag)}, which does not exist`);
      return this.writeReject(deliveryTag, true);
    }
    const isSettled = consumer.noAck === true;
    if (properties === undefined || body === undefined) {
      this.#warn("refused", `rejected a message from queue ${consumer.queue}: ${refusal}`);
      if (!isSettled) this.writeReject(deliveryTag, false);
      try {
        consumer.onRefused?.(new Error(refusal), tail);
      } catch (thrown) {
        this.#logCallbackError("onRefused", consumerTag, thrown);
      }
      return;
    }
    const delivery = new Delivery(this, fields, properties, body, isSettled);
    try {
      consumer.onDelivery(delivery);
    } catch (thrown) {
      this.#logCallbackError("onDelivery", consumerTag, thrown);
      delivery.reject(false);
    }
  }

  async #request<M extends RequestName>(name: M, fields: SentFields<M>): Promise<AnswerFields<M>> {
    if (!this.isOpen) throw this.#ended();
    this.#connection.send(this.id, name, fields);
    return await this.#requests.add(name);
  }

  #ended(): Error {
    return this.#endedBy ?? new ConnectionLost(`${this.#connection.id}: channel ${this.id} is closed`);
  }

  /** `error`: for everything that is outstanding. */
  #end(cause: Error | undefined, error: Error): void {
    if (this.#state === "over") return;
    this.#endedBy = error;
    this.#closed.resolve(this.#state === "closing" ? undefined : cause);
    this.#state = "over";
    this.#consumers.clear();
    this.#requests.fail(error);
    this.#confirms?.end(error);
    this.#connection.changed();
  }

  #warn(condition: string, message: string): void {
    this.#connection.warnings.warn(condition, `${this.#connection.id}: channel ${this.id} ${message}`);
  }

  #logCallbackError(callback: string, consumerTag: string, thrown: unknown): void {
    const error = toError(thrown);
    this.#connection.logger.error(`${callback} of consumer ${consumerTag} threw ${error.stack ?? error.message}`);
  }
}

function readDeliver(reader: Reader): DeliverFields {
  const consumerTag = reader.shortstr();
  const deliveryTag = reader.longlong();
  const redelivered = (reader.octet() & 1) !== 0;
  const exchange = reader.shortstr();
  const routingKey = reader.shortstr();
  reader.finish();
  return { consumerTag, deliveryTag, redelivered, exchange, routingKey };
}

function invalid(method: string): Error {
  return violation(COMMAND_INVALID, `COMMAND_INVALID - unexpected ${method}`);
}
