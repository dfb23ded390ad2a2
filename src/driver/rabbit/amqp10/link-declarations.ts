import type { Declarations } from "../broker-connection.js";
import type { ExchangeDeclaration, QueueDeclaration } from "../topology.js";
import { exchangeAddress, queueAddress } from "./addresses.js";
import type { Management } from "./management.js";
import type { ManagedMap } from "./management-message.js";

/** Declares by the management of RabbitMQ 4. */
export class LinkDeclarations implements Declarations {
  readonly #management: Pick<Management, "request">;

  constructor(management: Pick<Management, "request">) {
    this.#management = management;
  }

  /**
   * The management cannot look up an exchange. So one that is looked up counts as present: whatever needs it is refused when it
   * is not.
   */
  async declareExchange(declaration: ExchangeDeclaration, passive = false): Promise<void> {
    const { exchange, type, durable, autoDelete: auto_delete } = declaration;
    if (passive) return;
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
}
