/** The most that may be held for all addresses together. */
export interface BudgetLimits {
  messages: number;
  bytes: number;
}

/**
 * Bounds the messages that an intermediary holds in memory. An address may hold at most as much as is still free: a
 * single address gets half of the limits, and however many addresses are full, another one always gets something
 * (Choudhury and Hahne's dynamic thresholds).
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

  /** @internal For Share: whether one address may hold this many messages and bytes. */
  admits(messages: number, bytes: number): boolean {
    return messages <= this.#limits.messages - this.#messages && bytes <= this.#limits.bytes - this.#bytes;
  }

  /** @internal For Share. */
  count(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
  }
}

/** The part of a budget that one address, or one subscriber, uses. */
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

  /** Adds a message. Returns false, and counts nothing, if the message does not fit. */
  take(bytes: number): boolean {
    if (!this.#budget.admits(this.#messages + 1, this.#bytes + bytes)) return false;
    this.#count(1, bytes);
    return true;
  }

  /** Subtracts a message. */
  give(bytes: number): void {
    this.#count(-1, -bytes);
  }

  #count(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
    this.#budget.count(messages, bytes);
  }
}
