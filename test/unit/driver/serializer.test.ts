import { expect, expectTypeOf, it } from "vitest";
import { noOpSerializer, type Serializer } from "../../../src/driver/serializer.js";

it("the serializer that does nothing gives back what it gets, whatever the type of context", () => {
  class Session {
    readonly user = "u";
  }
  const serializer: Serializer<Session> = noOpSerializer;
  const [context, entity, plain] = [new Session(), { a: 1 }, { user: "u" }];
  expect(serializer.serializeContext(context)).toBe(context);
  expect(serializer.deserializeContext(plain)).toBe(plain);
  expect(serializer.serializeEntity(context, entity)).toBe(entity);
  expect(serializer.deserializeEntity(context, entity)).toBe(entity);
  expectTypeOf(serializer.deserializeContext({})).toEqualTypeOf<Session>();
});
