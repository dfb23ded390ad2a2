import type { Logger } from "../../core/logger.js";
import { type Host, isLoopback } from "./hosts.js";

/** Warns once when a secret was sent to another machine in clear text. */
export class ClearTextNotice {
  readonly #logger: Logger;
  /** Mechanisms that send a secret in clear text, with the secret's name. Only TLS protects it. */
  readonly #secrets: ReadonlyMap<string, string>;
  /** How to enable TLS. */
  readonly #cure: string;
  #warned = false;

  constructor(logger: Logger, secrets: ReadonlyMap<string, string>, cure: string) {
    this.#logger = logger;
    this.#secrets = secrets;
    this.#cure = cure;
  }

  /** Called for each connection, with its mechanism. */
  check(host: Host, mechanism: string, encrypted: boolean): void {
    const secret = this.#secrets.get(mechanism);
    if (secret === undefined || encrypted || isLoopback(host) || this.#warned) return;
    this.#warned = true;
    this.#logger.warn(`the ${secret} was sent to ${host.name} in clear text: use ${this.#cure}`);
  }
}
