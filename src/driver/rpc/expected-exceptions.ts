import { isInstance } from "../values/instance.js";
import { type EndpointMethod, marked } from "./access-policy.js";

/** A class of errors, which may be abstract. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** A registered symbol, so that a second copy of this library in the process shares the mark. */
const EXPECTED = Symbol.for("oslo-messaging.expected");

/**
 * Declares errors of a method that are not faults of the server. The caller receives them like all errors, but they are logged
 * at level debug only, without a stack (oslo_messaging/rpc/server.py:247-274). Used as a decorator or around a function. It
 * marks the method and returns it unchanged, so local callers receive the errors themselves.
 *
 * @example
 * ```ts
 * class Instances {
 *   @expectedExceptions(RangeError)
 *   show(_context: object, { id }: { id: number }): string {
 *     if (id < 0) throw new RangeError(`no instance ${id}`);
 *     return `instance ${id}`;
 *   }
 * }
 * const same = { show: expectedExceptions(RangeError)(Instances.prototype.show) };
 * ```
 * @throws TypeError when a type is not a class, or the method is not a function.
 */
export function expectedExceptions(...types: readonly ErrorClass[]): <F extends EndpointMethod>(method: F) => F {
  for (const type of types) {
    if (typeof type !== "function" || typeof type.prototype !== "object") {
      throw new TypeError("expectedExceptions requires classes of errors");
    }
  }
  return (method) => marked(method, EXPECTED, [...expectedOf(method), ...types]);
}

/** Whether the method declares the thrown value as expected. */
export function isExpected(method: EndpointMethod, thrown: unknown): boolean {
  return expectedOf(method).some((type) => isInstance(thrown, type));
}

/** The types on the method's own mark: a mark inherited through the prototype does not count. */
function expectedOf(method: EndpointMethod): readonly ErrorClass[] {
  return Object.getOwnPropertyDescriptor(Object(method), EXPECTED)?.value ?? [];
}
