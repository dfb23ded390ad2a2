import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Reader } from "@/src/core/types/reader.js";
import { Uuid } from "@/src/core/types/uuid.js";
import { Writer } from "@/src/core/types/writer.js";

function written(write: (writer: Writer) => void, slabBytes?: number): Uint8Array {
  const writer = new Writer(slabBytes);
  write(writer);
  return writer.take();
}

function hex(write: (writer: Writer) => void): string {
  return Buffer.from(written(write)).toString("hex");
}

describe("the smallest encoding", () => {
  test("a map is a map8 while it fits, also without a key", () => {
    const map = (keys: readonly string[]): string =>
      hex((w) => {
        const mark = w.beginList();
        for (const key of keys) {
          w.symbol(key);
          w.boolean(true);
        }
        w.endMap(mark, keys.length * 2);
      });
    expect(map([])).toBe("c10100");
    expect(map(["a"])).toBe("c10502a3016141");
  });

  test("numbers are written in their smallest encoding", () => {
    expect(hex((w) => w.uint(0))).toBe("43");
    expect(hex((w) => w.uint(255))).toBe("52ff");
    expect(hex((w) => w.uint(256))).toBe("7000000100");
    expect(hex((w) => w.uint(0xffff_ffff))).toBe("70ffffffff");
    expect(hex((w) => w.ulong(0))).toBe("44");
    expect(hex((w) => w.ulong(255n))).toBe("53ff");
    expect(hex((w) => w.ulong(2n ** 64n - 1n))).toBe("80ffffffffffffffff");
    expect(hex((w) => w.ubyte(4))).toBe("5004");
    expect(hex((w) => w.timestamp(-1n))).toBe("83ffffffffffffffff");
    expect(hex((w) => w.timestamp(1_700_000_000_000n))).toBe("830000018bcfe56800");
  });

  test("strings, symbols and binary are written in the smallest encoding for their number of bytes", () => {
    expect(hex((w) => w.string(""))).toBe("a100");
    expect(hex((w) => w.string("é"))).toBe("a102c3a9");
    expect(written((w) => w.string("a".repeat(255))).subarray(0, 2)).toEqual(Uint8Array.of(0xa1, 255));
    expect(written((w) => w.string("a".repeat(256))).subarray(0, 5)).toEqual(Uint8Array.of(0xb1, 0, 0, 1, 0));
    expect(written((w) => w.string("é".repeat(127))).subarray(0, 2)).toEqual(Uint8Array.of(0xa1, 254));
    expect(written((w) => w.string("é".repeat(128))).subarray(0, 5)).toEqual(Uint8Array.of(0xb1, 0, 0, 1, 0));
    expect(hex((w) => w.symbol("PLAIN"))).toBe("a305504c41494e");
    expect(written((w) => w.symbol("a".repeat(256))).subarray(0, 5)).toEqual(Uint8Array.of(0xb3, 0, 0, 1, 0));
    expect(hex((w) => w.binary(Uint8Array.of(1, 2)))).toBe("a0020102");
    expect(written((w) => w.binary(new Uint8Array(256))).subarray(0, 5)).toEqual(Uint8Array.of(0xb0, 0, 0, 1, 0));
  });

  test("lists are written in the smallest encoding for their contents", () => {
    const list = (strings: readonly string[]) =>
      written((writer) => {
        const mark = writer.beginList();
        for (const string of strings) writer.string(string);
        writer.endList(mark, strings.length);
      });
    expect(list([])).toEqual(Uint8Array.of(0x45));
    expect(list(["a"])).toEqual(Uint8Array.of(0xc0, 4, 1, 0xa1, 1, 0x61));
    expect(list(["a".repeat(252)]).subarray(0, 3)).toEqual(Uint8Array.of(0xc0, 255, 1));
    expect(list(["a".repeat(253)]).subarray(0, 9)).toEqual(Uint8Array.of(0xd0, 0, 0, 1, 3, 0, 0, 0, 1));
    expect(new Reader(list(["a".repeat(253), "b"])).value()).toEqual(["a".repeat(253), "b"]);
  });
});

test("undefined is written as null", () => {
  const methods = ["boolean", "ubyte", "uint", "timestamp", "string", "symbol", "binary"] as const;
  for (const method of methods) expect(hex((writer) => writer[method](undefined))).toBe("40");
});

test("numbers outside the range of their type throw RangeError", () => {
  for (const v of [-1, 0.5, Number.NaN, 2 ** 32])
    expect(() => hex((w) => w.uint(v))).toThrow(`uint out of range: ${v}`);
  expect(() => hex((w) => w.ubyte(256))).toThrow(RangeError);
  expect(() => hex((w) => w.ulong(-1))).toThrow(RangeError);
  expect(() => hex((w) => w.ulong(2n ** 64n))).toThrow(RangeError);
  expect(() => hex((w) => w.timestamp(2n ** 63n))).toThrow(RangeError);
});

test("a symbol that is not ASCII throws RangeError", () => {
  for (const symbol of ["é", "\u0080", `${"a".repeat(300)}😀`, "\ud800"]) {
    expect(() => hex((writer) => writer.symbol(symbol))).toThrow("a symbol must be ASCII");
    expect(() => hex((writer) => writer.symbols(["a", symbol]))).toThrow("a symbol must be ASCII");
  }
});

test("any string, symbols and binary are read as they were written, with a slab of any size", () => {
  const ascii = fc.string({ unit: "binary-ascii", maxLength: 400 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 900 }),
      fc.string({ unit: "binary", maxLength: 400 }),
      ascii,
      fc.array(ascii),
      fc.uint8Array({ maxLength: 400 }),
      (slab, string, symbol, symbols, binary) => {
        const reader = new Reader(
          written((writer) => {
            writer.string(string);
            writer.symbols(symbols);
            writer.symbol(symbol);
            writer.binary(binary);
          }, slab),
        );
        expect(reader.string()).toBe(string);
        expect(reader.symbols()).toEqual(symbols);
        expect(reader.string()).toBe(symbol);
        expect(reader.binary()).toEqual(binary);
        expect(reader.at).toBe(reader.end);
      },
    ),
  );
});

test("strings of three bytes per character are read as they were written, however little room the slab has", () => {
  const string = "漢".repeat(100);
  for (let slab = 100; slab < 320; slab++) {
    expect(new Reader(written((writer) => writer.string(string), slab)).string()).toBe(string);
  }
});

test("lone surrogates become U+FFFD in short and in long strings", () => {
  for (const length of [1, 100]) {
    const string = "\ud800".repeat(length);
    expect(new Reader(written((writer) => writer.string(string))).string()).toBe("\ufffd".repeat(length));
  }
});

test("a uuid is written as its bytes", () => {
  const uuid = new Uuid(Uint8Array.from(Array(16).keys()));
  expect(hex((writer) => writer.uuid(uuid))).toBe("98000102030405060708090a0b0c0d0e0f");
});

describe("the slab", () => {
  test("bytes that were taken are never overwritten", () => {
    const writer = new Writer(64);
    const taken: [bytes: Uint8Array, expected: string][] = [];
    for (let i = 0; i < 100; i++) {
      const string = `message ${i} `.repeat(i % 7);
      writer.string(string);
      taken.push([writer.take(), string]);
    }
    for (const [bytes, expected] of taken) expect(new Reader(bytes).string()).toBe(expected);
  });

  test("a list survives the replacement of its slab", () => {
    const writer = new Writer(32);
    writer.string("taken");
    writer.take();
    writer.string("left");
    const mark = writer.beginList();
    for (let i = 0; i < 100; i++) writer.string(`item ${i}`);
    writer.endList(mark, 100);
    const reader = new Reader(writer.take());
    expect(reader.string()).toBe("left");
    expect(reader.value()).toEqual(Array.from({ length: 100 }, (_, i) => `item ${i}`));
  });

  test("a large message in many small pieces is not copied for each piece", () => {
    const writer = new Writer(1024);
    const slabs = new Set<Uint8Array>();
    for (let i = 0; i < 10_000; i++) {
      writer.append(new Uint8Array(100));
      slabs.add(writer.bytes);
    }
    expect(writer.take()).toHaveLength(1_000_000);
    expect(slabs.size).toBeLessThan(25);
  });
});
