import type { Deadline, WaitPhase } from "./deadlines.js";

interface Waiter<T> {
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

/** Those who wait for what may take for ever. Who gives up is forgotten at once, as the reactions of a promise would not be. */
export class Waiters<T> {
  readonly #waiting = new Set<Waiter<T>>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves or rejects as they all are, or rejects with what ends the deadline. */
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

  /** The one that has waited longest. */
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
