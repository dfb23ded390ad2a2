import type { Connection } from "@/src/core/connection/connection.js";
import { connect } from "@/src/core/connection/handshake.js";
import type { AmqpErrorInit } from "@/src/core/errors.js";
import type { Delivery } from "@/src/core/links/delivery.js";
import type { Receiver } from "@/src/core/links/receiver.js";
import type { Sender } from "@/src/core/links/sender.js";
import type { Credentials } from "@/src/core/sasl/sasl.js";
import { Intermediary, type IntermediaryOptions } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";
import { FakeLogger } from "./fakes.js";

/** An intermediary, and clients that reach it through memory. */
export class Bed {
  readonly logger = new FakeLogger();
  readonly intermediary: Intermediary;
  readonly #clients: Connection[] = [];
  #links = 0;

  constructor(options: IntermediaryOptions) {
    this.intermediary = new Intermediary({ logger: this.logger, ...options });
  }

  async connect(credentials?: Credentials, hostname?: string): Promise<Connection> {
    const to = { scheme: "amqp", hostname: "intermediary", port: 5672 };
    const options = { containerId: `client ${this.#clients.length}`, hostname, sasl: { credentials } };
    const dial = memoryDial(this.intermediary.accept);
    const connection = await connect(dial, to, options, AbortSignal.timeout(5_000));
    this.#clients.push(connection);
    return connection;
  }

  producer(connection: Connection, address: string, onDetach?: (error: Error | undefined) => void): Promise<Sender> {
    const name = `producer ${this.#links++}`;
    return connection.openSender({ name, source: { address }, target: { address }, onDetach });
  }

  /** `address` undefined: a dynamic node. */
  async consumer(connection: Connection, address: string | undefined, credit = 10): Promise<BedConsumer> {
    const inbox = new Inbox();
    const receiver = await connection.openReceiver({
      name: `consumer ${this.#links++}`,
      source: { address, dynamic: address === undefined },
      target: { address },
      credit,
      onDelivery: (delivery) => inbox.put(delivery),
    });
    return { receiver, inbox };
  }

  /** Resolves when all that the intermediary had to say on the connection until now has come. */
  async settle(connection: Connection): Promise<void> {
    const link = await this.producer(connection, "somewhere/else");
    await link.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.intermediary.close();
  }
}

export interface BedConsumer {
  readonly receiver: Receiver;
  readonly inbox: Inbox;
}

/** Deliveries in the order in which they came, for those who wait for the next. */
export class Inbox {
  readonly #deliveries: Delivery[] = [];
  readonly #waiting: ((delivery: Delivery) => void)[] = [];
  count = 0;

  put(delivery: Delivery): void {
    this.count++;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#deliveries.push(delivery);
    else waiting(delivery);
  }

  next(): Promise<Delivery> {
    const delivery = this.#deliveries.shift();
    if (delivery !== undefined) return Promise.resolve(delivery);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Accepts the next. */
  async nextText(): Promise<unknown> {
    const delivery = await this.next();
    delivery.accept();
    return textOf(delivery);
  }
}

export function textMessage(value: string): { body: { type: "value"; value: string } } {
  return { body: { type: "value", value } };
}

export function textOf({ message }: Delivery): unknown {
  return message.body?.type === "value" ? message.body.value : undefined;
}

export function error(condition: string): AmqpErrorInit {
  return { condition, description: "as the test wants it" };
}
