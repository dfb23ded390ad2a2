import type { DriverConnection } from "./driver-connection.js";

/** Warns, once a transport, that notifications go through what does not keep them (the deployment guide of the AMQP 1.0 driver). */
export class RouterNotice {
  #checked: DriverConnection | undefined;
  #given = false;

  /** Before notifications go over this connection, or come. */
  check(bus: DriverConnection): void {
    if (bus === this.#checked || this.#given) return;
    this.#checked = bus;
    const { kind, product, host } = bus.peer;
    if (kind !== "router") return;
    this.#given = true;
    bus.logger.warn(
      `notifications go through a router, ${product} at ${host}, which stores nothing: each waits for a listener to take it, ` +
        "and fails when none has in time. Only a broker keeps them while nobody listens.",
    );
  }
}
