import type { DriverConnection } from "./driver-connection.js";

/** Warns once per transport that a router does not store notifications (the deployment guide of the AMQP 1.0 driver). */
export class RouterNotice {
  #checked: DriverConnection | undefined;
  #given = false;

  /** Must be called before notifications are sent or received over this connection. */
  check(connection: DriverConnection): void {
    if (connection === this.#checked || this.#given) return;
    this.#checked = connection;
    const { kind, product, host } = connection.peer;
    if (kind !== "router") return;
    this.#given = true;
    connection.logger.warn(
      `notifications go through a router, ${product} at ${host}, which stores nothing: ` +
        "a notification fails when no listener accepts it in time; use a broker to store notifications",
    );
  }
}
