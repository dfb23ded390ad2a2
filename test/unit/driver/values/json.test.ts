import { runInNewContext, runInThisContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessagingException } from "@/src/driver/exceptions.js";
import { fromJson, toJson } from "@/src/driver/values/json.js";

describe("toJson", () => {
  it("toJson gives the result of JSON.stringify for plain values", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(toJson({ value })).toBe(JSON.stringify({ value }));
      }),
    );
  });

  it("toJson omits undefined members and writes null for them in lists, as JSON does", () => {
    expect(toJson({ a: undefined, b: null, c: [undefined], d: new Array(2) })).toBe(
      '{"b":null,"c":[null],"d":[null,null]}',
    );
  });

  it("toJson writes bigints as integers", { tags: ["rpc:json:long-integers"] }, () => {
    const value = { a: 2n ** 70n, b: [-1n, "1n", null, new Date(0)], c: undefined };
    expect(toJson(value)).toBe('{"a":1180591620717411303424,"b":[-1,"1n",null,"1970-01-01T00:00:00.000Z"]}');
  });

  it.each([
    [{ a: Number.NaN }, "a is"],
    [{ a: { "b c": [1, { d: Number.POSITIVE_INFINITY }] } }, "a.b c[1].d is"],
    [{ a: null, b: [[Number.NEGATIVE_INFINITY]] }, "b[0][0] is"],
    [[1, { x: Number.NaN }], "[1].x is"],
    [{ a: 1n, b: Number.NaN }, "b is"],
    [{ a: { toJSON: () => ({ b: Number.NaN }) } }, "a.b is"],
  ])(
    "toJson throws for NaN and infinities, naming their path: case %#",
    { tags: ["rpc:json:not-a-number"] },
    (value, path) => {
      expect(() => toJson(value)).toThrow(new TypeError(`${path} NaN or infinite, which JSON cannot hold`));
    },
  );

  it("toJson accepts the word null in a text", () => {
    expect(toJson({ a: "null", n: 1 })).toBe('{"a":"null","n":1}');
  });

  const CURE = "convert it, or use a serializer such as jsonPayloadSerializer";
  const LOST: readonly [kind: string, source: string][] = [
    ["a Map", "new Map([[1, 2]])"],
    ["a Set", "new Set([1])"],
    ["a WeakMap", "new WeakMap()"],
    ["a Uint8Array", "Uint8Array.of(1, 2)"],
    ["a Float64Array", "new Float64Array(0)"],
    ["an ArrayBuffer", "new ArrayBuffer(2)"],
    ["a DataView", "new DataView(new ArrayBuffer(2))"],
    ["a function", "() => 1"],
    ["a class", "(class Example {})"],
    ["a symbol", "Symbol('s')"],
    ["a RegExp", "/x/"],
    ["an Error", "new RangeError('no')"],
    ["an Error", "Object.assign(new Error('no'), { code: 'ENOENT' })"],
    ["a Generator", "(function* () {})()"],
    ["a Map Iterator", "new Map().values()"],
    ["an example", "({ __proto__: { get [Symbol.toStringTag]() { return 'example'; } } })"],
  ];

  it.each(LOST)("toJson throws for %s with its path, in this realm and another: %s", (kind, source) => {
    for (const value of [runInNewContext(source), runInThisContext(source)]) {
      const message = (path: string): TypeError => new TypeError(`${path} is ${kind}, which JSON cannot hold: ${CURE}`);
      expect(() => toJson({ args: { servers: [0, 1, { created: value }] } })).toThrow(
        message("args.servers[2].created"),
      );
      expect(() => toJson({ big: 1n, list: [value] })).toThrow(message("list[0]"));
      expect(() => toJson({ a: { toJSON: () => ({ b: value }) } })).toThrow(message("a.b"));
    }
  });

  it("toJson throws for a Promise, whose await was forgotten", () => {
    for (const value of [Promise.resolve(1), runInNewContext("Promise.resolve(1)")])
      expect(() => toJson({ response: value })).toThrow(
        new TypeError("response is a Promise, which JSON cannot hold: await it"),
      );
  });

  it("toJson throws for an invalid Date, and writes a valid one as ISO text, also of another realm", () => {
    for (const realm of [runInThisContext, runInNewContext]) {
      expect(() => toJson([realm("new Date(NaN)")])).toThrow("[0] is an invalid Date, which JSON cannot hold");
      expect(toJson([realm("new Date(0)")])).toBe('["1970-01-01T00:00:00.000Z"]');
    }
  });

  it("toJson throws for a Buffer, although it has a toJSON method", () => {
    expect(() => toJson({ a: Buffer.from("x") })).toThrow("a is a Uint8Array, which JSON cannot hold");
  });

  it.each<[name: string, value: object, text: string]>([
    ["the members of an instance", Object.assign(new (class Example {})(), { a: 1 }), '{"a":1}'],
    ["the members of an object without prototype", Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ["an object of another realm", runInNewContext("({ a: [{ b: 1 }] })"), '{"a":[{"b":1}]}'],
    [
      "the result of toJSON",
      new (class {
        toJSON = (): string => "x";
        map = new Map();
      })(),
      '"x"',
    ],
    [
      "an instance whose toJSON returns the instance itself",
      new (class {
        a = [1];
        toJSON(): object {
          return this;
        }
      })(),
      '{"a":[1]}',
    ],
    ["a URL", new URL("http://h/"), '"http://h/"'],
    ["boxed values", [Object(1), Object("x"), Object(true)], '[1,"x",true]'],
    [
      "an instance with a tag of its own",
      Object.assign(Object.create({ [Symbol.toStringTag]: "Row" }), { a: 1 }),
      '{"a":1}',
    ],
  ])("toJson writes %s", (_name, value, text) => {
    expect(toJson(value)).toBe(text);
  });

  it("toJson ignores enumerable members of a prototype, as JSON does", () => {
    expect(toJson({ value: Object.assign(Object.create({ method: () => 1, list: [() => 1] }), { a: 1 }) })).toBe(
      '{"value":{"a":1}}',
    );
  });

  it("a member that others added to Object.prototype does not affect toJson", () => {
    Object.defineProperty(Object.prototype, "extra", {
      value: () => 1,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    try {
      expect(toJson({ a: 1 })).toBe('{"a":1}');
    } finally {
      Reflect.deleteProperty(Object.prototype, "extra");
    }
  });

  it("toJson throws for a value that contains itself, naming its path", () => {
    const value: { list: object[] } = { list: [{}] };
    value.list.push({ self: value });
    const message = "value.list[1].self is a circular reference, which JSON cannot hold";
    expect(() => toJson({ value })).toThrow(new TypeError(message));
    expect(() => toJson({ big: 1n, value })).toThrow(new TypeError(message));
  });

  it("toJson throws for a value that is nested too deeply", () => {
    let value: unknown[] = [];
    for (let depth = 0; depth < 100_000; depth++) value = [value];
    expect(() => toJson(value)).toThrow(new TypeError("a value is nested too deeply for JSON"));
  });

  it("toJson throws the error of a toJSON method unchanged", () => {
    const error = new TypeError("own");
    const toJSON = (): never => {
      throw error;
    };
    expect(() => toJson({ a: { toJSON } })).toThrow(error);
  });
});

describe("fromJson", () => {
  it("fromJson gives the result of JSON.parse for text without long integers", () => {
    fc.assert(
      fc.property(
        fc.jsonValue().map((value) => JSON.stringify(value)),
        (text) => {
          fc.pre(!/(?<![.\d])\d{16}/.test(text));
          expect(fromJson(text, "it")).toStrictEqual(JSON.parse(text));
        },
      ),
    );
  });

  it("fromJson reads integers that a number cannot represent as bigints, and all others as numbers", {
    tags: ["rpc:json:long-integers"],
  }, () => {
    const text =
      '{"a":9007199254740993,"b":[-99999999999999999999,9007199254740991,1],"f":12345678901234567890.5,"e":1e25,"s":"9007199254740993"}';
    expect(fromJson(text, "it")).toStrictEqual({
      a: 9007199254740993n,
      b: [-99999999999999999999n, 9007199254740991, 1],
      f: 12345678901234567000,
      e: 1e25,
      s: "9007199254740993",
    });
    expect(fromJson("18446744073709551615", "it")).toBe(2n ** 64n - 1n);
  });

  it("fromJson returns every bigint and every text that toJson wrote", { tags: ["rpc:json:long-integers"] }, () => {
    const text = fc.string({ unit: fc.constantFrom(...'\\"1234567890-:,u0022') });
    const big = fc.oneof(fc.bigInt({ min: 2n ** 53n }), fc.bigInt({ max: -(2n ** 53n) }));
    fc.assert(
      fc.property(fc.array(fc.oneof(text, big, fc.integer())), (values) => {
        expect(fromJson(toJson(values), "it")).toStrictEqual(values);
      }),
    );
  });

  it("fromJson makes an ordinary member of __proto__, with and without long integers", () => {
    for (const text of ['{"__proto__":{"polluted":1}}', '{"__proto__":{"polluted":12345678901234567890}}']) {
      const value = fromJson(text, "it");
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(Object.keys(Object(value))).toEqual(["__proto__"]);
      expect(Reflect.get({}, "polluted")).toBeUndefined();
    }
  });

  it.each([
    ['{"a": NaN}', "It is not JSON: NaN at character 6 is Python's, not JSON's"],
    ['["NaN \\"", -Infinity]', "It is not JSON: -Infinity at character 11 is Python's, not JSON's"],
    ["Infinity", "It is not JSON: Infinity at character 0 is Python's, not JSON's"],
    ['{"a": "NaN"', "It is not JSON: 11 characters that cannot be parsed"],
    ["hello", "It is not JSON: 5 characters that cannot be parsed"],
    ["", "It is not JSON: 0 characters that cannot be parsed"],
    ["01234567890123456789", "It is not JSON: 20 characters that cannot be parsed"],
    ["9".repeat(5000), "It is not JSON: an integer of 5000 digits"],
    ["[".repeat(100_000) + "]".repeat(100_000), "It is not JSON: it is nested too deeply"],
    [`${"[".repeat(100_000)}1${"]".repeat(100_000)}`, "It is not JSON: it is nested too deeply"],
  ])("fromJson throws with the reason for text that is not JSON: case %#", (text, message) => {
    expect(() => fromJson(text, "It")).toThrow(new MessagingException(message));
  });

  it("fromJson reads NaN and the infinities as numbers where they are accepted", {
    tags: ["rpc:json:not-a-number-received"],
  }, () => {
    const text =
      '{"a":NaN,"b":[-Infinity,Infinity,-1.5e3,9007199254740993],"NaN":"Infinity","__proto__":[ NaN ],"s":"\\"NaN"}';
    const value = fromJson(text, "It", "accept");
    expect(Object.entries(Object(value))).toEqual([
      ["a", Number.NaN],
      ["b", [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, -1500, 9007199254740993n]],
      ["NaN", "Infinity"],
      ["__proto__", [Number.NaN]],
      ["s", '"NaN'],
    ]);
    expect(fromJson("-Infinity", "It", "accept")).toBe(Number.NEGATIVE_INFINITY);
  });

  it.each(["-NaN", "+Infinity", "NaNNaN", "nan", "1NaN", "{NaN:1}", "[NaN,s3cr3t]", "", `[NaN,${"9".repeat(5000)}]`])(
    "fromJson throws for %j also where NaN is accepted, and quotes none of it",
    (text) => {
      expect(() => fromJson(text, "It", "accept")).toThrow(
        /^It is not JSON: (\d+ characters that cannot be parsed|an integer of 5000 digits)$/,
      );
    },
  );

  it("the error of fromJson quotes none of the text, which may hold a token", () => {
    try {
      fromJson('{"auth_token": s3cr3t}', "It");
      expect.unreachable();
    } catch (error) {
      expect(error).not.toHaveProperty("cause");
      expect(String(error)).not.toContain("s3cr3t");
    }
  });

  it.each([
    ["escapes", `"${'\\"\\\\'.repeat(500_000)}"`],
    ["backslashes without end", `"${"\\".repeat(1_000_001)}"`],
    ["quotes", '"'.repeat(1_000_001)],
  ])("fromJson reads a text with a million %s", (_name, text) => {
    expect(() => fromJson(`[NaN,${text}]`, "It")).toThrow("NaN at character 1");
    expect(fromJson(`[12345678901234567890,${JSON.stringify(text)}]`, "It")).toEqual([12345678901234567890n, text]);
  });
});
