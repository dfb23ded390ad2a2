import type { Connection } from "../core/connection/connection.js";
import type { AmqpErrorInit } from "../core/errors.js";

/**
 * One `T` for each virtual host. A client selects its virtual host by the hostname of its Open; without one, it gets
 * the default. If `names` is undefined, the hostname is ignored: many clients send the name of the machine that they
 * connect to.
 */
export class VirtualHosts<T> {
  readonly #default: T;
  readonly #named: ReadonlyMap<string, T> | undefined;

  constructor(names: readonly string[] | undefined, make: () => T) {
    this.#default = make();
    this.#named = names && new Map(names.map((name) => [name, make()]));
  }

  /** The `T` of the virtual host that the client selected; undefined if the virtual host is unknown. */
  of({ remote: { hostname = "" } }: Connection): T | undefined {
    return this.#named === undefined || hostname === "" ? this.#default : this.#named.get(hostname);
  }
}

/** The error for a client that selected an unknown virtual host. */
export function noVirtualHost({ remote: { hostname = "" } }: Connection): AmqpErrorInit {
  return { condition: "amqp:not-found", description: `there is no virtual host ${JSON.stringify(hostname)}` };
}
