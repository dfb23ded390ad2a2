import type { SendingConnection } from "../sending/operations.js";
import { DriverConnection, type DriverConnectionInit } from "./driver-connection.js";
import { Publisher } from "./publisher.js";
import type { PublishingContext } from "./publishing-context.js";

/** The connection of the driver that publishes: requests, notifications, replies and heartbeats. It has no consumers. */
export class PublishingConnection extends DriverConnection implements SendingConnection, PublishingContext {
  /** A receiver recognises a repeat by its `_unique_id`. */
  readonly repeatsAreRecognised = true;
  /** Publishes requests and notifications. */
  readonly requests: Publisher;
  /** Publishes replies and heartbeats, so that an error of a request does not interrupt them. */
  readonly replies: Publisher;

  constructor(init: DriverConnectionInit) {
    super(init, "cannot publish to");
    this.requests = new Publisher(this, init.connection.openSink(this));
    this.replies = new Publisher(this, init.connection.openSink(this));
  }

  get isBlocked(): boolean {
    return this.broker.blocked !== undefined;
  }

  /** Why messages to this address are not sent: its declaration is refused, or the broker does not read. */
  override refusalOf(address: string): Error | undefined {
    const { blocked } = this.broker;
    const refusal = super.refusalOf(address);
    if (refusal !== undefined || blocked === undefined) return refusal;
    return new Error(`the broker blocks messages: ${blocked}`);
  }
}
