import type { Deadline } from "./deadlines.js";
import { ConnectionLost, toError } from "./errors.js";
import type { StatusBoard } from "./status.js";

/** One connection from its open to its end, with whatever was built on it. */
export interface Life {
  /** False from the moment it is lost or being closed, which is before `closed` resolves. */
  readonly isOpen: boolean;
  /** Resolves, with the cause, when it is over. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** What the peer says it is. */
  readonly product: string | undefined;
  close(): Promise<void>;
}

export interface SupervisorOptions<H extends { readonly name: string }, L extends Life> {
  hosts: readonly [H, ...H[]];
  /** Connects; `attempt` is that of the status. Rejects when it cannot, or with `signal.reason`. */
  open: (host: H, signal: AbortSignal, attempt: number) => Promise<L>;
  /** Called when a life begins, before those who wait for it. Must not throw. */
  onLife: (life: L) => void;
  /** Pause after a failure; multiplied by `backoff` after each further one, up to `maxMs`. */
  retry: { intervalMs: number; backoff: number; maxMs: number };
  status: StatusBoard;
  /** Chooses the first host: from 0 to below 1. */
  random?: (() => number) | undefined;
}

/** How long one attempt may take. TCP alone would wait for minutes on a host that swallows packets. */
const ATTEMPT_MS = 30_000;

/**
 * Lives one after another, never two at a time (oslo_messaging/_drivers/amqp1_driver/controller.py, Hosts and
 * _hard_reset): from the first use on it connects, and connects again, going round the hosts from a random one, until
 * closed. A refused password is tried again like any other failure; the status and `lastError` tell of it.
 */
export class Supervisor<H extends { readonly name: string }, L extends Life> {
  readonly #options: SupervisorOptions<H, L>;
  #life: L | undefined;
  #next = new NextLife<L>();
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #interrupt: (reason: Error) => void = () => {};
  #host: H | undefined;
  #lastError: Error | undefined;

  constructor(options: SupervisorOptions<H, L>) {
    this.#options = options;
  }

  /** The present life, while it is good. */
  get life(): L | undefined {
    return this.#life?.isOpen ? this.#life : undefined;
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
    return this.life ?? (await deadline.wait("connecting", this.#next.promise));
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
    const error = new ConnectionLost("the transport is closed");
    this.#next.reject(error);
    this.#interrupt(error);
    await this.#life?.close();
    await this.#running;
    this.#options.status.set({ type: "closed" });
  }

  async #run(): Promise<void> {
    const { hosts, retry, status, random = Math.random } = this.#options;
    let index = Math.floor(random() * hosts.length);
    let delayMs = retry.intervalMs;
    for (let attempt = 1; this.#closing === undefined; attempt++) {
      const host = hosts[index % hosts.length] ?? hosts[0];
      this.#host = host;
      status.set({ type: "connecting", host: host.name, attempt });
      const life = await this.#open(host, attempt);
      if (!(life instanceof Error)) {
        attempt = 0;
        delayMs = retry.intervalMs;
      }
      const error = life instanceof Error ? life : await this.#live(life, host);
      if (this.#closing !== undefined) return;
      this.#lastError = error;
      status.set({ type: "disconnected", host: host.name, error, retryInMs: delayMs });
      await this.#pause(delayMs);
      delayMs = Math.min(delayMs * Math.max(1, retry.backoff), Math.max(retry.maxMs, retry.intervalMs));
      index++;
    }
  }

  async #open(host: H, attempt: number): Promise<L | Error> {
    const abort = new AbortController();
    this.#interrupt = (reason) => abort.abort(reason);
    const timer = setTimeout(() => {
      abort.abort(new ConnectionLost(`no connection to ${host.name} within ${ATTEMPT_MS} ms`));
    }, ATTEMPT_MS);
    try {
      return await this.#options.open(host, abort.signal, attempt);
    } catch (thrown) {
      return toError(thrown);
    } finally {
      clearTimeout(timer);
      this.#interrupt = () => {};
    }
  }

  async #live(life: L, host: H): Promise<Error | undefined> {
    if (this.#closing !== undefined) {
      await life.close();
      return undefined;
    }
    this.#life = life;
    this.#lastError = undefined;
    this.#options.status.set({ type: "connected", host: host.name, product: life.product });
    this.#options.onLife(life);
    const { resolve } = this.#next;
    this.#next = new NextLife();
    resolve(life);
    const error = await life.closed;
    this.#life = undefined;
    return error;
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#interrupt = () => {};
  }
}

/** The life to come, which any number may wait for, or nobody. */
class NextLife<L> {
  resolve: (life: L) => void = () => {};
  reject: (error: Error) => void = () => {};
  readonly promise = new Promise<L>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor() {
    this.promise.catch(() => {});
  }
}
