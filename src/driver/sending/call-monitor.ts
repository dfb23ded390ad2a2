/**
 * The second limit of a call, which heartbeats of the server put off (oslo's RPCMonitoredCallTask). It runs from the start
 * of the call, as there; its end is the abort of a signal, which it passes the caller's own on by.
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
    signal?.addEventListener("abort", this.#onAbort);
    if (signal?.aborted) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** `silent` makes the error for a call that no heartbeat came for. */
  start(silent: () => Error): void {
    this.#silent = silent;
    this.restart();
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(this.#silent()), this.#ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}
