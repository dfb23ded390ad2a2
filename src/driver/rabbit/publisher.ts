import type { Deadline } from "../../core/deadlines.js";
import { toError } from "../../core/errors.js";
import type { SendOutcome } from "../sending/outcomes.js";
import type { MessageSink } from "./broker-connection.js";
import { DeclarationRefused } from "./declaration-refused.js";
import { Lane } from "./lane.js";
import { Publishing, type RabbitMessage } from "./publishing.js";
import type { PublishingContext } from "./publishing-context.js";
import type { Route } from "./topology.js";

/** The operation of a message. */
export interface PublishOperation {
  readonly deadline: Deadline;
  /** True when an earlier connection may have taken the message. */
  readonly isRepeat: boolean;
  /** Called with the address of the message, for errors. */
  addressed(address: string): void;
}

/**
 * Publishes the messages of one connection, through a sink of its own. Requests with one exchange and routing key leave
 * in the order of the calls, and so do other messages.
 */
export class Publisher {
  readonly #context: PublishingContext;
  readonly #sink: MessageSink;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes whose exchange is being declared. */
  #declaring = 0;

  constructor(context: PublishingContext, sink: MessageSink) {
    this.#context = context;
    this.#sink = sink;
  }

  /**
   * Declares the exchange if needed, publishes the message and resolves with its outcome:
   *
   * - `accepted` when the broker has confirmed it, also when no queue receives it;
   * - `returned` when no queue receives a message that is `mandatory`;
   * - `rejected` when the broker refuses the message or the declaration for good;
   * - `unsent` when the connection ended before it left, or a declaration failed;
   * - `unknown` when the connection ended before the confirm.
   *
   * An error of a channel ends it for all of its messages. Those that the error is not about are sent again.
   *
   * Rejects only with the error that ends the deadline, and with a RangeError for a name that is too long.
   *
   * @param isRequest Limit the unconfirmed messages of this exchange and routing key to 16. Others wait. Repeats go first.
   */
  publish(route: Route, message: RabbitMessage, operation: PublishOperation, isRequest = false): Promise<SendOutcome> {
    operation.addressed(addressOf(route));
    return new Promise((resolve, reject) => {
      const publishing = new Publishing(route, message, operation.deadline, resolve, reject);
      if (!this.#context.isOpen) publishing.lost(this.#context.lost);
      else if (isRequest || this.#declaring > 0 || !this.#isDeclared(route))
        this.#enter(publishing, isRequest, operation.isRepeat);
      else this.#sink.send(publishing);
    });
  }

  /** Sends the message, or lets it wait in its lane. */
  #enter(publishing: Publishing, isRequest: boolean, isRepeat: boolean): void {
    const lane = this.#laneOf(publishing.route);
    if (isRequest) publishing.limit = lane;
    if (lane.waiting.size === 0 && this.#isDeclared(publishing.route) && !(isRequest && lane.isFull)) {
      this.#pass(publishing, lane);
      return;
    }
    lane.add(publishing, isRepeat);
    publishing.waitIn(lane);
    this.#advance(lane);
  }

  #pass(publishing: Publishing, lane: Lane): void {
    if (publishing.limit !== undefined) lane.enter();
    this.#sink.send(publishing);
  }

  /** Sends the messages that need not wait any more. */
  readonly #advance = (lane: Lane): void => {
    if (lane.isDeclaring) return;
    for (const publishing of lane.waiting) {
      if (!this.#context.isOpen) return this.#settle(lane, { type: "unsent", error: this.#context.lost });
      if (!this.#isDeclared(publishing.route)) return void this.#declare(lane, publishing.route);
      if (publishing.limit !== undefined && lane.isFull) return;
      lane.waiting.delete(publishing);
      this.#pass(publishing, lane);
    }
    if (lane.isIdle) this.#lanes.delete(lane.key);
  };

  async #declare(lane: Lane, route: Route): Promise<void> {
    const address = addressOf(route);
    lane.isDeclaring = true;
    this.#declaring++;
    try {
      await this.#context.declarer.declareRoute(route);
      this.#context.restored(address);
    } catch (thrown) {
      const error = toError(thrown);
      const isFinal = thrown instanceof DeclarationRefused && thrown.isFinal;
      this.#settle(lane, { type: isFinal ? "rejected" : "unsent", error });
      if (!isFinal) await this.#pause(lane, address, error);
    }
    this.#declaring--;
    lane.isDeclaring = false;
    this.#advance(lane);
  }

  /** The wait before the next attempt. Messages that are sent again meanwhile wait in the lane. */
  async #pause(lane: Lane, address: string, error: Error): Promise<void> {
    this.#context.refused(address, error);
    await this.#context.pause();
    if (lane.waiting.size === 0) this.#context.restored(address);
  }

  #settle(lane: Lane, outcome: SendOutcome): void {
    for (const publishing of lane.waiting) publishing.settle(outcome);
    lane.waiting.clear();
    if (lane.isIdle) this.#lanes.delete(lane.key);
  }

  #isDeclared(route: Route): boolean {
    return this.#context.declarer.isDeclared(route);
  }

  #laneOf({ exchange, routingKey }: Route): Lane {
    const key = `${exchange}\0${routingKey}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(key, this.#advance);
      this.#lanes.set(key, lane);
    }
    return lane;
  }
}

/** Name of a route in errors and logs. */
export function addressOf({ exchange, routingKey }: Route): string {
  if (exchange === "") return routingKey;
  return routingKey === "" ? exchange : `${exchange}/${routingKey}`;
}
