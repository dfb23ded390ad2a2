/// <reference lib="esnext.disposable" preserve="true" />
// Kept in the declarations, so that they compile in projects without this lib.
import { offAbort, onAbort } from "../../core/abort.js";
import { defineAsyncDispose } from "../../core/async-dispose.js";
import { Deferred } from "../../core/deferred.js";
import type { Logger } from "../../core/logger.js";
import type { DriverListener, ListenLimits, ListenOptions } from "../driver.js";
import { MessagingServerError, TaskTimeout } from "../exceptions.js";
import { abortSignal, checked, positiveMs } from "../options/option-checks.js";
import { stackText } from "../values/stack-text.js";
import { ConcurrencyLimit, type Release } from "./concurrency-limit.js";

/** Default of `concurrency`: items handled at once (oslo's `executor_thread_pool_size`). */
const DEFAULT_CONCURRENCY = 64;

/** Longest wait at the end for undelivered replies. A caller that is still connected accepts its reply sooner. */
const LAST_REPLIES_MS = 5_000;

/** The difference between RPC servers and notification listeners. An item takes one slot: it is a message or a batch. */
export interface MessageHandling<Item> {
  /** Name of the items, in plural. */
  name: string;
  /** Attaches the links. Once the listener that it resolves with has stopped, no item arrives any more. */
  listen(onItem: (item: Item) => void, options: ListenOptions): Promise<DriverListener>;
  /** Settles the item and replies, unless its link was lost. Errors are only logged. `release` frees the slot early. */
  handle(item: Item, release: Release): Promise<void>;
  concurrency: number | undefined;
  logger: Logger;
}

/**
 * Base of RPC servers and notification listeners (oslo_messaging/server.py). Call `start`, `stop` and `wait` in this
 * order; each may be repeated, and `start` works again after `stop`. A message that waits for one of the `concurrency`
 * slots is not acknowledged. The credit of links, or at RabbitMQ the prefetch count of consumers, bounds the messages that
 * are not acknowledged.
 */
export class MessageHandlingServer implements AsyncDisposable {
  /** Calls `stop`, then `wait`, for `await using`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  readonly #handling: MessageHandling<unknown>;
  #serverRun: ServerRun<unknown> | undefined;

  /** @internal The type of the items is unknown here: they only pass from `listen` to `handle`. */
  constructor(handling: MessageHandling<unknown>) {
    this.#handling = handling;
  }

  /**
   * Starts the server. Resolves when the peer has attached every link; at RabbitMQ when every queue is consumed. Keeps
   * trying until then; the first failure is logged at once. Lost links and consumers are started again automatically. While a
   * start is under way, a further one waits for it, and its options are ignored.
   *
   * @throws MessagingTimeout after `timeoutMs`, in milliseconds (default: no limit), with the last failure as `cause`. The
   *   server is then stopped.
   * @throws MessagingException at RabbitMQ when the broker refuses a queue or an exchange for a reason that does not pass:
   *   a missing permission, an exchange of another type, or a transient queue that RabbitMQ 4 may forbid. Its `cause` is the
   *   Amqp091Error.
   * @throws the reason of `signal`.
   * @throws MessagingServerError when the server is stopped meanwhile.
   * @throws ConfigurationError for a bad option; it names the option.
   */
  async start(options: { signal?: AbortSignal | undefined; timeoutMs?: number | undefined } = {}): Promise<void> {
    const limits = checked(options, { signal: abortSignal, timeoutMs: positiveMs });
    const previous = this.#serverRun;
    if (previous !== undefined && !previous.ending) return previous.attached;
    const run = new ServerRun(this.#handling, previous, limits);
    this.#serverRun = run;
    try {
      await run.attached;
    } catch (error) {
      if (this.#serverRun === run) this.#serverRun = previous;
      throw error;
    }
  }

  /** Resolves when no new messages arrive. Received messages are still handled and answered; then the links are closed. */
  async stop(): Promise<void> {
    await this.#serverRun?.stop();
  }

  /**
   * Resolves when the server has been stopped, all received messages are handled, and links or channels are closed. If only
   * replies remain and none is delivered for 5 s, the wait ends with a warning. Those replies are sent until they time out
   * or the transport is closed. Default of `timeoutMs`: no limit.
   *
   * @throws TaskTimeout when this takes longer than `timeoutMs`, in milliseconds. The server continues to stop.
   * @throws ConfigurationError for a bad option; it names the option.
   */
  async wait(options: { timeoutMs?: number | undefined } = {}): Promise<void> {
    const { timeoutMs } = checked(options, { timeoutMs: positiveMs });
    const run = this.#serverRun;
    if (run === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_, reject) => {
      if (timeoutMs === undefined) return;
      timer = setTimeout(() => reject(new TaskTimeout(run.unfinished(timeoutMs))), timeoutMs);
    });
    try {
      await Promise.race([run.over, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  static {
    defineAsyncDispose(MessageHandlingServer.prototype, async (server) => {
      await server.stop();
      await server.wait();
    });
  }
}

/** One run of a server, from its start until its links are detached. */
class ServerRun<Item> {
  readonly #handling: MessageHandling<Item>;
  readonly #limit: ConcurrencyLimit<Item>;
  readonly #stopCalled = new Deferred();
  readonly #stopped = new Deferred();
  #isStopCalled = false;
  #isStopped = false;
  /** Aborts the attaching of the links. Undefined once they are attached. */
  #giveUp: AbortController | undefined;
  readonly attached: Promise<void>;
  readonly over: Promise<void>;

  constructor(handling: MessageHandling<Item>, previous: ServerRun<Item> | undefined, limits: ListenLimits) {
    this.#handling = handling;
    const concurrency = handling.concurrency ?? DEFAULT_CONCURRENCY;
    this.#limit = new ConcurrencyLimit(concurrency, this.#handle);
    const giveUp = new AbortController();
    this.#giveUp = giveUp;
    const listening = this.#listen(previous?.stop(), giveUp, limits, concurrency);
    this.attached = listening.then(() => {});
    this.over = this.#live(listening, previous?.over);
  }

  get ending(): boolean {
    return this.#isStopCalled;
  }

  stop(): Promise<void> {
    this.#isStopCalled = true;
    this.#stopCalled.resolve();
    this.#giveUp?.abort(new MessagingServerError("the server was stopped before its links were attached"));
    return this.#stopped.promise;
  }

  unfinished(afterMs: number): string {
    return this.#isStopped
      ? `after ${afterMs} ms ${this.#limit.unfinishedItems} ${this.#handling.name} are unfinished`
      : `after ${afterMs} ms the server is not stopped`;
  }

  async #listen(
    previousStopped: Promise<void> | undefined,
    giveUp: AbortController,
    { signal, timeoutMs }: ListenLimits,
    concurrency: number,
  ): Promise<DriverListener> {
    const abort = () => giveUp.abort(signal?.reason);
    onAbort(signal, abort);
    if (signal?.aborted) abort();
    try {
      await previousStopped;
      giveUp.signal.throwIfAborted();
      const options = { signal: giveUp.signal, timeoutMs, concurrency };
      return await this.#handling.listen((item) => this.#limit.add(item), options);
    } finally {
      this.#giveUp = undefined;
      offAbort(signal, abort);
    }
  }

  /** Never rejects. `start` rejects with the error of `listen`; later errors are logged. */
  async #live(listening: Promise<DriverListener>, previousOver: Promise<void> | undefined): Promise<void> {
    try {
      const listener = await listening;
      await this.#stopCalled.promise;
      await this.#loggingErrors(() => listener.stop());
      this.#reachStopped();
      const replies = await this.#limit.idle(LAST_REPLIES_MS);
      if (replies > 0) {
        const { logger } = this.#handling;
        logger.warn(`stopping with ${replies} undelivered replies: their callers may have disconnected`);
      }
      await this.#loggingErrors(() => listener.close());
    } catch {
      this.#reachStopped();
    }
    await previousOver;
  }

  #reachStopped(): void {
    this.#isStopped = true;
    this.#stopped.resolve();
  }

  async #loggingErrors(end: () => Promise<void>): Promise<void> {
    try {
      await end();
    } catch (error) {
      this.#handling.logger.warn(`a listener failed to stop or close: ${stackText(error)}`);
    }
  }

  readonly #handle = async (item: Item, release: Release): Promise<void> => {
    try {
      await this.#handling.handle(item, release);
    } catch (error) {
      this.#handling.logger.error(`${this.#handling.name} could not be handled: ${stackText(error)}`);
    }
  };
}
