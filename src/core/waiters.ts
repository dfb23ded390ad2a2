import type { Deadline, WaitPhase } from "./deadlines.js";

interface Waiter<T> {
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

/**
 * Callers waiting for an event that may never come. A waiter that gives up is removed at once; a promise reaction would
 * leak.
 */
export class Waiters<T> {
  readonly #waiting = new Set<Waiter<T>>();

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves or rejects with all other waiters.
   *
   * @throws the reason for which the deadline ends, if it ends first.
   */
  wait(phase: WaitPhase, deadline: Deadline): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiting.add(waiter);
      deadline.beginWait(phase, (reason) => {
        this.#waiting.delete(waiter);
        reject(reason);
      });
    });
  }

  resolve(value: T): void {
    if (this.#waiting.size === 0) return;
    for (const waiter of this.#take()) waiter.resolve(value);
  }

  /** Resolves the longest waiting caller only. */
  resolveNext(value: T): void {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter);
      waiter.resolve(value);
      return;
    }
  }

  reject(error: Error): void {
    for (const waiter of this.#take()) waiter.reject(error);
  }

  #take(): Iterable<Waiter<T>> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }
}
