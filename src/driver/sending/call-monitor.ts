import { offAbort, onAbort } from "../../core/abort.js";

/**
 * The second timeout of a call, which each heartbeat of the server restarts (oslo's RPCMonitoredCallTask). It runs from the
 * start of the call, as in oslo. Its signal is aborted when it passes, and when the caller's own signal is.
 */
export class CallMonitor {
  readonly #ms: number;
  readonly #signal: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #onAbort = (): void => this.#controller.abort(this.#signal?.reason);
  #silent: () => Error = () => new Error("no heartbeat");
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number, signal: AbortSignal | undefined) {
    this.#ms = ms;
    this.#signal = signal;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** `silent` makes the error for a call whose server sent no heartbeat in time. */
  start(silent: () => Error): void {
    this.#silent = silent;
    onAbort(this.#signal, this.#onAbort);
    if (this.#signal?.aborted) this.#onAbort();
    this.restart();
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(this.#silent()), this.#ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
    offAbort(this.#signal, this.#onAbort);
  }
}
