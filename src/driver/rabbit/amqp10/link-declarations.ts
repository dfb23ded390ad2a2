import { ACCESS_REFUSED } from "../../../amqp091/reply-codes.js";
import type { Connection } from "../../../core/connection/connection.js";
import type { Declarations } from "../broker-connection.js";
import { isRefusal } from "../refusal.js";
import type { ExchangeDeclaration, QueueDeclaration } from "../topology.js";
import { exchangeAddress, queueAddress } from "./addresses.js";
import { LinkRefusal } from "./link-refusal.js";
import type { Management } from "./management.js";
import type { ManagedMap } from "./management-message.js";

/** Declares by the management of RabbitMQ 4, and looks exchanges up by links to them. */
export class LinkDeclarations implements Declarations {
  readonly #connection: Pick<Connection, "openSender">;
  readonly #management: Pick<Management, "request">;
  /** The session of the links to exchanges. A refused link ends it. */
  readonly #session = {};
  #lookUps = 0;
  /** Resolves when the newest exchange is looked up: otherwise the end of the session would be an error of another one, too. */
  #lookedUp: Promise<unknown> = Promise.resolve();

  constructor(connection: Pick<Connection, "openSender">, management: Pick<Management, "request">) {
    this.#connection = connection;
    this.#management = management;
  }

  async declareExchange(declaration: ExchangeDeclaration, passive = false): Promise<void> {
    const { exchange, type, durable, autoDelete: auto_delete } = declaration;
    if (passive) {
      const lookUp = this.#lookedUp.then(() => this.#lookUp(exchange));
      this.#lookedUp = lookUp.catch(() => {});
      return await lookUp;
    }
    await this.#management.request({
      method: "PUT",
      path: exchangeAddress(exchange),
      body: { type, durable, auto_delete },
    });
  }

  async declareQueue(declaration: QueueDeclaration, passive = false): Promise<void> {
    const { queue, durable, autoDelete: auto_delete, arguments: table } = declaration;
    const path = queueAddress(queue);
    if (passive) return await this.#management.request({ method: "GET", path });
    const body = { durable, auto_delete, arguments: table as ManagedMap };
    await this.#management.request({ method: "PUT", path, body });
  }

  async bind(queue: string, exchange: string, routingKey: string): Promise<void> {
    const body = { source: exchange, destination_queue: queue, binding_key: routingKey, arguments: {} };
    await this.#management.request({ method: "POST", path: "/bindings", body });
  }

  async deleteQueue(queue: string): Promise<void> {
    await this.#management.request({ method: "DELETE", path: queueAddress(queue) });
  }

  async deleteExchange(exchange: string): Promise<void> {
    await this.#management.request({ method: "DELETE", path: exchangeAddress(exchange) });
  }

  /**
   * The management has no request for this. A link to an exchange needs the permission to write: without it the exchange counts as
   * present, and whatever needs it is refused when it is not.
   */
  async #lookUp(exchange: string): Promise<void> {
    const name = `exchange ${++this.#lookUps}`;
    const target = { address: exchangeAddress(exchange) };
    try {
      const link = await this.#connection.openSender({ name, session: this.#session, source: {}, target });
      void link.close();
    } catch (thrown) {
      const error = LinkRefusal.of(thrown);
      if (!isRefusal(error) || error.code !== ACCESS_REFUSED) throw error;
    }
  }
}
