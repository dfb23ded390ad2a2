import { toPrimitive } from "./to-primitive.js";

/** Context that a caller sends with every message: a plain object, or an instance that the serializer supports. */
export type Context = object;

/**
 * Converts the application's objects into JSON values and back (oslo_messaging/serializer.py). A client serializes arguments
 * and contexts, and deserializes results; a server does the reverse.
 */
export interface Serializer<C extends Context = Context> {
  /** Converts an argument, a result or a payload into a JSON value. */
  serializeEntity(context: C, entity: unknown): unknown;
  /** The reverse of `serializeEntity`. On a server or listener, `context` is the result of `deserializeContext`. */
  deserializeEntity(context: C, entity: unknown): unknown;
  /** Converts a context into the JSON object that is sent. */
  serializeContext(context: C): object;
  /** Converts a received JSON object into the context that endpoints get. */
  deserializeContext(context: object): C;
}

/**
 * Returns all values unchanged. It is the default. Sending a value that JSON cannot hold (NaN, a Map, bytes, a function, an
 * Error, a Promise ...) fails with a TypeError that names its path; a Date becomes its ISO text. It fits every type of context,
 * because it returns what it receives, and is a base for custom serializers:
 * `{ ...noOpSerializer, serializeContext: (context: MyContext) => context.toObject() }`.
 */
export const noOpSerializer: Serializer<never> = {
  serializeEntity: (_context, entity) => entity,
  deserializeEntity: (_context, entity) => entity,
  serializeContext: (context) => context,
  deserializeContext: (context) => context as never,
};

/**
 * Converts outgoing arguments, results and payloads into JSON values, like oslo's JsonPayloadSerializer
 * (jsonutils.to_primitive). Incoming values and contexts stay unchanged.
 *
 * - Text, numbers, bigints, booleans, null and undefined stay as they are.
 * - Bytes (Uint8Array, ArrayBuffer, DataView) become their UTF-8 text.
 * - A Date becomes `2026-01-31T12:30:00.123000`: UTC, without a zone.
 * - An object with a `toJSON` method (a URL, a decimal) becomes the result of that method.
 * - An Error, a symbol and a generator become their text, a function its name.
 * - A Map becomes an object with text keys. Arrays, Sets and other iterables become arrays.
 * - Any other instance becomes an object of its own enumerable members. Instances nested more than three deep become null.
 *
 * It throws TypeError for bytes that are not UTF-8, a key of a Map that becomes an object or an array, and a plain object or
 * an array that contains itself. Objects without a JSON form (an invalid Date, a Promise, a RegExp) stay as they are, so that
 * sending them fails with their path, as without a serializer.
 */
export const jsonPayloadSerializer: Serializer<never> = {
  ...noOpSerializer,
  serializeEntity: (_context, entity) => toPrimitive(entity),
};
