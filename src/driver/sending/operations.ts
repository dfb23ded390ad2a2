import { type Deadline, type DeadlineInit, Deadlines } from "../../core/deadlines.js";
import type { Logger } from "../../core/logger.js";
import type { Peer } from "../driver.js";
import { MessagingException } from "../exceptions.js";
import { type QueueLimits, SendQueue } from "./send-queue.js";

/** The part of a driver's connection that operations use. */
export interface SendingConnection {
  readonly isOpen: boolean;
  /** Cause of the connection's end. Undefined while it is open, and when it was closed here. */
  readonly endedBy: Error | undefined;
  readonly logger: Logger;
  /** True when receivers recognise a repeated message: one of unknown fate is sent again. */
  readonly repeatsAreRecognised: boolean;
  readonly peer: Pick<Peer, "kind">;
  /** Error of this address while it is refused. */
  refusalOf(address: string): Error | undefined;
  /** The wait before a returned message is sent again. Resolves after `link_retry_delay`, or when the connection ends. */
  pause(): Promise<void>;
}

/** The connections of a driver, one after another. */
export interface Connections<C extends SendingConnection> {
  /** The present connection, while it is open. */
  readonly live: C | undefined;
  /** The host that is connected, or was tried last. */
  readonly host: { readonly name: string } | undefined;
  /** Error of the newest attempt. Undefined while there is a connection. */
  readonly lastError: Error | undefined;
  /** The present connection, or the next one. Rejects with what ends the deadline. */
  connect(deadline: Deadline, keepTrying: true): Promise<C>;
}

/** The running operations of a driver: sends, connects, probes, listens and waits for room. They can be awaited and ended. */
export class Operations<C extends SendingConnection> {
  readonly connections: Connections<C>;
  readonly queue: SendQueue;
  readonly #deadlines = new Deadlines();
  readonly #active = new Set<Deadline>();
  #closed = false;
  #onIdle: (() => void)[] = [];

  constructor(connections: Connections<C>, limits?: QueueLimits) {
    this.connections = connections;
    this.queue = new SendQueue(limits);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Starts the deadline of an operation. Call `end` in a `finally`. Throws MessagingException after `close`. */
  start(init: DeadlineInit): Deadline {
    if (this.#closed) throw transportClosed();
    const deadline = this.#deadlines.start(init);
    this.#active.add(deadline);
    return deadline;
  }

  end(deadline: Deadline): void {
    deadline.done();
    this.#active.delete(deadline);
    if (this.#active.size > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** Runs an operation within its limits. */
  async wait<T>(limits: DeadlineInit, begin: (deadline: Deadline) => Promise<T>): Promise<T> {
    const deadline = this.start(limits);
    try {
      return await begin(deadline);
    } finally {
      this.end(deadline);
    }
  }

  /** Resolves when no operation is left, or after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    if (this.#active.size === 0 || graceMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onIdle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Ends every operation. `start` throws from now on. */
  close(): void {
    this.#closed = true;
    for (const deadline of [...this.#active]) deadline.expire();
  }
}

export function transportClosed(): MessagingException {
  return new MessagingException("the transport is closed");
}
