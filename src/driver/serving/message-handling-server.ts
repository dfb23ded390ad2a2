/// <reference lib="esnext.disposable" preserve="true" />
// Kept in the declarations: they compile where nobody has asked for this lib.
import { defineAsyncDispose } from "../../core/async-dispose.js";
import { Deferred } from "../../core/deferred.js";
import type { Logger } from "../../core/logger.js";
import { LONGEST_TIMER_MS } from "../../core/timers.js";
import type { DriverListener } from "../driver.js";
import { MessagingServerError, TaskTimeout } from "../exceptions.js";
import { abortSignal, checked, positiveMs } from "../options/option-checks.js";
import { stackText } from "../values/stack-text.js";
import { ConcurrencyLimit, type Release } from "./concurrency-limit.js";

/** How many items are handled at once unless `concurrency` says otherwise (oslo's `executor_thread_pool_size`). */
const DEFAULT_CONCURRENCY = 64;

/** How long replies that nobody takes are waited for at the end: their callers are gone, or take them within less. */
const LAST_REPLIES_MS = 5_000;

/** What makes a server of messages an RPC server or a notification listener. An item is what takes a slot: a message, or several. */
export interface MessageHandling<Item> {
  /** Of items, in plural. */
  name: string;
  /** Attaches the links. When what it resolves with has stopped, no item comes any more. */
  listen(on: (item: Item) => void, signal: AbortSignal): Promise<DriverListener>;
  /** Settles and answers what is not orphaned. What it throws is only logged. `release` gives its slot to the next one early. */
  handle(item: Item, release: Release): Promise<void>;
  concurrency: number | undefined;
  logger: Logger;
}

/**
 * What RPC servers and notification listeners have in common (oslo_messaging/server.py): start, stop, wait, in this
 * order, each as often as one likes; after `stop` it can be started again. A message that waits for one of the
 * `concurrency` slots is not acknowledged, and its link's credit comes back only when it is: nothing piles up here.
 */
export class MessageHandlingServer implements AsyncDisposable {
  /** `stop`, then `wait`: for `await using`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  readonly #handling: MessageHandling<unknown>;
  #serverRun: ServerRun<unknown> | undefined;

  /** @internal Whatever its items are: they go from its `listen` to its `handle` and nowhere else. */
  constructor(handling: MessageHandling<unknown>) {
    this.#handling = handling;
  }

  /**
   * Resolves when the peer has attached every link; from then on they are attached again by themselves when they are lost.
   *
   * @throws the reason of `signal`; MessagingServerError when it is stopped meanwhile; ConfigurationError for a bad option,
   *   by name.
   */
  async start(options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = checked(options, { signal: abortSignal });
    const previous = this.#serverRun;
    if (previous !== undefined && !previous.ending) return previous.attached;
    const run = new ServerRun(this.#handling, previous, signal);
    this.#serverRun = run;
    try {
      await run.attached;
    } catch (error) {
      if (this.#serverRun === run) this.#serverRun = previous;
      throw error;
    }
  }

  /** Resolves when no new messages come. Those in hand are still handled and answered; then the links are detached. */
  async stop(): Promise<void> {
    await this.#serverRun?.stop();
  }

  /**
   * Resolves when the server has been stopped, what was in hand is done, and the links are detached. Replies that nobody has
   * taken for 5 s are not waited for: they go on until their time is up or the transport is closed.
   *
   * @throws TaskTimeout when that takes longer than `timeoutMs`; it goes on all the same.
   */
  async wait(options: { timeoutMs?: number | undefined } = {}): Promise<void> {
    const { timeoutMs } = checked(options, { timeoutMs: positiveMs });
    const run = this.#serverRun;
    if (run === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_, reject) => {
      if (timeoutMs === undefined) return;
      timer = setTimeout(
        () => reject(new TaskTimeout(run.unfinished(timeoutMs))),
        Math.min(timeoutMs, LONGEST_TIMER_MS),
      );
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

/** From one start until the links are detached. */
class ServerRun<Item> {
  readonly #handling: MessageHandling<Item>;
  readonly #slots: ConcurrencyLimit<Item>;
  readonly #stopCalled = new Deferred();
  readonly #stopped = new Deferred();
  #isStopCalled = false;
  #isStopped = false;
  /** While the links are not attached. */
  #giveUp: AbortController | undefined;
  readonly attached: Promise<void>;
  readonly over: Promise<void>;

  constructor(handling: MessageHandling<Item>, previous: ServerRun<Item> | undefined, signal: AbortSignal | undefined) {
    this.#handling = handling;
    this.#slots = new ConcurrencyLimit(handling.concurrency ?? DEFAULT_CONCURRENCY, (item, release) =>
      this.#handle(item, release),
    );
    const giveUp = new AbortController();
    this.#giveUp = giveUp;
    const listening = this.#listen(previous?.stop(), giveUp, signal);
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
      ? `after ${afterMs} ms ${this.#slots.inHand} ${this.#handling.name} are still in hand`
      : `after ${afterMs} ms the server is not stopped`;
  }

  async #listen(
    previousStopped: Promise<void> | undefined,
    giveUp: AbortController,
    signal: AbortSignal | undefined,
  ): Promise<DriverListener> {
    const onAbort = () => giveUp.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) onAbort();
    try {
      await previousStopped;
      giveUp.signal.throwIfAborted();
      return await this.#handling.listen((item) => this.#slots.add(item), giveUp.signal);
    } finally {
      this.#giveUp = undefined;
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Never rejects: `start` tells why it could not listen, the rest can only be logged. */
  async #live(listening: Promise<DriverListener>, previousOver: Promise<void> | undefined): Promise<void> {
    try {
      const listener = await listening;
      await this.#stopCalled.promise;
      await this.#quietly(() => listener.stop());
      this.#reachStopped();
      const replies = await this.#slots.idle(LAST_REPLIES_MS);
      if (replies > 0) this.#handling.logger.warn(`${replies} replies wait for callers that may be gone`);
      await this.#quietly(() => listener.close());
    } catch {
      this.#reachStopped();
    }
    await previousOver;
  }

  #reachStopped(): void {
    this.#isStopped = true;
    this.#stopped.resolve();
  }

  async #quietly(end: () => Promise<void>): Promise<void> {
    try {
      await end();
    } catch (error) {
      this.#handling.logger.warn(`a listener did not end in order: ${stackText(error)}`);
    }
  }

  async #handle(item: Item, release: Release): Promise<void> {
    try {
      await this.#handling.handle(item, release);
    } catch (error) {
      this.#handling.logger.error(`${this.#handling.name} could not be handled: ${stackText(error)}`);
    }
  }
}
