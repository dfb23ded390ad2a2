/** How much may be held for all addresses together. */
export interface BudgetLimits {
  messages: number;
  bytes: number;
}

/**
 * Bounds what an intermediary holds in memory. An address may hold at most as much as is still free: one alone gets
 * half of everything, and however many are full, another one always gets something (Choudhury and Hahne's dynamic
 * thresholds).
 */
export class Budget {
  readonly #limits: BudgetLimits;
  #messages = 0;
  #bytes = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  share(): Share {
    return new Share(this);
  }

  /** @internal For Share: whether one more message fits beside what it holds. */
  admits(messages: number, bytes: number): boolean {
    return messages <= this.#limits.messages - this.#messages && bytes <= this.#limits.bytes - this.#bytes;
  }

  /** @internal For Share. */
  count(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
  }
}

/** What one address, or one subscriber, holds of a budget. */
export class Share {
  readonly #budget: Budget;
  #messages = 0;
  #bytes = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  get messages(): number {
    return this.#messages;
  }

  /** Counts a message in, unless it does not fit. */
  take(bytes: number): boolean {
    if (!this.#budget.admits(this.#messages + 1, this.#bytes + bytes)) return false;
    this.#count(1, bytes);
    return true;
  }

  /** Counts a message out. */
  give(bytes: number): void {
    this.#count(-1, -bytes);
  }

  #count(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
    this.#budget.count(messages, bytes);
  }
}
