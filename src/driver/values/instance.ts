/** `instanceof` for what anybody may have thrown: a Proxy may fail at whatever it is asked. */
export function isInstance<T>(thrown: unknown, type: abstract new (...args: never[]) => T): thrown is T {
  try {
    return thrown instanceof type;
  } catch {
    return false;
  }
}
