/** A promise with the functions that settle it. */
export class Deferred<T = void> {
  readonly promise: Promise<T>;
  declare resolve: (value: T) => void;
  declare reject: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}
