import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "@/src/core/errors.js";
import { Reader } from "@/src/core/types/reader.js";
import { Uuid } from "@/src/core/types/uuid.js";
import { amqpValue, compound, u32 } from "@/test/fixtures/peers/amqp-values.js";

function reader(...bytes: number[]): Reader {
  return new Reader(Uint8Array.from(bytes));
}

/** Returns the value that was read, or the error that was thrown. */
function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

/** Lists (or the results of `wrap`), nested `levels` deep around a null. */
function nested(levels: number, wrap = (inner: number[]) => compound(0xc0, true, 1, inner)): number[] {
  let bytes = [0x40];
  for (let i = 0; i < levels; i++) bytes = wrap(bytes);
  return bytes;
}

describe("values of any type", () => {
  test("a value is read as it was written, at any offset, and skipped to the same end", () => {
    fc.assert(
      fc.property(amqpValue, fc.nat(9), ({ bytes, value }, offset) => {
        const whole = Uint8Array.from([...new Array(offset).fill(0xff), ...bytes, 0x41]);
        const read = new Reader(whole, offset);
        expect(read.value()).toEqual(value);
        expect(read.at).toBe(offset + bytes.length);
        expect(read.end).toBe(whole.length);
        const skipped = new Reader(whole, offset);
        skipped.skip();
        expect(skipped.at).toBe(read.at);
        expect(skipped.end).toBe(whole.length);
      }),
      { numRuns: 500 },
    );
  });

  test("every truncation of a value throws ProtocolError", () => {
    fc.assert(
      fc.property(amqpValue, ({ bytes }) => {
        const whole = Uint8Array.from(bytes);
        for (let end = 0; end < Math.min(whole.length, 200); end++) {
          expect(attempt(() => new Reader(whole, 0, end).value())).toBeInstanceOf(ProtocolError);
          expect(attempt(() => new Reader(whole, 0, end).skip())).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });

  test("a value with a changed byte throws only ProtocolError, and the reader stays within its end", () => {
    fc.assert(
      fc.property(amqpValue, fc.nat(), fc.nat(255), ({ bytes }, position, byte) => {
        const changed = Uint8Array.from([...bytes, 0x40, 0x40]);
        changed[position % bytes.length] = byte;
        for (const method of ["value", "skip"] as const) {
          const read = new Reader(changed, 0, bytes.length);
          const error = attempt(() => read[method]());
          if (error instanceof Error) expect(error).toBeInstanceOf(ProtocolError);
          expect(read.at).toBeLessThanOrEqual(bytes.length);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("random bytes throw only ProtocolError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        for (const method of ["value", "skip", "list", "described", "symbols", "string", "uint"] as const) {
          const error = attempt(() => new Reader(bytes)[method]());
          if (error instanceof Error) expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("values that read and skip refuse", () => {
  const cases: [name: string, bytes: number[], message: RegExp][] = [
    [
      "an array of 2^32-1 nulls",
      [0xf0, ...u32(5), ...u32(0xffff_ffff), 0x40],
      /array32 of 4294967295 null values in 0 bytes/,
    ],
    ["an array of one empty list", compound(0xe0, false, 1, [0x45]), /array8 of 1 list0 values/],
    [
      "an array with more integers than bytes",
      compound(0xe0, false, 3, [0x70, ...u32(1), ...u32(2)]),
      /array8 of 3 uint values in 8 bytes/,
    ],
    ["an array of described nulls", compound(0xe0, false, 9, [0x00, 0x53, 0x24, 0x40]), /array8 of 9 null values/],
    // rhea would read the missing type behind the array, and misread the values that follow.
    ["an empty array without a type", compound(0xe0, false, 0, []), /no bytes left for a value/],
    ["an array of an unknown type", compound(0xe0, false, 1, [0x4f]), /array8 of unknown type 0x4f/],
    [
      "a list with more values than bytes",
      compound(0xc0, true, 0x01ff_ffff, [0x40]),
      /list32 of 33554431 values in 1 b/,
    ],
    ["a list with a size beyond the input", [0xd0, ...u32(99), ...u32(1)], /list32 needs 99 bytes, 4 left/],
    ["a list too small for its count", [0xd0, ...u32(2), ...u32(0)], /list32 of 2 bytes is too short for its count/],
    ["a list larger than its values", compound(0xc0, false, 1, [0x40, 0x40]), /list8 with 1 extra bytes/],
    [
      "a list with a value that extends past its end",
      [...compound(0xc0, false, 1, [0x70, 0]), 0, 0, 0],
      /uint needs 4 bytes, 1 left/,
    ],
    ["a map of an odd number of values", compound(0xc1, false, 1, [0x40]), /map8 with an odd number of values \(1\)/],
    ["a string of 4 GB", [0xb1, ...u32(0xffff_ffff), 0x61], /str32 needs 4294967295 bytes, 1 left/],
    ["a descriptor that is a string", [0x00, 0xa1, 1, 0x61, 0x40], /invalid descriptor of type str8/],
    ["an unknown type", [0x57, 1], /unknown type 0x57/],
    ["lists nested 33 deep", nested(33), /list32 nested more than 32 deep/],
    [
      "descriptors nested 33 deep",
      nested(33, (inner) => [0x00, 0x53, 1, ...inner]),
      /described value nested more than 32 deep/,
    ],
    [
      "an array 33 lists deep",
      nested(32, (inner) => compound(0xc0, true, 1, inner[0] === 0x40 ? compound(0xe0, false, 0, [0x50]) : inner)),
      /array8 nested more than 32 deep/,
    ],
  ];

  test.each(cases)("read and skip refuse %s", (_, bytes, message) => {
    for (const method of ["value", "skip"] as const) {
      const error = attempt(() => reader(...bytes)[method]());
      expect(error).toBeInstanceOf(ProtocolError);
      expect(String(error)).toMatch(message);
      expect(String(error)).toMatch(/at offset \d+$/);
    }
  });

  test("values nested 32 deep are read and skipped", () => {
    expect(reader(...nested(32)).value()).toBeInstanceOf(Array);
    const read = reader(...nested(32));
    read.skip();
    expect(read.at).toBe(read.end);
  });
});

describe("values that read refuses", () => {
  const cases: [name: string, bytes: number[], message: RegExp][] = [
    ["a short string that is not UTF-8", [0xa1, 2, 0xc3, 0x28], /str8 of 2 bytes is not valid UTF-8, at offset 2/],
    [
      "a long string that is not UTF-8",
      [0xb1, ...u32(100), ...new Array(99).fill(0x61), 0xff],
      /str32 of 100 bytes is not valid UTF-8, at offset 5/,
    ],
    ["a surrogate in UTF-8", [0xa1, 3, 0xed, 0xa0, 0x80], /not valid UTF-8/],
    ["a boolean that is neither 0 nor 1", [0x56, 2], /invalid boolean 0x2/],
    ["a char that is a surrogate", [0x73, ...u32(0xd800)], /invalid char 0xd800/],
    ["a char beyond Unicode", [0x73, ...u32(0x11_0000)], /invalid char 0x110000/],
    ["a map with a duplicate key", compound(0xc1, false, 4, [0x41, 0x40, 0x41, 0x40]), /map8 with a duplicate key/],
    [
      "300,000 empty maps",
      compound(0xc0, true, 300_000, new Array(300_000).fill([0xc1, 1, 0]).flat()),
      /more than 262144 values/,
    ],
  ];

  test.each(cases)("read refuses %s", (_, bytes, message) => {
    const error = attempt(() => new Reader(Uint8Array.from(bytes)).value());
    expect(error).toBeInstanceOf(ProtocolError);
    expect(String(error)).toMatch(message);
  });

  test("the limit of values applies until the reader is reset", () => {
    const bytes = Uint8Array.from(compound(0xc0, true, 200_000, new Array(200_000).fill(0x40)));
    const read = new Reader(bytes);
    read.value();
    expect(read.reset(bytes, 0, bytes.length).value()).toHaveLength(200_000);
    read.at = 0;
    expect(() => read.value()).toThrow(ProtocolError);
  });
});

describe("values of one type", () => {
  test("null is read as undefined for every type, and as an empty array of symbols", () => {
    const methods = ["boolean", "ubyte", "uint", "ulong", "timestamp", "uuid", "string", "binary"] as const;
    for (const method of methods) expect(reader(0x40)[method]()).toBeUndefined();
    expect(reader(0x40).symbols()).toEqual([]);
  });

  test("a value of another type throws an error that names both types", () => {
    expect(() => reader(0xa1, 0).uint()).toThrow("str8 where uint was expected, at offset 0");
    expect(() => reader(0x43).string()).toThrow("uint0 where string was expected, at offset 0");
    expect(() => reader(0x40).list()).toThrow("null where list was expected");
    expect(() => reader(0x45).described()).toThrow("list0 where described value was expected");
    expect(() => reader(0x41).symbols()).toThrow("true where symbols were expected, at offset 0");
    expect(() => reader(...compound(0xe0, false, 1, [0x50, 7])).symbols()).toThrow(
      "array8 where symbols were expected, at offset 0",
    );
    for (const method of ["boolean", "ubyte", "ulong", "timestamp", "uuid", "binary"] as const) {
      expect(() => reader(0xa1, 0)[method]()).toThrow(`str8 where ${method} was expected`);
    }
  });

  test("a symbol is read where a string is expected, and strings where symbols are", () => {
    const text = new Array(300).fill(0x61);
    expect(reader(0xa3, 1, 0x61).string()).toBe("a");
    expect(reader(0xb3, ...u32(300), ...text).string()).toBe("a".repeat(300));
    expect(reader(0xa1, 1, 0x61).symbols()).toEqual(["a"]);
    expect(reader(0xb1, ...u32(1), 0x61).symbols()).toEqual(["a"]);
    expect(reader(...compound(0xe0, false, 2, [0xa1, 1, 0x61, 1, 0x62])).symbols()).toEqual(["a", "b"]);
    expect(reader(...compound(0xc0, false, 2, [0xa1, 1, 0x61, 0xa3, 1, 0x62])).symbols()).toEqual(["a", "b"]);
  });

  test("offsets in error messages count from the start of the input", () => {
    const bytes = Uint8Array.of(0xff, 0xff, 0x40, 0x57);
    const read = new Reader(bytes, 1).reset(bytes, 2, 4);
    read.skip();
    expect(() => read.uint()).toThrow("unknown type 0x57 where uint was expected, at offset 1");
  });

  test("all encodings of a type are read", () => {
    expect([reader(0x43).uint(), reader(0x52, 255).uint(), reader(0x70, ...u32(0xffff_ffff)).uint()]).toEqual([
      0, 255, 4_294_967_295,
    ]);
    expect([reader(0x44).ulong(), reader(0x53, 9).ulong(), reader(0x80, ...u32(1), ...u32(2)).ulong()]).toEqual([
      0n,
      9n,
      4_294_967_298n,
    ]);
    expect([reader(0x41).boolean(), reader(0x42).boolean(), reader(0x56, 1).boolean()]).toEqual([true, false, true]);
    expect([reader(0x50, 200).ubyte(), reader(0x60, 1, 2).ushort()]).toEqual([200, 258]);
    expect(reader(0x83, ...u32(0xffff_ffff), ...u32(0xffff_ffff)).timestamp()).toBe(-1n);
    expect(reader(0xa1, 2, 0xc3, 0xa9).string()).toBe("é");
    expect(reader(0xa3, 1, 0x61).symbols()).toEqual(["a"]);
    expect(reader(0xb3, ...u32(1), 0x61).symbols()).toEqual(["a"]);
    expect(reader(...compound(0xe0, false, 2, [0xa3, 1, 0x61, 1, 0x62])).symbols()).toEqual(["a", "b"]);
    expect(reader(0xb0, ...u32(2), 1, 2).binary()).toEqual(Uint8Array.of(1, 2));
    expect(String(reader(0x98, ...Array(16).keys()).uuid())).toBe("00010203-0405-0607-0809-0a0b0c0d0e0f");
  });

  test("a byte order mark is kept in short and in long strings", () => {
    const mark = [0xef, 0xbb, 0xbf];
    expect(reader(0xa1, 3, ...mark).string()).toBe("\ufeff");
    expect(reader(0xa1, 53, ...mark, ...new Array(50).fill(0x61)).string()).toBe(`\ufeff${"a".repeat(50)}`);
  });

  test("a uuid of 15 bytes throws RangeError", () => {
    expect(() => new Uuid(new Uint8Array(15))).toThrow(RangeError);
  });
});

describe("lists and descriptors", () => {
  test("leaveList skips the values of a list that were not read", () => {
    const read = reader(...compound(0xc0, false, 3, [0x43, 0x52, 7, 0xa1, 1, 0x61]), 0x41);
    const count = read.list();
    const end = read.listEnd;
    expect(count).toBe(3);
    expect(read.uint()).toBe(0);
    read.leaveList(count - 1, end);
    expect(read.boolean()).toBe(true);
  });

  test("an empty list has 0 values", () => {
    const read = reader(0x45);
    expect(read.list()).toBe(0);
    read.leaveList(-5, read.listEnd);
    expect(read.at).toBe(1);
  });

  test("a list whose values do not end at its end throws ProtocolError", () => {
    const read = reader(...compound(0xc0, false, 1, [0x43, 0x43]));
    const count = read.list();
    const end = read.listEnd;
    expect(() => read.leaveList(count, end)).toThrow(ProtocolError);
  });

  test("described reads numbers and the symbols that AMQP defines, and refuses other symbols", () => {
    expect(reader(0x00, 0x53, 0x14).described()).toBe(0x14);
    expect(reader(0x00, 0x80, ...u32(0), ...u32(0x24)).described()).toBe(0x24);
    expect(reader(0x00, 0xa3, 18, ...Buffer.from("amqp:accepted:list")).described()).toBe(0x24);
    expect(() => reader(0x00, 0xa3, 3, ...Buffer.from("a:b")).described()).toThrow('unknown descriptor "a:b"');
    expect(() => reader(0x00, 0x80, ...u32(1), ...u32(0)).described()).toThrow('unknown descriptor "4294967296"');
    expect(() => new Reader(Uint8Array.of(0x00, 0x53, 0x14), 0, 1).described()).toThrow(ProtocolError);
  });
});
