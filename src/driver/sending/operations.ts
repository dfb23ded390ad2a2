import type { Supervisor } from "../../core/connection/supervisor.js";
import { type Deadline, Deadlines } from "../../core/deadlines.js";
import type { DriverConnection } from "../amqp/driver-connection.js";
import { MessagingException } from "../exceptions.js";
import type { Host } from "../options/hosts.js";
import { SendOperation, type SendOperationInit } from "./send-operation.js";
import { type QueueLimits, SendQueue } from "./send-queue.js";

/** Everything that is under way, on whatever connection, so that it can be waited for and ended. */
export class Operations {
  readonly supervisor: Supervisor<Host, DriverConnection>;
  readonly deadlines = new Deadlines();
  readonly backlog: SendQueue;
  readonly #active = new Set<Deadline>();
  #closed = false;
  #onIdle: (() => void)[] = [];

  constructor(supervisor: Supervisor<Host, DriverConnection>, limits?: QueueLimits) {
    this.supervisor = supervisor;
    this.backlog = new SendQueue(limits);
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Begins with one message. Its `done` belongs in a `finally`. */
  start(init: SendOperationInit): SendOperation {
    if (this.#closed) throw closed();
    const shipment = new SendOperation(this, init);
    this.#active.add(shipment.deadline);
    return shipment;
  }

  /** Waits for something that has no limit but the caller's signal and the end of it all. */
  async wait<T>(signal: AbortSignal | undefined, begin: (deadline: Deadline) => Promise<T>): Promise<T> {
    if (this.#closed) throw closed();
    const deadline = this.deadlines.start({ signal, expired: closed });
    this.#active.add(deadline);
    try {
      return await begin(deadline);
    } finally {
      this.end(deadline);
    }
  }

  /** Resolves when nothing is under way any more, or after `graceMs`. */
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

  /** Ends what is under way, and takes nothing more. */
  close(): void {
    this.#closed = true;
    for (const deadline of [...this.#active]) deadline.expire();
  }

  /** What this deadline limits is over. */
  end(deadline: Deadline): void {
    deadline.done();
    this.#active.delete(deadline);
    if (this.#active.size > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

/** Nothing can be done with a transport any more. */
export function closed(): MessagingException {
  return new MessagingException("the transport is closed");
}
