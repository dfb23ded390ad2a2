import type { Deadline } from "../deadlines.js";
import { ConnectionLost, toError } from "../errors.js";
import { Waiters } from "../waiters.js";
import type { StatusFeed } from "./status.js";

/** One connection from its open to its end, with whatever was built on it. */
export interface ManagedConnection {
  /** False from the moment it is lost or being closed, which is before `closed` resolves. */
  readonly isOpen: boolean;
  /** Resolves, with the cause, when it is over. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** What the peer says it is. */
  readonly product: string | undefined;
  /** Looks at once whether it is still good; when it is not, that ends it. */
  check(): void;
  close(): Promise<void>;
}

export interface SupervisorOptions<H extends { readonly name: string }, L extends ManagedConnection> {
  hosts: readonly [H, ...H[]];
  /** Connects; `attempt` is that of the status. Rejects when it cannot, or with `signal.reason`. */
  open: (host: H, signal: AbortSignal, attempt: number) => Promise<L>;
  /** Called when a life begins, before those who wait for it. Must not throw. */
  whenConnected: (life: L) => void;
  /** The longest pause after a failure; multiplied by `backoff` after each further one, up to `maxMs`. */
  retry: { intervalMs: number; backoff: number; maxMs: number };
  status: StatusFeed;
  /** Chooses the first host and the length of pauses: from 0 to below 1. */
  random?: (() => number) | undefined;
  /** Subscribes to what may have cut or restored the connection unnoticed; gives what ends that. */
  onWake?: ((wake: () => void) => () => void) | undefined;
}

/** How long one attempt may take. TCP alone would wait for minutes on a host that swallows packets. */
const ATTEMPT_MS = 30_000;

/**
 * Lives one after another, never two at a time (oslo_messaging/_drivers/amqp1_driver/controller.py, Hosts and
 * _hard_reset): from the first use on it connects, and connects again, going round the hosts from a random one, until
 * closed. A refused password is tried again like any other failure; the status and `lastError` tell of it. Half of each
 * pause is random, which oslo's is not: those who were cut off together must not come back together.
 */
export class Supervisor<H extends { readonly name: string }, L extends ManagedConnection> {
  readonly #options: SupervisorOptions<H, L>;
  #connection: L | undefined;
  /** For the next life. */
  readonly #waiters = new Waiters<L>();
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Ends the present attempt. */
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

  /** The present life, while it is good. */
  get live(): L | undefined {
    return this.#connection?.isOpen ? this.#connection : undefined;
  }

  /** The host that is connected, or was tried last. */
  get host(): H | undefined {
    return this.#host;
  }

  /** Why the newest attempt failed, or the newest life ended. Undefined while there is a life. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** The present life, or the next one as soon as there is. Rejects with what ends the deadline, and when closed. */
  async current(deadline: Deadline): Promise<L> {
    this.start();
    if (this.live !== undefined) return this.live;
    if (this.#closing !== undefined) throw closed();
    return await this.#waiters.wait("connecting", deadline);
  }

  /** Connects, if that has not begun yet. */
  start(): void {
    if (this.#closing === undefined) this.#running ??= this.#run();
  }

  /** Ends what there is, and everyone who waits. Resolves when the connection is closed. Idempotent. */
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

  /** Something has happened to the network, or to us: what is there is checked, what is not is tried, without delay. */
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
      const life = await this.#open(host, attempt);
      if (!(life instanceof Error)) {
        attempt = 0;
        this.#delayMs = retry.intervalMs;
      }
      const error = life instanceof Error ? life : await this.#untilClosed(life, host);
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

  async #untilClosed(life: L, host: H): Promise<Error | undefined> {
    if (this.#closing !== undefined) {
      await life.close();
      return undefined;
    }
    this.#connection = life;
    this.#lastError = undefined;
    this.#options.status.set({ type: "connected", host: host.name, product: life.product });
    this.#options.whenConnected(life);
    this.#waiters.resolve(life);
    const error = await life.closed;
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
