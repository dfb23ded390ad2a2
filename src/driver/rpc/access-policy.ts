/** Any method of an endpoint. Peers reach it by its name, never by a symbol, and never through a getter. */
export type EndpointMethod = (context: never, ...rest: never[]) => unknown;

/** Whether a peer may call `method` of `endpoint`, once the endpoint is known to have it. Only `true` says so. */
export type AccessPolicy = (endpoint: object, method: string) => boolean;

/** Registered, so that a second copy of this library in the process knows the mark too. */
const EXPOSED = Symbol.for("oslo-messaging.exposed");

/**
 * Who may be called (oslo_messaging/rpc/dispatcher.py:97-139). `legacy`: every method. `default`: every method whose
 * name does not start with `_`. `explicit`: methods marked with {@link expose}.
 */
export const accessPolicies: {
  /** Every method. */
  readonly legacy: AccessPolicy;
  /** Every method whose name does not start with `_`. Used unless another is given. */
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
 * Marks a method for the policy `explicit`, and returns it. As a decorator, or around a function:
 * `{ hello: expose((context: object) => "x") }`.
 *
 * @throws TypeError for what is no method.
 */
export function expose<F extends EndpointMethod>(method: F): F {
  return marked(method, EXPOSED, true);
}

/** The method itself, with a mark that can be seen on it alone. */
export function marked<F extends EndpointMethod>(method: F, mark: symbol, value: unknown): F {
  // What TypeScript's older decorators and those of fields hand over is no method.
  if (typeof method !== "function")
    throw new TypeError(`only a method can be marked, not a value of type ${typeof method}`);
  return Object.defineProperty(method, mark, { value, configurable: true });
}

/**
 * The method that a name off the wire selects, or undefined. The name is a stranger's, so only functions that the
 * endpoint or its classes define count: nothing of the language's own prototypes, no constructor, no getter is run.
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
