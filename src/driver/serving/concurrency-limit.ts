/** Gives the slot to the next item, while the work on this one goes on with something that takes none of our time. */
export type Release = () => void;

type Work<T> = (item: T, release: Release) => Promise<void>;

/** How many items may be unfinished for each slot, once they have given theirs back: there must be a limit. */
const UNFINISHED_PER_SLOT = 16;

/** At most `size` items in work at once. The others wait, in the order in which they came. */
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

  /** How many wait or are unfinished. */
  get inHand(): number {
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
   * Resolves with 0 when nothing is in hand; or when nothing is but items that have given their slot back, and for
   * `patienceMs` none of them has got finished: then with how many there are.
   */
  idle(patienceMs: number): Promise<number> {
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = (): void => {
        this.#watchers.delete(look);
        resolve(this.inHand);
      };
      const isCalm = (): boolean => this.#taken === 0 && this.#waiting.length === 0;
      const look = (): void => {
        clearTimeout(timer);
        if (this.inHand === 0) end();
        else if (isCalm()) timer = setTimeout(() => isCalm() && end(), patienceMs);
      };
      this.#watchers.add(look);
      look();
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
      this.#tell();
    };
    await this.#work(item, release);
    this.#unfinished -= 1;
    release();
    this.#beginNext();
    this.#tell();
  }

  /** To iterate over nobody would cost something with every message. */
  #tell(): void {
    if (this.#watchers.size > 0) for (const look of this.#watchers) look();
  }

  #beginNext(): void {
    const next = this.#full ? undefined : this.#waiting.shift();
    if (next !== undefined) void this.#begin(next);
  }
}
