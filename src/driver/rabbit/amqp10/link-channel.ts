import type { Connection } from "../../../core/connection/connection.js";
import { Deferred } from "../../../core/deferred.js";
import type { Sender } from "../../../core/links/sender.js";
import { ACCEPTED, type Outcome } from "../../../core/messages/outcome.js";
import type { Publishing } from "../publishing.js";
import type { Fate, SinkChannel } from "../recovering-sink.js";
import { LinkRefusal } from "./link-refusal.js";
import { publicationOf } from "./publication.js";

const UNSETTLED = { settled: false };

export interface LinkChannelInit {
  connection: Connection;
  /** Unique within the connection. */
  name: string;
  /** See LinkInit. */
  session: object;
  /** Called after each message and each outcome. */
  onUse: (sender: Sender) => void;
}

/**
 * A sending link without an address of its own: each message states where it goes. So one link keeps all messages in order, and
 * RabbitMQ rejects a message to a missing exchange alone. A missing permission ends the session with all messages on it: the
 * link has a session of its own.
 */
export class LinkChannel implements SinkChannel {
  readonly #sender: Sender;
  readonly #onUse: LinkChannelInit["onUse"];
  #changed: Deferred | undefined;
  #unconfirmed = 0;

  private constructor(sender: Sender, onUse: LinkChannelInit["onUse"]) {
    this.#sender = sender;
    this.#onUse = onUse;
  }

  /** Rejects with a LinkRefusal when the broker refuses the link, and with another error when the connection ends. */
  static async open({ connection, name, session, onUse }: LinkChannelInit): Promise<LinkChannel> {
    let channel: LinkChannel | undefined;
    const onChange = (): void => {
      if (channel !== undefined) channel.#change();
    };
    try {
      const link = { name, session, source: {}, target: {}, onCredit: onChange, onDetach: onChange };
      channel = new LinkChannel(await connection.openSender(link), onUse);
      return channel;
    } catch (thrown) {
      throw LinkRefusal.of(thrown);
    }
  }

  get isOpen(): boolean {
    return this.#sender.attached;
  }

  /** A message that waits in the link, in an alarm for example, cannot be given up: the others wait before it. */
  get writable(): boolean {
    return this.isOpen && this.#sender.credit > 0 && this.#sender.queued === 0;
  }

  get unconfirmed(): number {
    return this.#unconfirmed;
  }

  changed(): Promise<void> {
    this.#changed ??= new Deferred();
    return this.#changed.promise;
  }

  async publish(publishing: Publishing): Promise<Fate> {
    const sent = this.#sender.send(publicationOf(publishing), UNSETTLED);
    this.#unconfirmed++;
    this.#onUse(this.#sender);
    try {
      return fateOf(publishing, await sent);
    } finally {
      this.#unconfirmed--;
      this.#onUse(this.#sender);
      this.#change();
    }
  }

  #change(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }
}

/** RabbitMQ releases a message that no queue receives. By AMQP 0-9-1 it accepts one that is not mandatory. */
function fateOf({ route, message }: Publishing, outcome: Outcome): Fate {
  switch (outcome.type) {
    case "accepted":
      return ACCEPTED;
    case "released": {
      if (!message.mandatory) return ACCEPTED;
      const { exchange, routingKey } = route;
      return { type: "returned", exchange, routingKey, replyText: "no queue receives it (released)" };
    }
    case "rejected": {
      const { error } = outcome;
      if (error?.condition === "amqp:not-found") return { type: "missing", error: new LinkRefusal(error) };
      return { type: "rejected", error };
    }
    case "modified":
      return { type: "rejected", error: undefined };
    default:
      return { type: "lost", error: LinkRefusal.of(outcome.error) };
  }
}
