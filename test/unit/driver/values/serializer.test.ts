import { expect, expectTypeOf, it } from "vitest";
import { jsonPayloadSerializer, noOpSerializer, type Serializer } from "@/src/driver/values/serializer.js";

it("noOpSerializer returns every value unchanged, for any type of context", () => {
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

it("jsonPayloadSerializer converts outgoing entities only into JSON values", () => {
  class Session {
    readonly user = "u";
  }
  const serializer: Serializer<Session> = jsonPayloadSerializer;
  const [context, entity, plain] = [new Session(), new Map([["when", new Date(0)]]), { user: "u" }];
  expect(serializer.serializeEntity(context, entity)).toStrictEqual({ when: "1970-01-01T00:00:00.000000" });
  expect(serializer.deserializeEntity(context, entity)).toBe(entity);
  expect(serializer.serializeContext(context)).toBe(context);
  expect(serializer.deserializeContext(plain)).toBe(plain);
});
