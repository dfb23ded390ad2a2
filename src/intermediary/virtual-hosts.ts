import type { Connection } from "../core/connection/connection.js";
import type { AmqpErrorInit } from "../core/errors.js";

/**
 * What each virtual host has of its own. A client chooses by the hostname of its Open: none is the default one. Where no
 * virtual hosts are named there is one for all, for many clients put there the name of the machine that they connect to.
 */
export class VirtualHosts<T> {
  readonly #default: T;
  readonly #named: ReadonlyMap<string, T> | undefined;

  constructor(names: readonly string[] | undefined, make: () => T) {
    this.#default = make();
    this.#named = names && new Map(names.map((name) => [name, make()]));
  }

  /** Of the virtual host that the client has chosen; undefined when there is none of this name. */
  of({ remote: { hostname = "" } }: Connection): T | undefined {
    return this.#named === undefined || hostname === "" ? this.#default : this.#named.get(hostname);
  }
}

/** What is said to a client that has chosen one that there is not. */
export function noVirtualHost({ remote: { hostname = "" } }: Connection): AmqpErrorInit {
  return { condition: "amqp:not-found", description: `there is no virtual host ${JSON.stringify(hostname)}` };
}
