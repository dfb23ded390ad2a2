import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeTable } from "@/src/amqp091/encoding.js";
import { type FieldTable, type FieldValue, readTable } from "@/src/amqp091/field-table.js";
import { Reader } from "@/src/amqp091/reader.js";
import { Writer } from "@/src/core/types/writer.js";

function written(table: FieldTable): Uint8Array {
  const writer = new Writer(64);
  writeTable(writer, "arguments", table);
  return writer.take();
}

function read(bytes: Uint8Array): FieldTable {
  return readTable(new Reader(bytes));
}

/** A table with one entry of name `a`, its value given by its type and its bytes. */
function tableOf(type: string, value: readonly number[]): Uint8Array {
  const entry = [1, 0x61, type.charCodeAt(0), ...value];
  return Uint8Array.of(0, 0, 0, entry.length, ...entry);
}

/** A table with `depth` tables or arrays in each other, around nothing. */
function nested(type: "F" | "A", depth: number): Uint8Array {
  const inner = Buffer.from(type === "F" ? "\x01aF\0\0\0\0" : "A\0\0\0\0");
  const first = Buffer.from(`\x01a${type}\0\0\0\0`);
  const prefixes = Array.from({ length: depth }, (_, level) => {
    const prefix = Buffer.from(level === 0 ? first : inner);
    prefix.writeUInt32BE(inner.length * (depth - level - 1), prefix.length - 4);
    return prefix;
  });
  const size = Buffer.alloc(4);
  size.writeUInt32BE(first.length + inner.length * (depth - 1));
  return Buffer.concat([size, ...prefixes]);
}

const seconds = fc.integer({ min: 0, max: 4e9 });
const scalar: fc.Arbitrary<FieldValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.string({ unit: "grapheme" }),
  fc.uint8Array(),
  seconds.map((s) => new Date(s * 1000)),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
);
const names = fc.string({ maxLength: 60 }).filter((name) => name !== "__proto__");
const { table } = fc.letrec<{ value: FieldValue; table: FieldTable }>((tie) => ({
  value: fc.oneof({ depthSize: "small" }, scalar, tie("table"), fc.array(tie("value"), { maxLength: 4 })),
  table: fc.dictionary(names, tie("value"), { maxKeys: 4 }),
}));

/** -0 is written as an integer. */
function withoutMinusZero(value: unknown): unknown {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(withoutMinusZero);
  if (value === null || typeof value !== "object" || value instanceof Date || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutMinusZero(item)]));
}

describe("field tables", () => {
  it("any table is read as it was written", () => {
    fc.assert(
      fc.property(table, (table) => {
        expect(withoutMinusZero(read(written(table)))).toEqual(withoutMinusZero(table));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["t", [1], true],
    ["b", [0xff], -1],
    ["B", [0xff], 255],
    ["s", [0xff, 0xfe], -2],
    ["U", [0xff, 0xfe], -2],
    ["u", [0xff, 0xfe], 65_534],
    ["I", [0xff, 0xff, 0xff, 0xff], -1],
    ["i", [0xff, 0xff, 0xff, 0xff], 4_294_967_295],
    ["l", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], -1],
    ["L", [0, 0x20, 0, 0, 0, 0, 0, 1], 2n ** 53n + 1n],
    ["f", [0x3f, 0x80, 0, 0], 1],
    ["d", [0x3f, 0xf8, 0, 0, 0, 0, 0, 0], 1.5],
    ["D", [2, 0, 0, 1, 0], 2.56],
    ["S", [0, 0, 0, 2, 0xc3, 0xa9], "é"],
    ["S", [0, 0, 0, 1, 0xff], "\ufffd"],
    ["x", [0, 0, 0, 2, 1, 2], Uint8Array.of(1, 2)],
    ["A", [0, 0, 0, 2, 0x42, 7], [7]],
    ["T", [0, 0, 0, 0, 0, 0, 0, 2], new Date(2000)],
    ["F", [0, 0, 0, 4, 1, 0x62, 0x42, 7], { b: 7 }],
    ["V", [], null],
  ])("type %s of RabbitMQ is read", (type, bytes, value) => {
    expect(read(tableOf(type, bytes))["a"]).toEqual(value);
  });

  it.each([
    ["an unknown type", tableOf("z", [0]), "unknown field type 0x7a"],
    ["a value beyond the table", tableOf("I", [0, 0]), "4 bytes needed, 2 left"],
    ["a string beyond the table", tableOf("S", [0xff, 0xff, 0xff, 0xff]), "4294967295 bytes needed, 0 left"],
    ["an array beyond the table", tableOf("A", [0, 0, 1, 0]), "256 bytes needed, 0 left"],
    ["a table beyond the frame", Uint8Array.of(0xff, 0xff, 0xff, 0xff), "4294967295 bytes needed, 0 left"],
    ["a name without a value", Uint8Array.of(0, 0, 0, 2, 1, 0x61), "1 bytes needed, 0 left"],
  ])("%s is a syntax error", (_, bytes, text) => {
    expect(() => read(bytes)).toThrow(
      expect.objectContaining({ name: "Amqp091Error", code: 502, text: `SYNTAX_ERROR - ${text}` }),
    );
  });

  it.each(["F", "A"] as const)("tables and arrays (%s) are read 16 deep and no deeper", (type) => {
    expect(() => read(nested(type, 15))).not.toThrow();
    expect(() => read(nested(type, 16))).toThrow("nested more than 16 deep");
    expect(() => read(nested(type, 15_000))).toThrow("nested more than 16 deep");
  });

  it("a table with more than 4,096 values is a syntax error", () => {
    const voids = Buffer.from("\x00V".repeat(4_097));
    const size = Buffer.alloc(4);
    size.writeUInt32BE(voids.length);
    expect(() => read(Buffer.concat([size, voids]))).toThrow("table with more than 4096 values");
  });

  it("names of a table have no special meaning", () => {
    const table = read(written(JSON.parse('{"__proto__": {"polluted": true}, "toString": 1}')));
    expect(Object.keys(table)).toEqual(["__proto__", "toString"]);
    expect(Object.hasOwn({}, "polluted")).toBe(false);
    expect(Object.getPrototypeOf(table)).toBe(null);
  });

  it.each<[string, FieldTable, string]>([
    ["an integer beyond 64 bits", { a: 2n ** 63n }, 'arguments["a"] out of range: 9223372036854775808'],
    ["a name beyond 255 bytes", { ["é".repeat(128)]: 1 }, "arguments of 256 bytes, at most 255"],
    ["undefined", JSON.parse("{}", () => ({ a: undefined })), 'arguments["a"] cannot be undefined'],
    ["a function", { a: (() => {}) as never }, 'arguments["a"] cannot be function'],
  ])("%s is not written", (_, table, text) => {
    expect(() => written(table)).toThrow(text);
  });

  it("a table in itself is not written", () => {
    const table: Record<string, FieldValue> = {};
    table["a"] = table;
    expect(() => written(table)).toThrow(/nested more than 16 deep/);
    const array: FieldValue[] = [];
    array.push(array);
    expect(() => written({ array })).toThrow(/nested more than 16 deep/);
  });
});
