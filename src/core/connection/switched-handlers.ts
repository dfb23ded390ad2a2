import type { SocketHandlers } from "../byte-stream.js";
import type { Tap } from "../frames/frame-tap.js";

/**
 * The handlers that a dialler gets before the connection exists. Events that arrive before the first `handOver` are kept
 * for it. Afterwards the socket calls the functions of the present handlers directly. The first functions forward to them:
 * a dialler may have bound those.
 */
export class SwitchedHandlers implements SocketHandlers {
  data: SocketHandlers["data"];
  drain: SocketHandlers["drain"];
  close: SocketHandlers["close"];
  readonly #tap: Tap | undefined;
  #present: SocketHandlers | undefined;
  readonly #early: ((handlers: SocketHandlers) => void)[] = [];

  constructor(tap: Tap | undefined) {
    this.#tap = tap;
    this.data = (bytes) => {
      tap?.pass(bytes);
      this.#pass((present) => present.data(bytes));
    };
    this.drain = () => this.#present?.drain();
    this.close = (error) => this.#pass((present) => present.close(error));
  }

  handOver(handlers: SocketHandlers): void {
    const { data, drain, close } = handlers;
    const tap = this.#tap;
    const tapped = (bytes: Uint8Array): void => {
      tap?.pass(bytes);
      data(bytes);
    };
    this.#present = handlers;
    this.data = tap === undefined ? data : tapped;
    this.drain = drain;
    this.close = close;
    for (const event of this.#early.splice(0)) this.#pass(event);
  }

  /** Passes an event to the present handlers, or keeps it for the first ones. */
  #pass(event: (handlers: SocketHandlers) => void): void {
    if (this.#present === undefined) this.#early.push(event);
    else event(this.#present);
  }
}
