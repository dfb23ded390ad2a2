import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "@/src/core/errors.js";
import { Reader } from "@/src/core/types/reader.js";
import { Uuid } from "@/src/core/types/uuid.js";
import { amqpValue, compound, u32 } from "@/test/fixtures/peers/amqp-values.js";

function reader(...bytes: number[]): Reader {
  return new Reader(Uint8Array.from(bytes));
}

/** One read that is to fail, and how it may end. */
function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

/** `levels` lists (or what `wrap` makes), one inside the other, around a null. */
function nested(levels: number, wrap = (inner: number[]) => compound(0xc0, true, 1, inner)): number[] {
  let bytes = [0x40];
  for (let i = 0; i < levels; i++) bytes = wrap(bytes);
  return bytes;
}

describe("any value", () => {
  test("is read as what was written, wherever it stands, and skipped to the same end", () => {
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

  test("throws ProtocolError and nothing else at every truncation", () => {
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

  test("throws nothing but ProtocolError for a byte that was changed, and never reads past its end", () => {
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

  test("throws nothing but ProtocolError for random bytes", () => {
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

describe("refused, read or skipped", () => {
  const cases: [name: string, bytes: number[], message: RegExp][] = [
    [
      "an array of 2^32-1 nulls",
      [0xf0, ...u32(5), ...u32(0xffff_ffff), 0x40],
      /array32 of 4294967295 times null in 0 bytes/,
    ],
    ["an array of one empty list", compound(0xe0, false, 1, [0x45]), /array8 of 1 times list0/],
    [
      "an array of more integers than there are bytes",
      compound(0xe0, false, 3, [0x70, ...u32(1), ...u32(2)]),
      /array8 of 3 times uint in 8 bytes/,
    ],
    ["an array of described nulls", compound(0xe0, false, 9, [0x00, 0x53, 0x24, 0x40]), /array8 of 9 times null/],
    // rhea would look for it behind the array, and read all that follows as something else.
    ["an array of nothing without a type", compound(0xe0, false, 0, []), /no bytes are left for a value/],
    ["an array of an unknown type", compound(0xe0, false, 1, [0x4f]), /array8 of unknown type 0x4f/],
    ["a list of more values than bytes", compound(0xc0, true, 0x01ff_ffff, [0x40]), /list32 of 33554431 values in 1 b/],
    [
      "a list of more bytes than are left",
      [0xd0, ...u32(99), ...u32(1)],
      /list32 that needs 99 bytes where 4 are left/,
    ],
    ["a list too small for its count", [0xd0, ...u32(2), ...u32(0)], /list32 of 2 bytes, too few for its count/],
    ["a list larger than its values", compound(0xc0, false, 1, [0x40, 0x40]), /list8 with 1 bytes too many/],
    [
      "a list whose value reaches behind its end",
      [...compound(0xc0, false, 1, [0x70, 0]), 0, 0, 0],
      /uint that needs 4 bytes where 1 are left/,
    ],
    ["a map of an odd number of values", compound(0xc1, false, 1, [0x40]), /map8 of 1 values, an odd number/],
    ["a string of 4 GB", [0xb1, ...u32(0xffff_ffff), 0x61], /str32 that needs 4294967295 bytes where 1 are left/],
    ["a descriptor that is a string", [0x00, 0xa1, 1, 0x61, 0x40], /str8 as a descriptor/],
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

  test.each(cases)("%s", (_, bytes, message) => {
    for (const method of ["value", "skip"] as const) {
      const error = attempt(() => reader(...bytes)[method]());
      expect(error).toBeInstanceOf(ProtocolError);
      expect(String(error)).toMatch(message);
      expect(String(error)).toMatch(/at offset \d+$/);
    }
  });

  test("but 32 levels are not", () => {
    expect(reader(...nested(32)).value()).toBeInstanceOf(Array);
    const read = reader(...nested(32));
    read.skip();
    expect(read.at).toBe(read.end);
  });
});

describe("refused when read", () => {
  const cases: [name: string, bytes: number[], message: RegExp][] = [
    ["a short string that is not UTF-8", [0xa1, 2, 0xc3, 0x28], /str8 of 2 bytes that are not UTF-8, at offset 2/],
    [
      "a long string that is not UTF-8",
      [0xb1, ...u32(100), ...new Array(99).fill(0x61), 0xff],
      /str32 of 100 bytes that are not UTF-8, at offset 5/,
    ],
    ["a surrogate in UTF-8", [0xa1, 3, 0xed, 0xa0, 0x80], /not UTF-8/],
    ["a boolean that is neither", [0x56, 2], /boolean of 0x2/],
    ["a char that is none", [0x73, ...u32(0xd800)], /char of 0xd800/],
    ["a char beyond Unicode", [0x73, ...u32(0x11_0000)], /char of 0x110000/],
    ["a map with a key twice", compound(0xc1, false, 4, [0x41, 0x40, 0x41, 0x40]), /map8 with a key twice/],
    [
      "300,000 empty maps",
      compound(0xc0, true, 300_000, new Array(300_000).fill([0xc1, 1, 0]).flat()),
      /more than 262144 values/,
    ],
  ];

  test.each(cases)("%s", (_, bytes, message) => {
    const error = attempt(() => new Reader(Uint8Array.from(bytes)).value());
    expect(error).toBeInstanceOf(ProtocolError);
    expect(String(error)).toMatch(message);
  });

  test("values are counted until the reader is reset", () => {
    const bytes = Uint8Array.from(compound(0xc0, true, 200_000, new Array(200_000).fill(0x40)));
    const read = new Reader(bytes);
    read.value();
    expect(read.reset(bytes, 0, bytes.length).value()).toHaveLength(200_000);
    read.at = 0;
    expect(() => read.value()).toThrow(ProtocolError);
  });
});

describe("values of one type", () => {
  test("null is undefined for all of them, and no symbols", () => {
    const methods = ["boolean", "ubyte", "uint", "ulong", "timestamp", "uuid", "string", "symbol", "binary"] as const;
    for (const method of methods) expect(reader(0x40)[method]()).toBeUndefined();
    expect(reader(0x40).symbols()).toEqual([]);
  });

  test("another type is refused, naming both", () => {
    expect(() => reader(0xa1, 0).uint()).toThrow("str8 where uint was expected, at offset 0");
    expect(() => reader(0x43).string()).toThrow("uint0 where string was expected, at offset 0");
    expect(() => reader(0xa3, 0).string()).toThrow("sym8 where string was expected");
    expect(() => reader(0xa1, 0).symbol()).toThrow("str8 where symbol was expected");
    expect(() => reader(0x40).list()).toThrow("null where list was expected");
    expect(() => reader(0x45).described()).toThrow("list0 where described value was expected");
    expect(() => reader(0xa1, 0).symbols()).toThrow("str8 where symbols was expected");
    expect(() => reader(...compound(0xe0, false, 1, [0x50, 7])).symbols()).toThrow(
      "array8 of something else than symbols",
    );
    for (const method of ["boolean", "ubyte", "ulong", "timestamp", "uuid", "binary"] as const) {
      expect(() => reader(0xa1, 0)[method]()).toThrow(`str8 where ${method} was expected`);
    }
  });

  test("offsets in messages count from where reading began", () => {
    const bytes = Uint8Array.of(0xff, 0xff, 0x40, 0x57);
    const read = new Reader(bytes, 1).reset(bytes, 2, 4);
    read.skip();
    expect(() => read.uint()).toThrow("unknown type 0x57 where uint was expected, at offset 1");
  });

  test("all forms of a type are read", () => {
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

  test("a byte order mark is part of its string, be it short or long", () => {
    const mark = [0xef, 0xbb, 0xbf];
    expect(reader(0xa1, 3, ...mark).string()).toBe("\ufeff");
    expect(reader(0xa1, 53, ...mark, ...new Array(50).fill(0x61)).string()).toBe(`\ufeff${"a".repeat(50)}`);
  });

  test("a uuid has 16 bytes", () => {
    expect(() => new Uuid(new Uint8Array(15))).toThrow(RangeError);
  });
});

describe("lists and descriptors", () => {
  test("a list is entered, and left behind what is not understood", () => {
    const read = reader(...compound(0xc0, false, 3, [0x43, 0x52, 7, 0xa1, 1, 0x61]), 0x41);
    const count = read.list();
    const end = read.listEnd;
    expect(count).toBe(3);
    expect(read.uint()).toBe(0);
    read.leaveList(count - 1, end);
    expect(read.boolean()).toBe(true);
  });

  test("an empty list has no values", () => {
    const read = reader(0x45);
    expect(read.list()).toBe(0);
    read.leaveList(-5, read.listEnd);
    expect(read.at).toBe(1);
  });

  test("a list whose values end elsewhere than it does is refused", () => {
    const read = reader(...compound(0xc0, false, 1, [0x43, 0x43]));
    const count = read.list();
    const end = read.listEnd;
    expect(() => read.leaveList(count, end)).toThrow(ProtocolError);
  });

  test("descriptors are numbers, or symbols that AMQP defines", () => {
    expect(reader(0x00, 0x53, 0x14).described()).toBe(0x14);
    expect(reader(0x00, 0x80, ...u32(0), ...u32(0x24)).described()).toBe(0x24);
    expect(reader(0x00, 0xa3, 18, ...Buffer.from("amqp:accepted:list")).described()).toBe(0x24);
    expect(() => reader(0x00, 0xa3, 3, ...Buffer.from("a:b")).described()).toThrow('unknown descriptor "a:b"');
    expect(() => reader(0x00, 0x80, ...u32(1), ...u32(0)).described()).toThrow('unknown descriptor "4294967296"');
    expect(() => new Reader(Uint8Array.of(0x00, 0x53, 0x14), 0, 1).described()).toThrow(ProtocolError);
  });
});
