import type { Connection } from "../../../amqp091/connection.js";
import type { BrokerConnection, ConsumerChannel, MessageSink } from "../broker-connection.js";
import type { PublishingContext } from "../publishing-context.js";
import { RecoveringSink } from "../recovering-sink.js";
import { ConfirmChannel } from "./confirm-channel.js";
import { ChannelDeclarations } from "./declarations.js";

/** A connection of AMQP 0-9-1. Each part of the driver has a channel of its own: an error ends a channel. */
export class ChannelConnection implements BrokerConnection {
  readonly declarations: ChannelDeclarations;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.declarations = new ChannelDeclarations(connection);
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  get closed(): Promise<Error | undefined> {
    return this.#connection.closed;
  }

  get product(): string | undefined {
    return this.#connection.product;
  }

  get blocked(): string | undefined {
    return this.#connection.blocked;
  }

  openSink(context: PublishingContext): MessageSink {
    return new RecoveringSink(context, async () => new ConfirmChannel(await this.#connection.openChannel()));
  }

  async openConsumers(prefetchCount: number): Promise<ConsumerChannel> {
    const channel = await this.#connection.openChannel();
    await channel.request("basic.qos", { prefetchSize: 0, prefetchCount, global: false });
    return channel;
  }

  async report(): Promise<Awaited<ReturnType<BrokerConnection["report"]>>> {
    const { mechanism, product, version, virtualHost, heartbeatMs, blocked, socket } = this.#connection;
    const channel = await this.#connection.openChannel();
    const startedMs = performance.now();
    await channel.probe();
    const roundTripMs = performance.now() - startedMs;
    await channel.close();
    return {
      protocol: "AMQP 0-9-1",
      encrypted: socket.encrypted,
      mechanism,
      product,
      version,
      virtualHost,
      heartbeatMs,
      ...(blocked !== undefined && { blocked }),
      roundTripMs,
    };
  }

  check(): void {
    this.#connection.check();
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}
