import fc from "fast-check";
import { Uuid } from "@/src/core/types/uuid.js";
import { Described } from "@/src/core/types/value.js";

/** A value on the wire, written down by hand, and what it is to be read as. */
export interface Encoded {
  bytes: number[];
  value: unknown;
}

export function u32(n: number): number[] {
  return [n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff];
}

function u64(n: bigint): number[] {
  return [...u32(Number(BigInt.asUintN(32, n >> 32n))), ...u32(Number(BigInt.asUintN(32, n)))];
}

function float(bytes: 4 | 8, n: number): number[] {
  const view = new DataView(new ArrayBuffer(bytes));
  if (bytes === 4) view.setFloat32(0, n);
  else view.setFloat64(0, n);
  return [...new Uint8Array(view.buffer)];
}

/** A string, symbol or binary in the form with a size of one byte, or in the other one. */
function sized(code: number, wide: boolean, content: readonly number[]): number[] {
  return wide || content.length > 255
    ? [code + 0x10, ...u32(content.length), ...content]
    : [code, content.length, ...content];
}

/** A list (0xc0), map (0xc1) or array (0xe0) likewise. */
export function compound(code: number, wide: boolean, count: number, content: readonly number[]): number[] {
  return wide || content.length > 254 || count > 255
    ? [code + 0x10, ...u32(content.length + 4), ...u32(count), ...content]
    : [code, content.length + 1, count, ...content];
}

const utf8 = (text: string) => [...new TextEncoder().encode(text)];
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const text = fc.string({ unit: "binary", maxLength: 300 });
const ascii = fc.string({ unit: "binary-ascii", maxLength: 60 });
const octets = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 300 });

const scalar: fc.Arbitrary<Encoded> = fc.oneof(
  fc.constantFrom<Encoded>(
    { bytes: [0x40], value: null },
    { bytes: [0x41], value: true },
    { bytes: [0x42], value: false },
    { bytes: [0x43], value: 0 },
    { bytes: [0x44], value: 0n },
    { bytes: [0x45], value: [] },
    { bytes: [0x56, 0], value: false },
    { bytes: [0x56, 1], value: true },
  ),
  fc.constantFrom(0x50, 0x52).chain((code) => fc.nat(255).map((n) => ({ bytes: [code, n], value: n }))),
  fc
    .constantFrom(0x51, 0x54)
    .chain((code) => fc.integer({ min: -128, max: 127 }).map((n) => ({ bytes: [code, n & 0xff], value: n }))),
  fc.nat(255).map((n) => ({ bytes: [0x53, n], value: BigInt(n) })),
  fc.integer({ min: -128, max: 127 }).map((n) => ({ bytes: [0x55, n & 0xff], value: BigInt(n) })),
  fc.nat(65_535).map((n) => ({ bytes: [0x60, n >> 8, n & 0xff], value: n })),
  fc.integer({ min: -32_768, max: 32_767 }).map((n) => ({ bytes: [0x61, (n >> 8) & 0xff, n & 0xff], value: n })),
  fc.integer({ min: 0, max: 0xffff_ffff }).map((n) => ({ bytes: [0x70, ...u32(n)], value: n })),
  fc.integer().map((n) => ({ bytes: [0x71, ...u32(n)], value: n })),
  fc.float().map((n) => ({ bytes: [0x72, ...float(4, n)], value: n })),
  fc.double().map((n) => ({ bytes: [0x82, ...float(8, n)], value: n })),
  fc
    .string({ unit: "binary", minLength: 1, maxLength: 1 })
    .map((char) => ({ bytes: [0x73, ...u32(char.codePointAt(0) ?? 0)], value: char })),
  uint64.map((n) => ({ bytes: [0x80, ...u64(n)], value: n })),
  fc.constantFrom(0x81, 0x83).chain((code) => int64.map((n) => ({ bytes: [code, ...u64(n)], value: n }))),
  fc
    .constantFrom([0x74, 4], [0x84, 8], [0x94, 16])
    .chain(([code = 0, size = 0]) =>
      fc
        .array(fc.nat(255), { minLength: size, maxLength: size })
        .map((content) => ({ bytes: [code, ...content], value: Uint8Array.from(content) })),
    ),
  fc
    .array(fc.nat(255), { minLength: 16, maxLength: 16 })
    .map((content) => ({ bytes: [0x98, ...content], value: new Uuid(Uint8Array.from(content)) })),
  fc.tuple(fc.boolean(), text).map(([wide, s]) => ({ bytes: sized(0xa1, wide, utf8(s)), value: s })),
  fc.tuple(fc.boolean(), ascii).map(([wide, s]) => ({ bytes: sized(0xa3, wide, utf8(s)), value: s })),
  fc.tuple(fc.boolean(), octets).map(([wide, b]) => ({ bytes: sized(0xa0, wide, b), value: Uint8Array.from(b) })),
);

const array: fc.Arbitrary<Encoded> = fc.oneof(
  fc.tuple(fc.boolean(), fc.array(fc.nat(255))).map(([wide, items]) => ({
    bytes: compound(0xe0, wide, items.length, [0x50, ...items]),
    value: items,
  })),
  fc.tuple(fc.boolean(), fc.array(ascii)).map(([wide, items]) => ({
    bytes: compound(0xe0, wide, items.length, [0xb3, ...items.flatMap((s) => [...u32(s.length), ...utf8(s)])]),
    value: items,
  })),
  fc.tuple(fc.boolean(), fc.array(fc.array(fc.nat(255), { maxLength: 8 }))).map(([wide, items]) => ({
    bytes: compound(0xe0, wide, items.length, [
      0xc0,
      ...items.flatMap((item) => [item.length * 2 + 1, item.length, ...item.flatMap((n) => [0x52, n])]),
    ]),
    value: items,
  })),
  fc.tuple(fc.boolean(), fc.array(fc.nat(255))).map(([wide, items]) => ({
    bytes: compound(0xe0, wide, items.length, [0x00, 0x53, 0x28, 0x50, ...items]),
    value: items.map((n) => new Described(0x28n, n)),
  })),
);

/** Any value of AMQP 1.0, in any of its forms. */
export const amqpValue: fc.Arbitrary<Encoded> = fc.letrec<{ value: Encoded }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    scalar,
    array,
    fc.tuple(fc.boolean(), fc.array(tie("value"), { maxLength: 6 })).map(([wide, items]) => ({
      bytes: compound(
        0xc0,
        wide,
        items.length,
        items.flatMap((item) => item.bytes),
      ),
      value: items.map((item) => item.value),
    })),
    fc
      .tuple(fc.boolean(), fc.uniqueArray(fc.tuple(ascii, tie("value")), { maxLength: 4, selector: ([key]) => key }))
      .map(([wide, entries]) => ({
        bytes: compound(
          0xc1,
          wide,
          entries.length * 2,
          entries.flatMap(([key, item]) => [...sized(0xa3, false, utf8(key)), ...item.bytes]),
        ),
        value: new Map(entries.map(([key, item]) => [key, item.value])),
      })),
    fc.tuple(uint64, tie("value")).map(([descriptor, item]) => ({
      bytes: [0x00, 0x80, ...u64(descriptor), ...item.bytes],
      value: new Described(descriptor, item.value),
    })),
    fc.tuple(ascii, tie("value")).map(([descriptor, item]) => ({
      bytes: [0x00, ...sized(0xa3, false, utf8(descriptor)), ...item.bytes],
      value: new Described(descriptor, item.value),
    })),
  ),
})).value;
