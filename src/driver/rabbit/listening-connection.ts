import type { ConsumerContext } from "./consumer-context.js";
import { DriverConnection, type DriverConnectionInit } from "./driver-connection.js";

/** The connection of every consumer: those of listeners, and the one of replies. Nothing is published on it. */
export class ListeningConnection extends DriverConnection implements ConsumerContext {
  constructor(init: DriverConnectionInit) {
    super(init, "no messages from queue");
  }
}
