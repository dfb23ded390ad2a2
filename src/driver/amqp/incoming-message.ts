import { toError } from "../../core/errors.js";
import type { Delivery } from "../../core/links/delivery.js";
import type { Body, Message, MessageId } from "../../core/messages/message.js";
import type { IncomingMessage, ListenOptions, OnIncoming } from "../driver.js";
import type { RemoteFailure } from "../exceptions.js";
import type { ResolvedOptions } from "../options/options.js";
import type { Operations } from "../sending/operations.js";
import type { NonFiniteNumbers } from "../values/json.js";
import type { DriverConnection } from "./driver-connection.js";
import { type DecodedRequest, decodeRequest, encodeFailure, encodeReply, HEARTBEAT } from "./wire.js";

/** A longer reply address is nobody's that means well. */
const MAX_REPLY_TO_LENGTH = 1_024;

export interface ReceptionInit {
  outbox: Operations;
  options: ResolvedOptions;
  nonFiniteNumbers: NonFiniteNumbers | undefined;
  acceptReplyTo: ListenOptions["acceptReplyTo"];
  on: OnIncoming;
}

/** Where deliveries become messages. What cannot be read is rejected and logged: by size and reason, for it may hold a token. */
export class Reception {
  readonly #init: ReceptionInit;

  constructor(init: ReceptionInit) {
    this.#init = init;
  }

  receive(bus: DriverConnection, address: string, delivery: Delivery): void {
    const message = this.#read(bus, address, delivery);
    if (message !== undefined) this.#init.on(message);
  }

  #read(bus: DriverConnection, address: string, delivery: Delivery): IncomingMessage | undefined {
    try {
      const request = decodeRequest(delivery.message, this.#init.nonFiniteNumbers);
      return new AmqpIncomingMessage(bus, delivery, request, this.#replyTo(bus, delivery.message), this.#init);
    } catch (thrown) {
      const { message } = toError(thrown);
      bus.logger.warn(`rejected a message of ${delivery.payload.length} bytes on ${address}: ${message}`);
      delivery.reject({ condition: "amqp:decode-error", description: message });
      return undefined;
    }
  }

  #replyTo(bus: DriverConnection, { replyTo }: Message): string | undefined {
    if (replyTo === undefined || replyTo === "") return undefined;
    if (replyTo.length > MAX_REPLY_TO_LENGTH) {
      bus.logger.warn(`no reply is sent to an address of ${replyTo.length} characters`);
      return undefined;
    }
    const { acceptReplyTo } = this.#init;
    try {
      if (acceptReplyTo === undefined || acceptReplyTo(replyTo) === true) return replyTo;
      bus.logger.warn("no reply is sent to a refused address", { replyTo });
    } catch (error) {
      bus.logger.error("acceptReplyTo failed: no reply is sent", { error: toError(error) });
    }
    return undefined;
  }
}

class AmqpIncomingMessage implements IncomingMessage {
  readonly context: object;
  readonly body: unknown;
  readonly callMonitorTimeoutMs: number | undefined;
  readonly #bus: DriverConnection;
  readonly #delivery: Delivery;
  readonly #id: MessageId | undefined;
  readonly #replyTo: string | undefined;
  readonly #init: ReceptionInit;
  #abort: AbortController | undefined;

  constructor(
    bus: DriverConnection,
    delivery: Delivery,
    request: DecodedRequest,
    replyTo: string | undefined,
    init: ReceptionInit,
  ) {
    const { messageId } = delivery.message;
    this.context = request.context;
    this.body = request.body;
    this.callMonitorTimeoutMs = request.callMonitorTimeoutMs;
    this.#bus = bus;
    this.#delivery = delivery;
    this.#id = messageId instanceof Uint8Array ? messageId.slice() : messageId;
    this.#replyTo = replyTo;
    this.#init = init;
  }

  get messageId(): string | undefined {
    return this.#id === undefined ? undefined : String(this.#id);
  }

  get wantsReply(): boolean {
    return this.#replyTo !== undefined;
  }

  /** One for each message: Node warns when many listen to the same one. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.wantsReply) this.#bus.abortAtEnd(this.#abort);
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
    await this.#reply(encodeReply(value));
  }

  async replyFailure(failure: RemoteFailure): Promise<void> {
    await this.#reply(encodeFailure(failure));
  }

  heartbeat(): void {
    const ms = this.callMonitorTimeoutMs ?? this.#init.options.defaultReplyTimeoutMs;
    void this.#answer({ operation: "RPC KeepAlive", body: HEARTBEAT, ttl: ms, ms, retry: 0, settled: true });
  }

  async #reply(body: Body): Promise<void> {
    const { defaultReplyTimeoutMs: ms, defaultReplyRetry: retry, preSettled } = this.#init.options;
    const settled = preSettled.includes("rpc-reply");
    await this.#answer({ operation: "RPC Reply", body, ttl: undefined, ms, retry, settled });
    if (this.#abort !== undefined) this.#bus.forget(this.#abort);
  }

  /** Over the connection that there is when it is sent: the address is the caller's, and may outlive ours. */
  async #answer({ operation, body, ttl, ms, retry, settled }: Answer): Promise<void> {
    const to = this.#replyTo;
    if (to === undefined) return;
    const message: Message = { ttl, to, correlationId: this.#id, body };
    const init = { operation, target: to, timeoutMs: undefined, defaultMs: ms, retry, signal: undefined };
    try {
      const shipment = this.#init.outbox.start(init);
      shipment.address = to;
      const options = { settled, deadline: shipment.deadline };
      try {
        await shipment.deliver((bus) => bus.answer(to, message, options));
      } finally {
        shipment.done();
      }
    } catch (error) {
      this.#bus.logger.warn(toError(error).message, { messageId: this.messageId });
    }
  }
}

interface Answer {
  operation: string;
  body: Body;
  ttl: number | undefined;
  ms: number;
  retry: number;
  settled: boolean;
}
