import { toPrimitive } from "./to-primitive.js";

/** What a caller sends along with every message: a plain object, or an instance that the serializer understands. */
export type Context = object;

/**
 * Turns the application's objects into JSON values and back (oslo_messaging/serializer.py). On a client `serialize...` is
 * for what leaves, `deserialize...` for the result; on a server it is the other way round.
 */
export interface Serializer<C extends Context = Context> {
  /** An argument, a result or a payload, as JSON can hold it. */
  serializeEntity(context: C, entity: unknown): unknown;
  /** The reverse. On a server and a listener it gets the context that `deserializeContext` made. */
  deserializeEntity(context: C, entity: unknown): unknown;
  /** The context as the JSON object that travels. */
  serializeContext(context: C): object;
  /** The context as endpoints get it. */
  deserializeContext(context: object): C;
}

/**
 * Changes nothing: what is used when there is no other, and something to start an own one from,
 * `{ ...noOpSerializer, serializeContext: (context: MyContext) => context.toObject() }`. It fits every type of context,
 * since it hands out what it was given.
 */
export const noOpSerializer: Serializer<never> = {
  serializeEntity: (_context, entity) => entity,
  deserializeEntity: (_context, entity) => entity,
  serializeContext: (context) => context,
  deserializeContext: (context) => context as never,
};

/**
 * Turns arguments, results and payloads into JSON values, as oslo's JsonPayloadSerializer does (jsonutils.to_primitive).
 * What comes in, and the context, it leaves alone.
 *
 * - Text, numbers, bigints, booleans, null and undefined stay as they are.
 * - Bytes (Uint8Array, ArrayBuffer) become their UTF-8 text.
 * - A Date becomes `2026-01-31T12:30:00.123000`: UTC, without a zone.
 * - What has a `toJSON` (a URL, a decimal) becomes what that gives.
 * - An Error, a symbol and a generator become their text, a function its name.
 * - A Map becomes an object, its keys text. Arrays, Sets and whatever else can be iterated become arrays.
 * - Any other instance becomes an object of its own enumerable members, three instances deep: deeper ones become null.
 *
 * It throws TypeError for bytes that are no UTF-8, a Date that is none, a key of a Map that is no text, and for a plain
 * object or an array that contains itself.
 */
export const jsonPayloadSerializer: Serializer<never> = {
  ...noOpSerializer,
  serializeEntity: (_context, entity) => toPrimitive(entity),
};
