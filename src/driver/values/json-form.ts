/**
 * Type of a value of type `T` after it was sent as JSON, by a server of this library with the default serializer or with
 * `jsonPayloadSerializer`:
 *
 * - text, numbers, booleans, null, `unknown` and `any` stay as they are; a bigint may arrive as a number.
 * - `undefined` and `void` become null, except as a member of an object, which is omitted.
 * - a Date and other objects with a `toJSON` method become the JSON form of its result; bytes become a string.
 * - a Map becomes an object; a Set and other iterables become an array.
 * - other objects have the JSON forms of their members, without methods.
 * - functions, symbols and promises never arrive.
 */
export type JsonForm<T> = unknown extends T
  ? T
  : T extends void
    ? null
    : T extends string | number | boolean | null
      ? T
      : T extends bigint
        ? number | bigint
        : T extends symbol | AnyFunction | PromiseLike<unknown>
          ? never
          : T extends Uint8Array | ArrayBuffer | DataView
            ? string
            : T extends { toJSON(...args: never): infer R }
              ? JsonForm<R>
              : JsonFormOfObject<T>;

/** An interface's or an array's members are converted when they are looked at, so that recursive types end. */
type JsonFormOfObject<T> = T extends readonly unknown[]
  ? number extends T["length"]
    ? T extends unknown[]
      ? JsonForm<T[number]>[]
      : readonly JsonForm<T[number]>[]
    : { [K in keyof T]: JsonForm<T[K]> }
  : T extends ReadonlyMap<unknown, infer V>
    ? { [key: string]: JsonForm<V> }
    : T extends Iterable<infer E>
      ? JsonForm<E>[]
      : { [K in keyof T as NamedMember<K, T[K]>]: JsonMember<T[K]> };

type AnyFunction = (...args: never) => unknown;

/** The name of a member, except of a method. */
type NamedMember<K, M> = K extends symbol
  ? never
  : [M] extends [AnyFunction | undefined]
    ? [M] extends [undefined]
      ? K
      : never
    : K;

/** An undefined member is omitted. */
type JsonMember<M> = M extends undefined ? undefined : JsonForm<M>;
