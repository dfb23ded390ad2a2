interface Waiter<T> {
  take(value: T): boolean;
  fail(error: Error): void;
}

/** What came in, in order, for whoever waits for it: each thing is taken once, whether it came before it was asked for or after. */
export class Inbox<T> {
  readonly #name: string;
  readonly #unread: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();
  #end: Error | undefined;

  /** @param name Whose it is, for the messages of failures. */
  constructor(name: string) {
    this.#name = name;
  }

  get unread(): readonly T[] {
    return this.#unread;
  }

  put(value: T): void {
    for (const waiter of this.#waiters) {
      if (waiter.take(value)) return;
    }
    this.#unread.push(value);
  }

  /** Nothing more will come. */
  end(cause: Error): void {
    this.#end = cause;
    for (const waiter of this.#waiters) waiter.fail(cause);
  }

  /**
   * Resolves with what `pick` makes of the first thing that it wants (does not answer with undefined). Rejects when the
   * end comes before, or after `timeoutMs`, naming `what` was waited for.
   */
  async take<R>(what: string, pick: (value: T) => R | undefined, timeoutMs = 20_000): Promise<R> {
    for (const [index, value] of this.#unread.entries()) {
      const picked = pick(value);
      if (picked === undefined) continue;
      this.#unread.splice(index, 1);
      return picked;
    }
    if (this.#end !== undefined) throw this.#failure(what, this.#end);
    return await new Promise<R>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter<T> = {
        take: (value) => {
          const picked = pick(value);
          if (picked === undefined) return false;
          settle();
          resolve(picked);
          return true;
        },
        fail: (cause) => {
          settle();
          reject(this.#failure(what, cause));
        },
      };
      const timer = setTimeout(() => waiter.fail(new Error(`${timeoutMs} ms have passed`)), timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  #failure(what: string, cause: Error): Error {
    const unread = this.#unread.slice(-20).map((value) => `\n  ${JSON.stringify(value)}`);
    return new Error(`${this.#name} did not come to ${what}: ${cause.message}\nunread:${unread.join("")}`, { cause });
  }
}
