import { ACCESS_REFUSED, INTERNAL_ERROR, NOT_FOUND, PRECONDITION_FAILED } from "../../amqp091/reply-codes.js";
import type { Log } from "../../core/recurring-warnings.js";
import type { BrokerConnection } from "./broker-connection.js";
import { DeclarationRefused, permissionText } from "./declaration-refused.js";
import type { RouteDeclarer } from "./publishing-context.js";
import { isRefusal, type Refusal } from "./refusal.js";
import type { Binding, BoundQueue, ExchangeDeclaration, QueueDeclaration, Route } from "./topology.js";

export interface DeclarerInit extends Pick<Log, "warnings"> {
  connection: Pick<BrokerConnection, "isOpen" | "declarations">;
}

/**
 * Declares the exchanges, queues and bindings of one connection. A declaration that differs from
 * the present exchange or queue is not an error, except for the type of an exchange: the present one is used. The same holds
 * for a user without the permission to declare it.
 */
export class Declarer implements RouteDeclarer {
  readonly #connection: DeclarerInit["connection"];
  readonly #warnings: Log["warnings"];
  /** The names of declared exchanges, each with the names of the queues that were declared and bound with it. */
  readonly #declared = new Map<string, Set<string>>();
  /** The declarations of routes that are under way. */
  readonly #pending = new Map<string, Promise<void>>();
  /** The exchanges and queues that differ from their declarations. */
  readonly #differing = new Set<string>();

  constructor({ connection, warnings }: DeclarerInit) {
    this.#connection = connection;
    this.#warnings = warnings;
  }

  /** True when `declareRoute` has nothing to do. */
  isDeclared({ exchange, declaration, queue }: Route): boolean {
    if (declaration === undefined && queue === undefined) return true;
    const queues = this.#declared.get(exchange);
    return queues !== undefined && (queue === undefined || queues.has(queue.declaration.queue));
  }

  /** Declares the exchange of a route, and its queue with the bindings, once. Concurrent callers share one declaration. Throws as `declareQueue`. */
  declareRoute(route: Route): Promise<void> {
    const key = `${route.exchange}\0${route.queue?.declaration.queue ?? ""}`;
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = this.#declareRoute(route).finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    return pending;
  }

  /**
   * Declares the exchanges of a queue, the queue and its bindings.
   *
   * @throws DeclarationRefused when the broker refuses one of them.
   * @throws another error when the connection ends, or a channel cannot be opened.
   */
  async declareQueue(queue: BoundQueue): Promise<void> {
    try {
      await this.#declareQueue(queue);
    } catch (thrown) {
      if (!(thrown instanceof DeclarationRefused) || thrown.cause.code !== NOT_FOUND) throw thrown;
      await this.#declareQueue(queue); // an exchange without bindings was deleted in between
    }
  }

  /**
   * Deletes a queue. A queue that does not exist is not an error.
   *
   * @throws Refusal when the broker refuses it.
   * @throws another error when the connection ends.
   */
  async deleteQueue(queue: string): Promise<void> {
    await this.#connection.declarations.deleteQueue(queue);
  }

  /** Called when an exchange does not exist any more. Its bindings were deleted with it. */
  forget(exchange: string): void {
    this.#declared.delete(exchange);
  }

  async #declareRoute(route: Route): Promise<void> {
    const { exchange, declaration, queue } = route;
    if (this.isDeclared(route)) return;
    if (queue !== undefined) await this.declareQueue(queue);
    else if (declaration !== undefined) await this.#declareExchange(declaration);
    const queues = this.#declared.get(exchange) ?? new Set();
    if (queue !== undefined) queues.add(queue.declaration.queue);
    this.#declared.set(exchange, queues);
  }

  async #declareQueue({ declaration, bindings }: BoundQueue): Promise<void> {
    const exchanges = new Map(bindings.map((binding) => [binding.exchange, binding.declaration]));
    for (const exchange of exchanges.values()) if (exchange !== undefined) await this.#declareExchange(exchange);
    await this.#declareOneQueue(declaration);
    for (const binding of bindings) await this.#bind(declaration.queue, binding);
  }

  async #declareExchange(declaration: ExchangeDeclaration): Promise<void> {
    const { declarations } = this.#connection;
    try {
      await declarations.declareExchange(declaration);
    } catch (thrown) {
      const passively = (): Promise<void> => declarations.declareExchange(declaration, true);
      await this.#useExisting(`exchange ${declaration.exchange}`, this.#refusal(thrown), passively);
    }
  }

  async #declareOneQueue(declaration: QueueDeclaration): Promise<void> {
    const { queue, durable } = declaration;
    const { declarations } = this.#connection;
    try {
      await declarations.declareQueue(declaration);
    } catch (thrown) {
      if (!durable && isDeprecation(thrown)) {
        throw new DeclarationRefused(deprecationText(queue), { cause: thrown, isFinal: true });
      }
      const passively = (): Promise<void> => declarations.declareQueue(declaration, true);
      await this.#useExisting(`queue ${queue}`, this.#refusal(thrown), passively);
    }
  }

  async #bind(queue: string, { exchange, routingKey }: Binding): Promise<void> {
    try {
      await this.#connection.declarations.bind(queue, exchange, routingKey);
    } catch (thrown) {
      const error = this.#refusal(thrown);
      if (error.code === ACCESS_REFUSED) {
        const isExchange = error.text.includes(`exchange '${exchange}'`);
        const text = isExchange
          ? permissionText("read", `exchange ${exchange}`, error)
          : permissionText("write", `queue ${queue}`, error);
        throw new DeclarationRefused(text, { cause: error, isFinal: true });
      }
      throw refused(`queue ${queue} cannot be bound to exchange ${exchange}`, error);
    }
  }

  /** Uses the exchange or the queue that exists where a refusal permits it. */
  async #useExisting(thing: string, error: Refusal, passively: () => Promise<void>): Promise<void> {
    const { code, text } = error;
    const isDifferent = code === PRECONDITION_FAILED && text.includes("inequivalent arg");
    if (isDifferent && text.includes("inequivalent arg 'type'")) {
      throw new DeclarationRefused(`${thing} has another type: ${error.message}`, { cause: error, isFinal: true });
    }
    if (!isDifferent && code !== ACCESS_REFUSED) throw refused(`${thing} cannot be declared`, error);
    try {
      await passively();
    } catch (thrown) {
      const second = this.#refusal(thrown);
      if (isDifferent) throw refused(`${thing} cannot be used`, second);
      throw new DeclarationRefused(permissionText("configure", thing, error), { cause: error, isFinal: true });
    }
    if (!isDifferent || this.#differing.has(thing)) return;
    this.#differing.add(thing);
    this.#warnings.warn(
      `${thing} differs`,
      `${thing} differs from its declaration and is used as it is: ${error.text}`,
    );
  }

  /** The error with which the broker refused a request. Throws any other one, such as the end of the connection. */
  #refusal(thrown: unknown): Refusal {
    if (isRefusal(thrown) && this.#connection.isOpen) return thrown;
    throw thrown;
  }
}

function refused(what: string, cause: Refusal): DeclarationRefused {
  return new DeclarationRefused(`${what}: ${cause.message}`, { cause, isFinal: false });
}

/** RabbitMQ 4 closes the connection when a queue is declared that `deprecated_features.permit` forbids. */
function isDeprecation(thrown: unknown): thrown is Refusal {
  return isRefusal(thrown) && thrown.code === INTERNAL_ERROR && thrown.text.includes("deprecated");
}

function deprecationText(queue: string): string {
  return (
    `the broker does not permit queue ${queue}, which is transient: set rabbit_quorum_queue (for topics) and ` +
    "rabbit_transient_quorum_queue (for replies and fanouts)"
  );
}
