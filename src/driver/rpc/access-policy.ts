/** A method of an endpoint. Peers call it by its name, never by a symbol, and never through a getter. */
export type EndpointMethod = (context: never, ...rest: never[]) => unknown;

/** Whether a peer may call `method` of `endpoint`. Called only for methods that exist. Only the result `true` permits the call. */
export type AccessPolicy = (endpoint: object, method: string) => boolean;

/** A registered symbol, so that a second copy of this library in the process shares the mark. */
const EXPOSED = Symbol.for("oslo-messaging.exposed");

/**
 * Policies that select the methods that peers may call (oslo_messaging/rpc/dispatcher.py:97-139). `legacy`: every method.
 * `default`: every method whose name does not start with `_`. `explicit`: methods marked with {@link expose}.
 */
export const accessPolicies: {
  /** Every method. */
  readonly legacy: AccessPolicy;
  /** Every method whose name does not start with `_`. The default policy. */
  readonly default: AccessPolicy;
  /** Methods marked with {@link expose}. */
  readonly explicit: AccessPolicy;
} = Object.freeze({
  legacy: () => true,
  default: (_endpoint: object, method: string) => !method.startsWith("_"),
  explicit: (endpoint: object, method: string) => {
    const found = methodOf(endpoint, method);
    return found !== undefined && Object.hasOwn(found, EXPOSED);
  },
});

/**
 * Marks a method for the policy `explicit` and returns it. Used as a decorator or around a function:
 * `{ hello: expose((context: object) => "x") }`.
 *
 * @throws TypeError when `method` is not a function.
 */
export function expose<F extends EndpointMethod>(method: F): F {
  return marked(method, EXPOSED, true);
}

/**
 * Sets a mark on a method and returns the method. Functions derived from it, as by `bind`, do not have the mark.
 *
 * @throws TypeError when `method` is not a function.
 */
export function marked<F extends EndpointMethod>(method: F, mark: symbol, value: unknown): F {
  // TypeScript's legacy decorators and decorators of fields do not pass a method.
  if (typeof method !== "function")
    throw new TypeError(`only a method can be marked, not a value of type ${typeof method}`);
  return Object.defineProperty(method, mark, { value, configurable: true });
}

/**
 * The method of this name, or undefined. The name is untrusted input, so only functions defined by the endpoint or its
 * classes are returned: never members of built-in prototypes or a constructor. Getters are not called.
 */
export function methodOf(endpoint: object, name: string): EndpointMethod | undefined {
  if (name === "constructor" || name === "__proto__") return undefined;
  for (let holder: object | null = endpoint; holder !== null; holder = Object.getPrototypeOf(holder)) {
    if (holder === Object.prototype || holder === Function.prototype) return undefined;
    const property = Object.getOwnPropertyDescriptor(holder, name);
    if (property !== undefined) return isMethod(property.value) ? property.value : undefined;
  }
  return undefined;
}

function isMethod(value: unknown): value is EndpointMethod {
  return typeof value === "function";
}
