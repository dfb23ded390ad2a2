import type { Deadline } from "../deadlines.js";
import { ConnectionLost, toError } from "../errors.js";
import { isError } from "../kinds.js";
import { Waiters } from "../waiters.js";
import type { StatusFeed } from "./status.js";

/** One connection from its open to its end, with the links that are built on it. */
export interface ManagedConnection {
  /** False as soon as the connection is lost or closing, before `closed` resolves. */
  readonly isOpen: boolean;
  /** Resolves with the cause when the connection is over. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Product name that the peer reports. */
  readonly product: string | undefined;
  /** Checks at once whether the connection still works. A dead connection ends. */
  check(): void;
  close(): Promise<void>;
}

export interface SupervisorOptions<H extends { readonly name: string }, L extends ManagedConnection> {
  hosts: readonly [H, ...H[]];
  /** Connects. `attempt` is that of the status. Rejects with the failure or with `signal.reason`. */
  open: (host: H, signal: AbortSignal, attempt: number) => Promise<L>;
  /** Called with each new connection, before the waiting callers get it. Must not throw. */
  whenConnected: (connection: L) => void;
  /** Longest pause after a failure. It is multiplied by `backoff` after each further failure, up to `maxMs`. */
  retry: { intervalMs: number; backoff: number; maxMs: number };
  status: StatusFeed;
  /** Returns a number from 0 to below 1, which chooses the first host and the length of pauses. Default Math.random. */
  random?: (() => number) | undefined;
  /** Subscribes to events that may cut or restore the connection unnoticed. Returns a function that unsubscribes. */
  onWake?: ((wake: () => void) => () => void) | undefined;
}

/** Timeout for one attempt. TCP alone waits for minutes for a host that drops packets. */
const ATTEMPT_MS = 30_000;

/**
 * Keeps one connection, never two at a time, from the first use until `close`
 * (oslo_messaging/_drivers/amqp1_driver/controller.py, Hosts and _hard_reset). It reconnects after a loss, and cycles
 * through the hosts from a random one. A refused password is retried like any other failure, and is reported by the
 * status and `lastError`. Half of each pause is random, unlike oslo's: clients that are disconnected together must not
 * reconnect together.
 */
export class Supervisor<H extends { readonly name: string }, L extends ManagedConnection> {
  readonly #options: SupervisorOptions<H, L>;
  #connection: L | undefined;
  /** Callers waiting for the next connection. */
  readonly #waiters = new Waiters<L>();
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Aborts the present attempt. */
  #abort: (reason: Error) => void = () => {};
  /** Ends the present pause. */
  #resume: () => void = () => {};
  #delayMs: number;
  #host: H | undefined;
  #lastError: Error | undefined;

  constructor(options: SupervisorOptions<H, L>) {
    this.#options = options;
    this.#delayMs = options.retry.intervalMs;
  }

  /** The present connection, while it is open. */
  get live(): L | undefined {
    return this.#connection?.isOpen ? this.#connection : undefined;
  }

  /** The host of the present connection or the last attempt. */
  get host(): H | undefined {
    return this.#host;
  }

  /** Cause of the last failed attempt or lost connection. Undefined while connected. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /**
   * Resolves with the present or the next connection.
   *
   * @throws the reason for which the deadline ends, if it ends first.
   * @throws ConnectionLost when closed.
   */
  async current(deadline: Deadline): Promise<L> {
    this.start();
    if (this.live !== undefined) return this.live;
    if (this.#closing !== undefined) throw closed();
    return await this.#waiters.wait("connecting", deadline);
  }

  /** Starts to connect, unless already started or closed. */
  start(): void {
    if (this.#closing === undefined) this.#running ??= this.#run();
  }

  /** Ends the connection and rejects all waiting callers. Resolves when the connection is closed. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const error = closed();
    this.#waiters.reject(error);
    this.#abort(error);
    this.#resume();
    await this.#connection?.close();
    await this.#running;
    this.#options.status.set({ type: "closed" });
  }

  async #run(): Promise<void> {
    const unsubscribe = this.#options.onWake?.(() => this.#wake());
    await this.#keep();
    unsubscribe?.();
  }

  /** Checks the present connection, or retries at once, after an event that may have cut or restored it. */
  #wake(): void {
    this.#delayMs = this.#options.retry.intervalMs;
    this.#resume();
    this.live?.check();
  }

  async #keep(): Promise<void> {
    const { hosts, retry, status, random = Math.random } = this.#options;
    let index = Math.floor(random() * hosts.length);
    for (let attempt = 1; this.#closing === undefined; attempt++) {
      const host = hosts[index % hosts.length] ?? hosts[0];
      this.#host = host;
      status.set({ type: "connecting", host: host.name, attempt });
      const opened = await this.#open(host, attempt);
      if (!isError(opened)) {
        attempt = 0;
        this.#delayMs = retry.intervalMs;
      }
      const error = isError(opened) ? opened : await this.#untilClosed(opened, host);
      if (this.#closing !== undefined) return;
      this.#lastError = error;
      const delayMs = this.#delayMs;
      this.#delayMs = Math.min(delayMs * Math.max(1, retry.backoff), Math.max(retry.maxMs, retry.intervalMs));
      const retryInMs = Math.round(delayMs / 2 + (random() * delayMs) / 2);
      status.set({ type: "disconnected", host: host.name, error, retryInMs });
      await this.#pause(retryInMs);
      index++;
    }
  }

  async #open(host: H, attempt: number): Promise<L | Error> {
    const abort = new AbortController();
    this.#abort = (reason) => abort.abort(reason);
    const timer = setTimeout(() => {
      abort.abort(new ConnectionLost(`no connection to ${host.name} within ${ATTEMPT_MS} ms`));
    }, ATTEMPT_MS);
    try {
      return await this.#options.open(host, abort.signal, attempt);
    } catch (thrown) {
      return toError(thrown);
    } finally {
      clearTimeout(timer);
      this.#abort = () => {};
    }
  }

  async #untilClosed(connection: L, host: H): Promise<Error | undefined> {
    if (this.#closing !== undefined) {
      await connection.close();
      return undefined;
    }
    this.#connection = connection;
    this.#lastError = undefined;
    this.#options.status.set({ type: "connected", host: host.name, product: connection.product });
    this.#options.whenConnected(connection);
    this.#waiters.resolve(connection);
    const error = await connection.closed;
    this.#connection = undefined;
    return error;
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#resume = () => {};
  }
}

function closed(): ConnectionLost {
  return new ConnectionLost("the transport is closed");
}
