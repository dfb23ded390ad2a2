import type { Channel, ChannelRequest, RequestFields } from "../../../amqp091/channel.js";
import type { Connection } from "../../../amqp091/connection.js";
import { Amqp091Error } from "../../../amqp091/errors.js";
import { ConnectionLost } from "../../../core/errors.js";
import type { Declarations } from "../broker-connection.js";
import type { ExchangeDeclaration, QueueDeclaration } from "../topology.js";

/** A channel for requests. */
interface RequestChannel {
  readonly channel: Channel;
  /** The request that closed the channel has failed with its error. */
  hasFailed: boolean;
}

/** Declares by the methods of AMQP 0-9-1, on a channel of its own. */
export class ChannelDeclarations implements Declarations {
  readonly #connection: Connection;
  #present: RequestChannel | undefined;
  #opening: Promise<RequestChannel> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async declareExchange(declaration: ExchangeDeclaration, passive = false): Promise<void> {
    const { exchange, type } = declaration;
    await this.#request("exchange.declare", passive ? { exchange, type, passive } : declaration);
  }

  async declareQueue(declaration: QueueDeclaration, passive = false): Promise<void> {
    await this.#request("queue.declare", passive ? { queue: declaration.queue, passive } : declaration);
  }

  async bind(queue: string, exchange: string, routingKey: string): Promise<void> {
    await this.#request("queue.bind", { queue, exchange, routingKey });
  }

  async deleteQueue(queue: string): Promise<void> {
    await this.#request("queue.delete", { queue });
  }

  async deleteExchange(exchange: string): Promise<void> {
    await this.#request("exchange.delete", { exchange });
  }

  /**
   * Sends a request. Concurrent requests share the channel. The broker answers in order: of those that are not answered when
   * it closes the channel, it refused the first one. The others are sent again.
   */
  async #request<M extends ChannelRequest>(name: M, fields: RequestFields<M>): Promise<void> {
    for (;;) {
      const requests = this.#present?.channel.isOpen ? this.#present : await this.#open();
      if (!requests.channel.isOpen) continue;
      try {
        await requests.channel.request(name, fields);
        return;
      } catch (thrown) {
        if (!(thrown instanceof Amqp091Error)) throw thrown;
        const isFirst = !requests.hasFailed;
        requests.hasFailed = true;
        if (isFirst) throw thrown;
        if (!this.#connection.isOpen) throw new ConnectionLost(thrown.message, { cause: thrown });
      }
    }
  }

  #open(): Promise<RequestChannel> {
    this.#opening ??= this.#openChannel().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openChannel(): Promise<RequestChannel> {
    this.#present = { channel: await this.#connection.openChannel(), hasFailed: false };
    return this.#present;
  }
}
