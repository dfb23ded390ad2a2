import type { Channel } from "../../../amqp091/channel.js";
import type { Confirmation } from "../../../amqp091/confirms.js";
import { type Deadline, Deadlines } from "../../../core/deadlines.js";
import { ACCEPTED } from "../../../core/messages/outcome.js";
import type { Publishing } from "../publishing.js";
import type { Fate, SinkChannel } from "../recovering-sink.js";
import { propertiesOf } from "./properties.js";

/** A nack has no reason. RabbitMQ sends it for a full queue with `x-overflow: reject-publish`, and when a queue fails. */
const NACKED = "the broker did not take the message (basic.nack): a queue may be full or unavailable";

/** A channel in confirm mode. */
export class ConfirmChannel implements SinkChannel {
  readonly #channel: Channel;
  /** Limits no wait: each message has its own deadline. */
  readonly #unlimited: Deadline = new Deadlines().start({ expired: () => new Error("expired") });

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.confirmSelect().catch(() => {}); // the error has ended the channel
  }

  get isOpen(): boolean {
    return this.#channel.isOpen;
  }

  get writable(): boolean {
    return this.#channel.writable;
  }

  get unconfirmed(): number {
    return this.#channel.unconfirmed;
  }

  async changed(): Promise<void> {
    await this.#channel.whenWritable(this.#unlimited).catch(() => {});
  }

  async publish(publishing: Publishing): Promise<Fate> {
    const { exchange, routingKey } = publishing.route;
    const { mandatory, body } = publishing.message;
    const properties = propertiesOf(publishing.message);
    return fateOf(publishing, await this.#channel.publish({ exchange, routingKey, mandatory, properties, body }));
  }
}

function fateOf({ route }: Publishing, confirmation: Confirmation): Fate {
  switch (confirmation.type) {
    case "acknowledged":
      return ACCEPTED;
    case "nacked":
      return { type: "rejected", error: new Error(NACKED) };
    case "returned": {
      const { exchange, routingKey } = route;
      return { type: "returned", exchange, routingKey, replyText: confirmation.text };
    }
    default:
      return { type: "lost", error: confirmation.error };
  }
}
