/** Releases the slot to the next item, while this item only waits: for its reply to be sent, for example. */
export type Release = () => void;

type Work<T> = (item: T, release: Release) => Promise<void>;

/** Most unfinished items per slot, including those that have released their slot: without a limit these could pile up. */
const UNFINISHED_PER_SLOT = 16;

/** Works on at most `size` items at once. The others wait in order of arrival. */
export class ConcurrencyLimit<T> {
  readonly #size: number;
  readonly #work: Work<T>;
  readonly #waiting: T[] = [];
  #taken = 0;
  #unfinished = 0;
  readonly #watchers = new Set<() => void>();

  /** `work` must not reject. */
  constructor(size: number, work: Work<T>) {
    this.#size = size;
    this.#work = work;
  }

  /** Items that wait or are unfinished. */
  get unfinishedItems(): number {
    return this.#waiting.length + this.#unfinished;
  }

  get #full(): boolean {
    return this.#taken >= this.#size || this.#unfinished >= this.#size * UNFINISHED_PER_SLOT;
  }

  add(item: T): void {
    if (this.#full) this.#waiting.push(item);
    else void this.#begin(item);
  }

  /**
   * Resolves with 0 when all items are finished. When only items remain that have released their slot and none of them
   * finishes for `quietMs`, resolves with their number.
   */
  idle(quietMs: number): Promise<number> {
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = (): void => {
        this.#watchers.delete(check);
        resolve(this.unfinishedItems);
      };
      const onlyReleased = (): boolean => this.#taken === 0 && this.#waiting.length === 0;
      const check = (): void => {
        clearTimeout(timer);
        if (this.unfinishedItems === 0) end();
        else if (onlyReleased()) timer = setTimeout(() => onlyReleased() && end(), quietMs);
      };
      this.#watchers.add(check);
      check();
    });
  }

  async #begin(item: T): Promise<void> {
    this.#taken += 1;
    this.#unfinished += 1;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      this.#taken -= 1;
      this.#beginNext();
      this.#notify();
    };
    await this.#work(item, release);
    this.#unfinished -= 1;
    release();
    this.#beginNext();
    this.#notify();
  }

  /** The check of the size is for speed: an iteration over an empty set would cost something with every message. */
  #notify(): void {
    if (this.#watchers.size > 0) for (const check of this.#watchers) check();
  }

  #beginNext(): void {
    const next = this.#full ? undefined : this.#waiting.shift();
    if (next !== undefined) void this.#begin(next);
  }
}
