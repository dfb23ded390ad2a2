/** Defines `Symbol.asyncDispose`, for `await using`. Some engines do not have the symbol yet. */
export function defineAsyncDispose<T extends object>(prototype: T, dispose: (object: T) => Promise<void>): void {
  if (Symbol.asyncDispose === undefined) return;
  Object.defineProperty(prototype, Symbol.asyncDispose, {
    value(this: T) {
      return dispose(this);
    },
  });
}
