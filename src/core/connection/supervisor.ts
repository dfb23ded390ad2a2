import type { Deadline } from "../deadlines.js";
import { Deferred } from "../deferred.js";
import { ConnectionLost, toError } from "../errors.js";
import { isError } from "../kinds.js";
import type { Logger } from "../logger.js";
import { RecurringWarnings } from "../recurring-warnings.js";
import type { StatusSink } from "./status.js";

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

/**
 * Chooses the pauses between attempts to connect, and the order of the hosts. A round is over when each host has failed once
 * or has lost its connection.
 */
export interface RetryPolicy {
  /**
   * Length in milliseconds of the pause number `count`, from 1 since the back-off was reset. `random` is from 0, for the
   * shortest length, to 1, for the longest.
   */
  pauseMs(count: number, random: number): number;
  /** Length of the pause before the next host of the same round, in milliseconds. The default is `pauseMs`, after each attempt. */
  betweenHostsMs?(random: number): number;
  /** The hosts in the order of the next round. The default is the order in which they are given. */
  order?<H>(hosts: readonly H[], random: () => number): readonly H[];
}

export interface SupervisorOptions<H extends { readonly name: string }, L extends ManagedConnection> {
  hosts: readonly [H, ...H[]];
  /** Connects. `attempt` is that of the status. Rejects with the failure or with `signal.reason`. */
  open: (host: H, signal: AbortSignal, attempt: number) => Promise<L>;
  /** Called with each new connection, before the waiting callers get it. Must not throw. */
  whenConnected: (connection: L) => void;
  /** Whether a connection is needed although no caller waits for it: listeners need one. */
  isNeeded: () => boolean;
  retry: RetryPolicy;
  status: StatusSink;
  /** Each failure and loss is a warning, and the connection that follows it is an info. */
  logger: Logger;
  /** What the connection is for, at the end of a phrase in the log: " for publishing". Omitted: everything. */
  purpose?: string | undefined;
  /** Returns a number from 0 to below 1, which chooses the first host and the length of pauses. Default Math.random. */
  random?: (() => number) | undefined;
  /** Subscribes to events that may cut or restore the connection unnoticed. Returns a function that unsubscribes. */
  onWake?: ((wake: () => void) => () => void) | undefined;
}

/** Timeout for one attempt. TCP alone waits for minutes for a host that drops packets. */
const ATTEMPT_MS = 30_000;

/** Shortest life of a connection that resets the back-off. */
const STABLE_MS = 5_000;

/** A caller that waits for a connection. */
interface Waiter<L> {
  /** Attempts that may still fail before it gives up. */
  attemptsLeft: number;
  readonly result: Deferred<L>;
}

/**
 * Keeps one connection, never two at a time (oslo_messaging/_drivers/amqp1_driver/controller.py, Hosts and _hard_reset).
 * It cycles through the hosts from a random one, and goes on until `close` once it has been connected. Until then it goes
 * on while a caller waits or `isNeeded`. A refused password is retried like any other failure, and is reported by the
 * status and `lastError`.
 *
 * One difference from oslo: the back-off is reset by a connection that lasted for the present pause and at least 5 s, where
 * oslo resets it when a connection opens: a peer that opens and closes at once is dialled less and less often.
 */
export class Supervisor<H extends { readonly name: string }, L extends ManagedConnection> {
  readonly #options: SupervisorOptions<H, L>;
  #connection: L | undefined;
  readonly #waiters = new Set<Waiter<L>>();
  #warnings: RecurringWarnings;
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #unsubscribe: (() => void) | undefined;
  /** Aborts the present attempt. Undefined when none is under way. */
  #abort: AbortController | undefined;
  /** Ends the present pause. */
  #resume: () => void = () => {};
  /** Pauses since the back-off was reset. */
  #pauses = 0;
  /** Earliest time of the next attempt, on the clock of `performance.now()`. */
  #dueMs = 0;
  /** The hosts in the order of the present round. */
  #order: readonly H[] = [];
  /** Number of the next host. */
  #next: number | undefined;
  /** Failed attempts and lost connections since the back-off was reset. */
  #failures = 0;
  /** Attempts since the last connection. */
  #attempts = 0;
  #wasConnected = false;
  #host: H | undefined;
  #lastError: Error | undefined;

  constructor(options: SupervisorOptions<H, L>) {
    this.#options = options;
    this.#warnings = new RecurringWarnings(options.logger);
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
   * Resolves with the present or the next connection. Without `keepTrying` it ends a pause and tries each host once, without
   * further pauses. The failure of an attempt that is already under way does not count: its cause may be over.
   *
   * @throws the error of the last attempt, without `keepTrying`, when all have failed.
   * @throws the reason for which the deadline ends, if it ends first.
   * @throws ConnectionLost when closed.
   */
  async connect(deadline: Deadline, keepTrying: boolean): Promise<L> {
    if (this.live !== undefined) return this.live;
    if (this.#closing !== undefined) throw closed();
    const attempts = this.#options.hosts.length + (this.#abort === undefined ? 0 : 1);
    const waiter: Waiter<L> = {
      attemptsLeft: keepTrying ? Number.POSITIVE_INFINITY : attempts,
      result: new Deferred(),
    };
    try {
      return await deadline.wait("connecting", () => {
        this.#waiters.add(waiter);
        if (!keepTrying) this.#resume();
        this.start();
        return waiter.result.promise;
      });
    } finally {
      this.#waiters.delete(waiter);
      // An attempt goes on: calls with short timeouts would otherwise never get a connection that is slow to open.
      if (!this.#isWanted) this.#resume();
    }
  }

  /** Starts to connect if a connection is needed, unless already started or closed. */
  start(): void {
    if (!this.#isWanted) return;
    this.#unsubscribe ??= this.#options.onWake?.(() => this.#wake());
    this.#running ??= this.#keep();
  }

  /** Aborts the present attempt if nothing needs it any more. */
  release(): void {
    if (this.#isWanted) return;
    this.#giveUp(new ConnectionLost(`no connection to ${this.#host?.name} until the attempt was given up`));
  }

  /** Ends the connection and rejects all waiting callers. Resolves when the connection is closed. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const error = closed();
    for (const { result } of this.#waiters) result.reject(error);
    this.#giveUp(error);
    await this.#connection?.close();
    await this.#running;
    this.#unsubscribe?.();
    this.#options.status.set({ type: "closed" });
  }

  /** Ends the present attempt or pause. Such an attempt has not failed: it is not logged and counts for no caller. */
  #giveUp(reason: Error): void {
    this.#abort?.abort(reason);
    this.#abort = undefined;
    this.#resume();
  }

  get #isWanted(): boolean {
    if (this.#closing !== undefined) return false;
    return this.#wasConnected || this.#waiters.size > 0 || this.#options.isNeeded();
  }

  /** Whether a caller waits that does not keep trying: there is no pause. */
  get #isUrgent(): boolean {
    return [...this.#waiters].some(({ attemptsLeft }) => attemptsLeft < Number.POSITIVE_INFINITY);
  }

  /** Checks the present connection, or retries at once, after an event that may have cut or restored it. */
  #wake(): void {
    this.#resetBackOff();
    this.#dueMs = 0;
    this.#resume();
    this.live?.check();
  }

  #resetBackOff(): void {
    this.#pauses = 0;
    this.#failures = 0;
  }

  /** Makes one connection after another while they are wanted. A pause that was left goes on. */
  async #keep(): Promise<void> {
    const restMs = Math.round(this.#dueMs - performance.now());
    if (restMs > 0) this.#disconnected(restMs);
    while (this.#isWanted) {
      const pauseMs = Math.round(this.#dueMs - performance.now());
      if (pauseMs > 0 && !this.#isUrgent) await this.#pause(pauseMs);
      else await this.#attempt();
    }
    this.#running = undefined;
    if (this.#closing === undefined) this.#disconnected(undefined);
  }

  /** Makes a connection, and resolves when it has failed or is over. */
  async #attempt(): Promise<void> {
    const { hosts, retry, status, random = Math.random } = this.#options;
    if (this.#failures % hosts.length === 0) this.#order = retry.order?.(hosts, random) ?? hosts;
    this.#next ??= Math.floor(random() * hosts.length);
    const host = this.#order[this.#next++ % hosts.length] ?? hosts[0];
    this.#host = host;
    status.set({ type: "connecting", host: host.name, attempt: ++this.#attempts });
    const abort = new AbortController();
    this.#abort = abort;
    const timer = setTimeout(() => {
      abort.abort(new ConnectionLost(`no connection to ${host.name} within ${ATTEMPT_MS} ms`));
    }, ATTEMPT_MS);
    const opened = await this.#options.open(host, abort.signal, this.#attempts).catch(toError);
    clearTimeout(timer);
    const isGivenUp = this.#abort !== abort;
    this.#abort = undefined;
    if (!isError(opened)) {
      if (abort.signal.aborted)
        await opened.close(); // it opened at the moment of the abort
      else await this.#untilClosed(opened, host);
    } else if (isGivenUp) {
      this.#lastError ??= opened;
    } else {
      for (const waiter of this.#waiters) {
        if (--waiter.attemptsLeft > 0) continue;
        this.#waiters.delete(waiter);
        waiter.result.reject(opened);
      }
      this.#failed(host, opened);
    }
  }

  async #untilClosed(connection: L, host: H): Promise<void> {
    const { logger, status, retry, purpose = "" } = this.#options;
    const { product } = connection;
    const openedMs = performance.now();
    if (this.#wasConnected || this.#attempts > 1) logger.info(`connected to ${host.name}${purpose}`, { product });
    this.#connection = connection;
    this.#wasConnected = true;
    this.#attempts = 0;
    this.#lastError = undefined;
    status.set({ type: "connected", host: host.name, product });
    this.#options.whenConnected(connection);
    for (const { result } of this.#waiters) result.resolve(connection);
    this.#waiters.clear();
    const error = await connection.closed;
    this.#connection = undefined;
    if (this.#closing !== undefined) return;
    if (performance.now() - openedMs >= Math.max(STABLE_MS, retry.pauseMs(this.#pauses + 1, 1))) {
      this.#resetBackOff();
      this.#warnings = new RecurringWarnings(logger);
    }
    this.#failed(host, error);
  }

  /** Logs a failed attempt or a lost connection, and chooses the pause that follows. */
  #failed(host: H, error: Error | undefined): void {
    this.#lastError = error;
    const { hosts, retry, purpose = "", random = Math.random } = this.#options;
    const isRoundOver = ++this.#failures % hosts.length === 0;
    let pauseMs = 0;
    if (!this.#isUrgent) {
      const betweenMs = isRoundOver ? undefined : retry.betweenHostsMs?.(random());
      pauseMs = Math.round(betweenMs ?? retry.pauseMs(++this.#pauses, random()));
    }
    const why = error === undefined ? "closed by the peer" : `${error.message}${cureOf(error)}`;
    const when = pauseMs > 0 ? `in ${pauseMs / 1_000} s` : "at once";
    const next = this.#isWanted ? `; next attempt ${when}` : "";
    this.#warnings.warn(`${host.name} ${error?.name}`, `not connected to ${host.name}${purpose}: ${why}${next}`);
    this.#dueMs = performance.now() + pauseMs;
    if (this.#isWanted) this.#disconnected(pauseMs);
  }

  #disconnected(retryInMs: number | undefined): void {
    const { name = "" } = this.#host ?? {};
    this.#options.status.set({ type: "disconnected", host: name, error: this.#lastError, retryInMs });
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#dueMs = 0; // the timer's clock may be ahead of `performance.now()`
        resolve();
      }, ms);
      this.#resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#resume = () => {};
  }
}

/** What to check after a failure, where its cause is known. */
function cureOf(error: Error): string {
  if (error.name === "AuthenticationError") return " (check the user and the password)";
  return error.message.endsWith("connection refused") ? " (is the message bus running there?)" : "";
}

function closed(): ConnectionLost {
  return new ConnectionLost("the transport is closed");
}
