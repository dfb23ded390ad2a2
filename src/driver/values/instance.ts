/** `instanceof` for any thrown value. False when the check itself throws, as it may for a Proxy. */
export function isInstance<T>(thrown: unknown, type: abstract new (...args: never[]) => T): thrown is T {
  try {
    return thrown instanceof type;
  } catch {
    return false;
  }
}
