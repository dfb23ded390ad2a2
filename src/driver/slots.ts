/** Gives the slot to the next item, while the work on this one goes on with something that takes none of our time. */
export type FreeSlot = () => void;

type Work<T> = (item: T, free: FreeSlot) => Promise<void>;

/** How many items may be unfinished for each slot, once they have given theirs back: there must be a limit. */
const UNFINISHED_PER_SLOT = 16;

/** At most `size` items in work at once. The others wait, in the order in which they came. */
export class Slots<T> {
  readonly #size: number;
  readonly #work: Work<T>;
  readonly #waiting: T[] = [];
  #taken = 0;
  #unfinished = 0;
  #onIdle: (() => void)[] = [];

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

  /** Resolves when nothing is in hand. */
  idle(): Promise<void> {
    return this.inHand === 0 ? Promise.resolve() : new Promise((resolve) => this.#onIdle.push(resolve));
  }

  async #begin(item: T): Promise<void> {
    this.#taken += 1;
    this.#unfinished += 1;
    let freed = false;
    const free = (): void => {
      if (freed) return;
      freed = true;
      this.#taken -= 1;
      this.#beginNext();
    };
    await this.#work(item, free);
    this.#unfinished -= 1;
    free();
    this.#beginNext();
    if (this.inHand === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #beginNext(): void {
    const next = this.#full ? undefined : this.#waiting.shift();
    if (next !== undefined) void this.#begin(next);
  }
}
