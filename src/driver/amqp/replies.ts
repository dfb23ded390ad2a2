import type { Deadline } from "../../core/deadlines.js";
import { toError } from "../../core/errors.js";
import type { Delivery } from "../../core/links/delivery.js";
import { ACCEPTED, type Outcome } from "../../core/messages/outcome.js";
import type { MessageIds } from "../values/ids.js";
import type { NonFiniteNumbers } from "../values/json.js";
import type { DriverConnection } from "./driver-connection.js";
import { type DecodedReply, decodeReply } from "./wire.js";

/** What a call gets in the end: its reply, or the end of the connection by which it would have come. */
export type Reply = Exclude<DecodedReply, { type: "heartbeat" }> | LostReply;

interface LostReply {
  readonly type: "lost";
  readonly cause: Error;
}

const TARGET = "rpc-response";

export interface RepliesInit {
  credit: number;
  ids: MessageIds;
  nonFiniteNumbers: NonFiniteNumbers | undefined;
}

/**
 * The link by which replies come, and who waits for which. It is attached at the first call, at an address that the peer
 * makes up; when it is refused or lost, the connection is given up.
 */
export class Replies {
  readonly #bus: DriverConnection;
  readonly #credit: number;
  readonly #ids: MessageIds;
  readonly #nonFinite: NonFiniteNumbers | undefined;
  readonly #expected = new Map<string, PendingReply>();
  #address: string | undefined;
  #attaching: Promise<string | Error> | undefined;

  constructor(bus: DriverConnection, { credit, ids, nonFiniteNumbers }: RepliesInit) {
    this.#bus = bus;
    this.#credit = credit;
    this.#ids = ids;
    this.#nonFinite = nonFiniteNumbers;
  }

  /** Where replies are to be sent, once that is known. */
  get address(): string | undefined {
    return this.#address;
  }

  /** Attaches the link. Resolves with its address, or with why there is none: then the connection is over too. */
  attach(): Promise<string | Error> {
    this.#attaching ??= this.#attach();
    return this.#attaching;
  }

  /** A new id: what is sent with it is answered by `reply`. */
  register(reply: PendingReply): string {
    const id = this.#ids.next();
    reply.expectedAs(id, this.#expected);
    return id;
  }

  /** No reply will come by this connection. Only what has been acknowledged is told: its sender knows of all else. */
  end(cause: Error): void {
    for (const expected of this.#expected.values()) expected.connectionLost(cause);
  }

  async #attach(): Promise<string | Error> {
    const bus = this.#bus;
    try {
      const receiver = await bus.openReceiver({
        name: bus.linkName("receiver", TARGET),
        source: { dynamic: true },
        target: { address: TARGET },
        credit: this.#credit,
        onDelivery: (delivery) => this.#onDelivery(delivery),
        onDetach: (error) => bus.fail(noReplies(error)),
      });
      const address = receiver.source?.address;
      if (address === undefined) throw noReplies(new Error("the peer made no address for it"));
      this.#address = address;
      return address;
    } catch (thrown) {
      const error = noReplies(toError(thrown));
      bus.fail(error);
      return error;
    }
  }

  #onDelivery(delivery: Delivery): void {
    const bytes = delivery.payload.length;
    let expected: PendingReply | undefined;
    try {
      const { message } = delivery;
      const { correlationId } = message;
      expected = typeof correlationId === "string" ? this.#expected.get(correlationId) : undefined;
      if (expected === undefined) {
        this.#bus.logger.warn(`a reply of ${bytes} bytes came too late, or for a call that never was`);
        delivery.modify({ deliveryFailed: true, undeliverableHere: true });
        return;
      }
      const reply = decodeReply(message, this.#nonFinite);
      delivery.accept();
      if (reply.type === "heartbeat") expected.heartbeat();
      else expected.settle(reply);
    } catch (thrown) {
      const error = toError(thrown);
      this.#bus.logger.warn(`rejected a reply of ${bytes} bytes: ${error.message}`);
      delivery.reject({ condition: "amqp:decode-error", description: error.message });
      expected?.settle(error);
    }
  }
}

/** The reply to one request, which may come before the peer says that it took the request. */
export class PendingReply {
  readonly #onHeartbeat: (() => void) | undefined;
  #id = "";
  #among: Map<string, PendingReply> | undefined;
  #reply: Reply | Error | undefined;
  #lost: LostReply | undefined;
  #onLost: ((lost: LostReply) => void) | undefined;
  #onReply: ((reply: Reply | Error) => void) | undefined;

  constructor(onHeartbeat: (() => void) | undefined) {
    this.#onHeartbeat = onHeartbeat;
  }

  /** The request is sent, perhaps again: what answers an earlier one comes too late. */
  expectedAs(id: string, among: Map<string, PendingReply>): void {
    this.cancel();
    this.#lost = undefined;
    this.#id = id;
    this.#among = among;
    among.set(id, this);
  }

  /** What became of the message: a reply to it shows that it was accepted. */
  outcome(sent: Promise<Outcome>): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#onReply = () => resolve(ACCEPTED);
      sent.then(resolve, reject);
    });
  }

  /** Rejects with what ends the deadline, or when the reply could not be read. */
  arrival(deadline: Deadline): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const settle = (reply: Reply | Error): void => (reply instanceof Error ? reject(reply) : resolve(reply));
      const known = this.#reply ?? this.#lost;
      if (known !== undefined) return settle(known);
      this.#onReply = settle;
      this.#onLost = settle;
      deadline.beginWait("reply", reject);
    });
  }

  heartbeat(): void {
    this.#onHeartbeat?.();
  }

  settle(reply: Reply | Error): void {
    this.cancel();
    this.#reply = reply;
    this.#onReply?.(reply);
  }

  /** The connection by which it would come is over. That counts once its request is known to have got through. */
  connectionLost(cause: Error): void {
    this.#lost = { type: "lost", cause };
    this.#onLost?.(this.#lost);
  }

  /** Nobody waits for it any more. */
  cancel(): void {
    this.#among?.delete(this.#id);
  }
}

function noReplies(cause: Error | undefined): Error {
  return new Error(`no link for replies: ${cause?.message ?? "the peer detached it"}`, { cause });
}
