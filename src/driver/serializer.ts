/** What a caller sends along with every message: a plain object, or an instance that the serializer understands. */
export type Context = object;

/**
 * Turns the application's objects into JSON values and back (oslo_messaging/serializer.py). On a client `serialize...` is
 * for what leaves, `deserialize...` for the result; on a server it is the other way round.
 */
export interface Serializer<C extends Context = Context> {
  serializeEntity(context: C, entity: unknown): unknown;
  deserializeEntity(context: C, entity: unknown): unknown;
  serializeContext(context: C): object;
  deserializeContext(context: object): C;
}

/** Changes nothing. It fits every type of context, since it hands out what it was given. */
export const noOpSerializer: Serializer<never> = {
  serializeEntity: (_context, entity) => entity,
  deserializeEntity: (_context, entity) => entity,
  serializeContext: (context) => context,
  deserializeContext: (context) => context as never,
};
