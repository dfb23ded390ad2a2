import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toPrimitive } from "@/src/driver/values/to-primitive.js";
import { vectors } from "@/test/data/to-primitive.json";

class Instance {
  [name: string]: unknown;
}

/** As build() in test/data/to-primitive.py. */
function build(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const [kind, of] = Object.entries(value)[0] ?? [];
  const items = (): unknown[] => (of as unknown[]).map(build);
  const members = (): [unknown, unknown][] =>
    (of as [unknown, unknown][]).map(([key, member]) => [build(key), build(member)]);
  switch (kind) {
    case "list":
      return items();
    case "set":
      return new Set(items());
    case "iterable":
      return { __proto__: { extra: 1 }, [Symbol.iterator]: () => items().values() };
    case "dict":
      return members().every(([key]) => typeof key === "string") ? Object.fromEntries(members()) : new Map(members());
    case "bytes":
      return new TextEncoder().encode(of as string);
    case "badBytes":
      return Uint8Array.from(of as number[]);
    case "date":
      return new Date(`${of}Z`);
    case "uuid":
      return { __proto__: { extra: 1 }, toJSON: () => of };
    case "integer":
      return BigInt(of as string);
    case "loop": {
      const instance = new Instance();
      instance["me"] = instance;
      return Object.assign(instance, Object.fromEntries(members()));
    }
    default:
      return Object.assign(new Instance(), Object.fromEntries(members()));
  }
}

/** Bigints as numbers: what is compared is the JSON text. */
const json = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) => (typeof member === "bigint" ? `integer ${member}` : member));

describe("a value that Python has too", () => {
  it.each(vectors)(
    "becomes what Python makes of it: case %#",
    { tags: ["rpc:client:json-payload-serializer"] },
    ({ value, json: wanted, raises }) => {
      if (raises !== undefined) expect(() => toPrimitive(build(value))).toThrow(TypeError);
      else if (/^\d{17,}$/.test(wanted)) expect(toPrimitive(build(value))).toBe(BigInt(wanted));
      else expect(json(toPrimitive(build(value)))).toBe(JSON.stringify(JSON.parse(wanted)));
    },
  );
});

describe("a value of JavaScript's own", () => {
  it.each([
    ["undefined", undefined, undefined],
    ["NaN, for which the encoder names the place", Number.NaN, Number.NaN],
    ["a URL", new URL("http://host/a?b"), "http://host/a?b"],
    ["an ArrayBuffer", new TextEncoder().encode("é").buffer, "é"],
    ["a Buffer", Buffer.from("é"), "é"],
    ["other numbers in a row", Float64Array.of(1.5, 2), [1.5, 2]],
    ["an Error", new RangeError("no"), "RangeError: no"],
    ["a function", function named() {}, "<function named>"],
    ["a class", Instance, "<function Instance>"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    [
      "an object without a prototype",
      Object.assign(Object.create(null), { a: new Date(0) }),
      { a: "1970-01-01T00:00:00.000000" },
    ],
    [
      "an object of another realm",
      runInNewContext("({ a: { a: { a: { a: { a: 1 } } } } })"),
      { a: { a: { a: { a: { a: 1 } } } } },
    ],
    ["a Map's iterator", new Map([["a", new Set([1])]]).entries(), [["a", [1]]]],
    ["a generator, which may have no end", (function* () {})(), "[object Generator]"],
    ["what has a toJSON that gives more to convert", { toJSON: () => new Map([["a", 1n]]) }, { a: 1n }],
  ])("becomes as expected: %s", (_name, value, wanted) => {
    expect(toPrimitive(value)).toEqual(wanted);
  });

  it("is copied, so that it can be changed afterwards", () => {
    const value = { list: [{ a: 1 }] };
    const made = toPrimitive(value);
    expect(made).toStrictEqual(value);
    value.list.push({ a: 2 });
    expect(made).toEqual({ list: [{ a: 1 }] });
  });

  it("has own enumerable members only, and __proto__ is one like any other", () => {
    class Thing {
      #hidden = 1;
      shown = 2;
      get computed(): number {
        return this.#hidden;
      }
      method(): void {}
    }
    expect(toPrimitive(new Thing())).toStrictEqual({ shown: 2 });
    expect(json(toPrimitive(JSON.parse('{"__proto__": {"a": 1}}')))).toBe('{"__proto__":{"a":1}}');
  });

  it("stays what it is when JSON can hold it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.stringify(toPrimitive(value))).toBe(JSON.stringify(value));
      }),
    );
  });

  it("may be plain and deep: only instances count", () => {
    const deep = JSON.parse("[".repeat(500) + "]".repeat(500));
    expect(toPrimitive(deep)).toEqual(deep);
  });

  const loop: unknown[] = [];
  loop.push({ again: [loop, loop] });
  const endless = { toJSON: () => ({ ...endless }) };

  it("ends, however it goes on", () => {
    expect(toPrimitive(endless)).toBeNull();
  });

  it.each([
    ["plain values that contain themselves", loop, "contains itself"],
    ["a Date that is none", new Date(Number.NaN), "a Date is no time"],
    ["bytes that are no text", [Uint8Array.of(0xc3)], "1 bytes are no UTF-8 text"],
    ["a Map with objects for keys", new Map([[{}, 1]]), "a key of a Map is no text"],
  ])("is refused: %s", (_name, value, message) => {
    expect(() => toPrimitive(value)).toThrow(TypeError);
    expect(() => toPrimitive(value)).toThrow(message);
  });
});
