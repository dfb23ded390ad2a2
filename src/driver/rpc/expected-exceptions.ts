import { isInstance } from "../values/instance.js";
import { type EndpointMethod, marked } from "./access-policy.js";

/** Any class of errors; also one of which there are no instances, only heirs. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** Registered, so that a second copy of this library in the process knows the mark too. */
const EXPECTED = Symbol.for("oslo-messaging.expected");

/**
 * Says which errors of a method are no fault of the server: the caller gets them as any other, but they are logged at
 * level debug only, without a stack (oslo_messaging/rpc/server.py:247-274). As a decorator, or around a function. It
 * marks the method and gives it back as it is, so that whoever calls it here sees nothing but its own errors.
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
 * @throws TypeError for what is no class, or marks no method.
 */
export function expectedExceptions(...types: readonly ErrorClass[]): <F extends EndpointMethod>(method: F) => F {
  for (const type of types) {
    if (typeof type !== "function" || typeof type.prototype !== "object") {
      throw new TypeError("expectedExceptions takes classes of errors");
    }
  }
  return (method) => marked(method, EXPECTED, [...expectedOf(method), ...types]);
}

/** Whether the method said that it may throw this. */
export function isExpected(method: EndpointMethod, thrown: unknown): boolean {
  return expectedOf(method).some((type) => isInstance(thrown, type));
}

/** Its own mark only: a class's may not stand for another that descends from it. */
function expectedOf(method: EndpointMethod): readonly ErrorClass[] {
  return Object.getOwnPropertyDescriptor(Object(method), EXPECTED)?.value ?? [];
}
