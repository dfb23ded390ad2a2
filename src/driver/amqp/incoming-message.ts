import { toError } from "../../core/errors.js";
import type { Delivery } from "../../core/links/delivery.js";
import type { Body, Message, MessageId } from "../../core/messages/message.js";
import type { IncomingMessage, ListenOptions } from "../driver.js";
import { MessageDeliveryFailure, type RemoteFailure } from "../exceptions.js";
import type { ResolvedOptions } from "../options/options.js";
import { acceptedReplyTo } from "../sending/accepted-reply-to.js";
import type { Operations } from "../sending/operations.js";
import { SendOperation } from "../sending/send-operation.js";
import { sendUntilAccepted } from "../sending/send-until-accepted.js";
import type { NonFiniteNumbers } from "../values/json.js";
import { toReplyFailure } from "../values/reply-failure.js";
import type { DriverConnection } from "./driver-connection.js";
import { type DecodedRequest, decodeRequest, encodeFailure, encodeReply, HEARTBEAT } from "./wire.js";

/** Operations, in oslo's words. */
const REPLY = "RPC Reply";
const KEEP_ALIVE = "RPC KeepAlive";

export interface IncomingMessageInit {
  operations: Operations<DriverConnection>;
  options: ResolvedOptions;
  nonFiniteNumbers: NonFiniteNumbers | undefined;
  acceptReplyTo: ListenOptions["acceptReplyTo"];
}

/**
 * The message of a delivery. Undefined when it cannot be decoded: the delivery is rejected, and the log has only its size
 * and the reason, because its body may hold a token.
 */
export function readIncoming(
  connection: DriverConnection,
  address: string,
  delivery: Delivery,
  init: IncomingMessageInit,
): IncomingMessage | undefined {
  try {
    const request = decodeRequest(delivery.message, init.nonFiniteNumbers);
    const { replyTo } = delivery.message;
    const accepted = replyTo ? acceptedReplyTo(replyTo, init.acceptReplyTo, connection) : undefined;
    return new AmqpIncomingMessage(connection, delivery, request, accepted, init);
  } catch (thrown) {
    const { message } = toError(thrown);
    const { warnings } = connection;
    warnings.warn(
      `rejected on ${address}`,
      `rejected a message of ${delivery.payload.length} bytes on ${address}: ${message}`,
    );
    delivery.reject({ condition: "amqp:decode-error", description: message });
    return undefined;
  }
}

class AmqpIncomingMessage implements IncomingMessage {
  readonly context: object;
  readonly body: unknown;
  readonly callMonitorTimeoutMs: number | undefined;
  readonly #connection: DriverConnection;
  readonly #delivery: Delivery;
  readonly #id: MessageId | undefined;
  readonly #replyTo: string | undefined;
  readonly #init: IncomingMessageInit;
  #abort: AbortController | undefined;

  constructor(
    connection: DriverConnection,
    delivery: Delivery,
    request: DecodedRequest,
    replyTo: string | undefined,
    init: IncomingMessageInit,
  ) {
    const { messageId } = delivery.message;
    this.context = request.context;
    this.body = request.body;
    this.callMonitorTimeoutMs = request.callMonitorTimeoutMs;
    this.#connection = connection;
    this.#delivery = delivery;
    this.#id = ArrayBuffer.isView(messageId) ? messageId.slice() : messageId;
    this.#replyTo = replyTo;
    this.#init = init;
  }

  get messageId(): string | undefined {
    return this.#id === undefined ? undefined : String(this.#id);
  }

  get identity(): string | undefined {
    return this.#id === undefined ? undefined : `${this.#replyTo ?? ""} ${this.#id}`;
  }

  get wantsReply(): boolean {
    return this.#replyTo !== undefined;
  }

  /** Each message has its own controller: Node warns when one signal has many listeners. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.wantsReply) this.#connection.aborts.add(this.#abort);
    }
    return this.#abort.signal;
  }

  get linkLost(): boolean {
    return this.#delivery.linkLost;
  }

  acknowledge(): void {
    this.#delivery.accept();
  }

  requeue(): void {
    this.#delivery.release();
  }

  async reply(value: unknown): Promise<void> {
    const error = await this.#reply(encodeReply(value));
    if (!(error instanceof MessageDeliveryFailure) || error.outcome !== "rejected") return this.#warn(REPLY, error);
    this.#connection.logger.debug(`sending a failure instead: ${error.message}`, { messageId: this.messageId });
    await this.replyFailure(toReplyFailure(error));
  }

  async replyFailure(failure: RemoteFailure): Promise<void> {
    this.#warn(REPLY, await this.#reply(encodeFailure(failure)));
  }

  heartbeat(): void {
    const ms = this.callMonitorTimeoutMs ?? this.#init.options.defaultReplyTimeoutMs;
    const heartbeat = { operation: KEEP_ALIVE, body: HEARTBEAT, ttl: ms, ms, retry: 0, settled: true };
    void this.#respond(heartbeat).then((error) => this.#warn(KEEP_ALIVE, error));
  }

  #warn(operation: string, error: Error | undefined): void {
    if (error === undefined) return;
    this.#connection.warnings.warn(`${operation} failed`, error.message, { messageId: this.messageId });
  }

  async #reply(body: Body): Promise<Error | undefined> {
    const { defaultReplyTimeoutMs: ms, defaultReplyRetry: retry, preSettled } = this.#init.options;
    const settled = preSettled.includes("rpc-reply");
    const error = await this.#respond({ operation: REPLY, body, ttl: undefined, ms, retry, settled });
    if (this.#abort !== undefined) this.#connection.aborts.delete(this.#abort);
    return error;
  }

  /**
   * Sends over the driver's present connection: the reply address may outlive the connection of the request. Resolves with
   * the error when the response is not delivered.
   */
  async #respond({ operation: name, body, ttl, ms, retry, settled }: Response): Promise<Error | undefined> {
    const to = this.#replyTo;
    if (to === undefined) return undefined;
    const message: Message = { ttl, to, correlationId: this.#id, body };
    try {
      const operation = new SendOperation(this.#init.operations, {
        operation: name,
        target: to,
        timeoutMs: undefined,
        defaultMs: ms,
        retry,
        settled,
        signal: undefined,
      });
      try {
        operation.addressed(to);
        const route = { address: to, capabilities: [] };
        await sendUntilAccepted(operation, (connection) => connection.responses.send(route, message, operation));
        return undefined;
      } finally {
        operation.end();
      }
    } catch (error) {
      return toError(error);
    }
  }
}

/** A reply or a heartbeat. */
interface Response {
  operation: string;
  body: Body;
  ttl: number | undefined;
  ms: number;
  retry: number;
  settled: boolean;
}
