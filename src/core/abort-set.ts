/** Controllers that are aborted together, each unless it is removed before. */
export class AbortSet {
  readonly #controllers = new Set<AbortController>();
  #aborted: { reason: unknown } | undefined;

  /** Adds a controller, or aborts it at once after `abort`. */
  add(controller: AbortController): void {
    if (this.#aborted === undefined) this.#controllers.add(controller);
    else controller.abort(this.#aborted.reason);
  }

  delete(controller: AbortController): void {
    this.#controllers.delete(controller);
  }

  /** Aborts all controllers, and those that are added later. */
  abort(reason: unknown): void {
    this.#aborted = { reason };
    for (const controller of this.#controllers) controller.abort(reason);
    this.#controllers.clear();
  }
}
