/** The pauses of one connection before something is tried again. All of them end with the connection. */
export class Pauses {
  readonly #ms: number;
  readonly #ends = new Set<() => void>();
  #isOver = false;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Resolves after the time of the pauses, or at `end`. */
  pause(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#ends.delete(end);
        resolve();
      };
      const timer = setTimeout(end, this.#ms);
      this.#ends.add(end);
    });
  }

  /** Ends every pause. There are none from now on. */
  end(): void {
    this.#isOver = true;
    for (const end of [...this.#ends]) end();
  }
}
