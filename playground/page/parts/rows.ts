/** A list on the page, newest first, that removes its oldest rows beyond a limit. CSS shows a hint while it is empty. */
export class Rows {
  readonly #list: HTMLElement;
  readonly #limit: number;

  constructor(list: HTMLElement, limit: number) {
    this.#list = list;
    this.#limit = limit;
  }

  add(...rows: readonly HTMLElement[]): void {
    this.#list.prepend(...rows.toReversed());
    while (this.#list.childElementCount > this.#limit) this.#list.lastElementChild?.remove();
  }

  clear(): void {
    this.#list.replaceChildren();
  }
}
