import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toPrimitive } from "@/src/driver/values/to-primitive.js";
import { vectors } from "@/test/data/to-primitive.json";

class Instance {
  [name: string]: unknown;
}

/** The same as build() in test/data/to-primitive.py. */
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

/** JSON text for comparisons, with bigints as marked strings. */
const json = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) => (typeof member === "bigint" ? `integer ${member}` : member));

describe("toPrimitive for values that Python has too", () => {
  it.each(vectors)(
    "a value of a vector becomes the same as in Python: case %#",
    { tags: ["rpc:client:json-payload-serializer"] },
    ({ value, json: expected, raises }) => {
      if (raises !== undefined) expect(() => toPrimitive(build(value))).toThrow(TypeError);
      else if (/^\d{17,}$/.test(expected)) expect(toPrimitive(build(value))).toBe(BigInt(expected));
      else expect(json(toPrimitive(build(value)))).toBe(JSON.stringify(JSON.parse(expected)));
    },
  );
});

describe("toPrimitive for values of JavaScript", () => {
  it.each([
    ["a Date", "new Date(0)", "1970-01-01T00:00:00.000000"],
    ["bytes", "Uint8Array.of(65)", "A"],
    ["an ArrayBuffer", "Uint8Array.of(65).buffer", "A"],
    ["a DataView", "new DataView(Uint8Array.of(65).buffer)", "A"],
    ["a Map", "new Map([['a', new Set([1])]])", { a: [1] }],
    ["an Error", "new RangeError('no')", "RangeError: no"],
  ])("toPrimitive converts %s of another realm", (_name, source, expected) => {
    expect(toPrimitive(runInNewContext(source))).toEqual(expected);
  });

  it.each([
    ["an invalid Date", new Date(Number.NaN)],
    ["a Promise", Promise.resolve()],
    ["a RegExp", /x/],
    ["a WeakMap", new WeakMap()],
  ])("toPrimitive leaves %s unchanged, which the encoder refuses with its path", (_name, value) => {
    expect(toPrimitive({ a: [value] })).toEqual({ a: [value] });
  });

  it.each([
    ["undefined", undefined, undefined],
    ["NaN, which the encoder refuses with its path", Number.NaN, Number.NaN],
    ["a URL", new URL("http://host/a?b"), "http://host/a?b"],
    ["an ArrayBuffer", new TextEncoder().encode("é").buffer, "é"],
    ["a Buffer", Buffer.from("é"), "é"],
    ["a typed array of other numbers", Float64Array.of(1.5, 2), [1.5, 2]],
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
    ["a generator, which may be infinite", (function* () {})(), "[object Generator]"],
    ["an object whose toJSON returns another value to convert", { toJSON: () => new Map([["a", 1n]]) }, { a: 1n }],
  ])("toPrimitive converts %s", (_name, value, expected) => {
    expect(toPrimitive(value)).toEqual(expected);
  });

  it("toPrimitive copies a value, so that later changes do not affect the result", () => {
    const value = { list: [{ a: 1 }] };
    const made = toPrimitive(value);
    expect(made).toStrictEqual(value);
    value.list.push({ a: 2 });
    expect(made).toEqual({ list: [{ a: 1 }] });
  });

  it("toPrimitive keeps own enumerable members only, and __proto__ is an ordinary one", () => {
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

  it("toPrimitive does not change JSON values", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.stringify(toPrimitive(value))).toBe(JSON.stringify(value));
      }),
    );
  });

  it("toPrimitive converts plain values at any depth: only instances count", () => {
    const deep = JSON.parse("[".repeat(500) + "]".repeat(500));
    expect(toPrimitive(deep)).toEqual(deep);
  });

  const loop: unknown[] = [];
  loop.push({ again: [loop, loop] });
  const endless = { toJSON: () => ({ ...endless }) };

  it("toPrimitive ends for a toJSON that always returns another instance", () => {
    expect(toPrimitive(endless)).toBeNull();
  });

  it.each([
    ["plain values that contain themselves", loop, "contains itself"],
    ["bytes that are not UTF-8", [Uint8Array.of(0xc3)], "1 bytes are not UTF-8 text"],
    ["a Map with objects for keys", new Map([[{}, 1]]), "a key of a Map is an object"],
  ])("toPrimitive throws for %s", (_name, value, message) => {
    expect(() => toPrimitive(value)).toThrow(TypeError);
    expect(() => toPrimitive(value)).toThrow(message);
  });
});
