import type { PublishedMessage } from "../../amqp091/content.js";
import type { Properties } from "../../amqp091/properties.js";
import type { Deadline } from "../../core/deadlines.js";
import { ACCEPTED } from "../../core/messages/outcome.js";
import type { SendOutcome } from "../sending/outcomes.js";
import type { Route } from "./topology.js";
import { JSON_TYPE } from "./wire.js";

/** A message to send. */
export interface RabbitMessage {
  /** JSON text, compressed with `compression`. */
  readonly body: Uint8Array;
  /** Have the message returned when no queue receives it. */
  readonly mandatory: boolean;
  /** Milliseconds that the message may wait in a queue. Omitted: no limit. */
  readonly expirationMs?: number | undefined;
  readonly compression?: "gzip" | undefined;
  /** The reply to a request. A request that is answered is not sent again. */
  readonly reply?: { readonly isAnswered: boolean } | undefined;
}

/** Longest expiration that RabbitMQ accepts, in milliseconds. */
const MAX_EXPIRATION_MS = 0xffff_ffff;

const PROPERTIES: Properties = Object.freeze({
  contentType: JSON_TYPE,
  contentEncoding: "utf-8",
  headers: {},
  deliveryMode: 2,
  priority: 0,
});
/** The name in the header `compression`, whose format is zlib's (oslo_messaging/_drivers/impl_rabbit.py, from kombu). */
const GZIP = { compression: "application/x-gzip" };

function propertiesOf({ expirationMs, compression }: RabbitMessage): Properties {
  if (expirationMs === undefined && compression === undefined) return PROPERTIES;
  const headers = compression === undefined ? PROPERTIES.headers : GZIP;
  if (expirationMs === undefined) return { ...PROPERTIES, headers };
  return { ...PROPERTIES, headers, expiration: `${Math.trunc(Math.min(expirationMs, MAX_EXPIRATION_MS))}` };
}

/** The place where a message waits before it is sent. */
interface Stage {
  /** Called when the message is given up. */
  abandoned(publishing: Publishing): void;
}

/** Limits the messages that are sent and not confirmed. */
interface Limit {
  /** Called when the message is confirmed or given up. */
  leave(): void;
}

/** One message on its way to its outcome. */
export class Publishing implements PublishedMessage {
  readonly route: Route;
  readonly exchange: string;
  readonly routingKey: string;
  readonly mandatory: boolean;
  readonly properties: Properties;
  readonly body: Uint8Array;
  readonly #reply: RabbitMessage["reply"];
  readonly #deadline: Deadline;
  readonly #resolve: (outcome: SendOutcome) => void;
  readonly #reject: (reason: unknown) => void;
  #stage: Stage | undefined;
  /** The limit that counts the message. */
  limit: Limit | undefined;
  /** Whether the outcome is known or the message was given up. */
  isOver = false;
  /** Whether the message has left at least once. */
  wasSent = false;
  /** Errors of other messages that ended the channel of this one. */
  interruptions = 0;
  /** Times that the exchange of the message did not exist. */
  misses = 0;
  /** Whether the message is sent alone, because it may be the one that closes the channel. */
  isSuspect = false;

  constructor(
    route: Route,
    message: RabbitMessage,
    deadline: Deadline,
    resolve: (outcome: SendOutcome) => void,
    reject: (reason: unknown) => void,
  ) {
    this.route = route;
    this.exchange = route.exchange;
    this.routingKey = route.routingKey;
    this.mandatory = message.mandatory;
    this.properties = propertiesOf(message);
    this.body = message.body;
    this.#reply = message.reply;
    this.#deadline = deadline;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** True when there is no need to send the message again: it was given up, or its reply shows that it was received. */
  get isDone(): boolean {
    return this.isOver || this.#reply?.isAnswered === true;
  }

  /** Called when the message begins to wait for its turn. May give the message up. */
  waitIn(stage: Stage): void {
    const isFirst = this.#stage === undefined;
    this.#stage = stage;
    if (isFirst && !this.wasSent) this.#deadline.beginWait("credit", this.#abandon);
  }

  /** Called before the message leaves. Returns false when it is given up instead, or answered meanwhile. */
  leave(): boolean {
    this.#stage = undefined;
    if (this.isDone) {
      this.settle(ACCEPTED);
      return false;
    }
    // A message that is sent again stays in this phase: its fate is unknown.
    if (!this.wasSent) this.#deadline.beginWait("acknowledgement", this.#abandon);
    if (this.isOver) return false;
    this.wasSent = true;
    return true;
  }

  /**
   * A request that is answered was accepted, whatever became of its confirm. The wait of the deadline is not ended: the
   * operation may wait for something else by now.
   */
  settle(outcome: SendOutcome): void {
    if (this.isOver) return;
    const isAnswered = this.#reply?.isAnswered === true;
    this.isOver = true;
    this.#resolve(isAnswered ? ACCEPTED : outcome);
  }

  fail(reason: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#reject(reason);
  }

  /** The outcome when the connection ends before a confirm. */
  lost(error: Error): void {
    this.settle({ type: this.wasSent ? "unknown" : "unsent", error });
  }

  readonly #abandon = (reason: unknown): void => {
    if (this.isOver) return;
    this.fail(reason);
    this.#stage?.abandoned(this);
  };
}
