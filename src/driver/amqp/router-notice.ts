import type { DriverConnection } from "./driver-connection.js";

/** Warns, once a transport, that notifications go through what does not keep them (the deployment guide of the AMQP 1.0 driver). */
export class RouterNotice {
  #checked: DriverConnection | undefined;
  #given = false;

  /** Before notifications go over this connection, or come. */
  check(connection: DriverConnection): void {
    if (connection === this.#checked || this.#given) return;
    this.#checked = connection;
    const { kind, product, host } = connection.peer;
    if (kind !== "router") return;
    this.#given = true;
    connection.logger.warn(
      `notifications go through a router, ${product} at ${host}, which stores nothing: each waits for a listener to take it, ` +
        "and fails when none has in time. Only a broker keeps them while nobody listens.",
    );
  }
}
