import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { ProtocolError } from "@/src/core/errors.js";
import { type Body, decodeMessage, encodeMessage, type Message, type MessageId } from "@/src/core/messages/message.js";
import { Cursor } from "@/src/core/types/cursor.js";
import { Reader } from "@/src/core/types/reader.js";
import { Uuid } from "@/src/core/types/uuid.js";
import { Writer } from "@/src/core/types/writer.js";
import { amqpValue, compound, u32 } from "@/test/fixtures/peers/amqp-values.js";

/** Loaded by require: rhea is CommonJS and its typings have no default export. */
const rhea: typeof import("rhea") = createRequire(import.meta.url)("rhea");

function encode(message: Message): Uint8Array {
  const writer = new Writer();
  encodeMessage(writer, message);
  return writer.take();
}

/** A payload of sections, each a descriptor and the bytes of its value. */
function payload(...sections: [code: number, value: number[]][]): Uint8Array {
  return Uint8Array.from(sections.flatMap(([code, value]) => [0x00, 0x53, code].concat(value)));
}

function attempt(bytes: Uint8Array): unknown {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    return error;
  }
}

const uint = fc.integer({ min: 0, max: 0xffff_ffff });
const text = fc.string({ unit: "binary", maxLength: 300 });
const symbol = fc.string({ unit: "binary-ascii", maxLength: 40 });
const binary = fc.uint8Array({ maxLength: 300 });
const timestamp = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const messageId: fc.Arbitrary<MessageId> = fc.oneof(
  text,
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  binary,
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => new Uuid(bytes)),
);
const body: fc.Arbitrary<Body> = fc.oneof(
  fc.oneof(text, fc.constant(null), binary).map((value) => ({ type: "value" as const, value })),
  binary.map((bytes) => ({ type: "data" as const, bytes })),
);
const message: fc.Arbitrary<Message> = fc.record(
  {
    durable: fc.boolean(),
    priority: fc.nat(255),
    ttl: uint,
    firstAcquirer: fc.boolean(),
    deliveryCount: uint,
    messageId,
    userId: binary,
    to: text,
    subject: text,
    replyTo: text,
    correlationId: messageId,
    contentType: symbol,
    contentEncoding: symbol,
    absoluteExpiryTime: timestamp,
    creationTime: timestamp,
    groupId: text,
    groupSequence: uint,
    replyToGroupId: text,
    body,
  },
  { requiredKeys: [] },
);

const call: Message = {
  ttl: 60_000,
  messageId: "84130afe58754ec7893857aded911846",
  to: "openstack.org/om/rpc/anycast/openstack/test-topic",
  replyTo: "amqp:/_topo/0/Router.A/temp._dNIY1t_ygx2A9X",
  correlationId: new Uuid(new Uint8Array(16)),
  body: { type: "value", value: `{"response": "${"é".repeat(500)}"}` },
};

describe("a message that is encoded and decoded", () => {
  test("a message with any fields is decoded as it was encoded", () => {
    fc.assert(
      fc.property(message, (original) => {
        expect(decodeMessage(encode(original))).toEqual(original);
      }),
      { numRuns: 500 },
    );
  });

  test("0, false and the empty string are not confused with omitted fields", () => {
    const original: Message = { durable: false, priority: 0, ttl: 0, deliveryCount: 0, to: "", correlationId: 0n };
    expect(decodeMessage(encode({ ...original, body: { type: "value", value: "" } }))).toEqual({
      ...original,
      body: { type: "value", value: "" },
    });
  });

  test("a header and properties without fields are empty lists, and an omitted body is not written", () => {
    expect(encode({})).toEqual(payload([0x70, [0x45]], [0x73, [0x45]]));
    expect(encode({ body: { type: "value", value: null } })).toEqual(
      payload([0x70, [0x45]], [0x73, [0x45]], [0x77, [0x40]]),
    );
    expect(decodeMessage(encode({})).body).toBeUndefined();
  });

  test("a message that cannot be encoded leaves nothing in the writer", () => {
    const writer = new Writer(64);
    writer.string("before");
    const bad: [message: Message, error: string][] = [
      [{ ttl: 0.5 }, "uint out of range: 0.5"],
      [{ to: "x".repeat(100), correlationId: -1n }, "ulong out of range: -1"],
      [{ body: { type: "value", value: 7 } }, "cannot send a number as a message body"],
      [{ body: { type: "sequence", items: [] } }, "cannot send a sequence as a message body"],
    ];
    for (const [message, error] of bad) expect(() => encodeMessage(writer, message)).toThrow(error);
    writer.string("behind");
    expect(Buffer.from(writer.take()).toString()).toBe("\xa1\x06before\xa1\x06behind".replaceAll("\xa1", "\ufffd"));
  });
});

describe("rhea", () => {
  test("rhea decodes the messages that are encoded", () => {
    fc.assert(
      fc.property(text, text, fc.integer({ min: 1, max: 2 ** 31 }), (to, value, ttl) => {
        const read = rhea.message.decode(Buffer.from(encode({ ...call, to, ttl, body: { type: "value", value } })));
        expect(read).toMatchObject({ to, ttl, reply_to: call.replyTo, message_id: call.messageId, body: value });
        expect(read["correlation_id"]).toEqual(Buffer.alloc(16));
      }),
    );
  });

  test("messages that rhea encodes are decoded", () => {
    const bytes = rhea.message.encode({
      durable: true,
      ttl: 5000,
      message_id: "id",
      to: "to",
      group_sequence: 3,
      creation_time: new Date(1_700_000_000_000),
      message_annotations: { "x-opt-a": 1 },
      application_properties: { a: "b" },
      footer: { f: 1 },
      body: { list: [1, "two", null] },
    });
    expect(decodeMessage(bytes)).toEqual({
      durable: true,
      ttl: 5000,
      messageId: "id",
      to: "to",
      groupSequence: 3,
      creationTime: 1_700_000_000_000n,
      body: { type: "value", value: new Map([["list", [1, "two", null]]]) },
    });
    const data = rhea.message.encode({ body: rhea.message.data_sections([Buffer.from("ab"), Buffer.from("c")]) });
    expect(decodeMessage(data).body).toEqual({ type: "data", bytes: Uint8Array.from(Buffer.from("abc")) });
    const sequence = rhea.message.encode({ body: rhea.message.sequence_sections([[1, 2], ["three"]]) });
    expect(decodeMessage(sequence).body).toEqual({ type: "sequence", items: [1, 2, "three"] });
  });
});

describe("sections", () => {
  const value: [number, number[]] = [0x77, [0xa1, 1, 0x61]];

  test("annotations, application properties and footer are skipped", () => {
    const map = compound(0xc1, false, 2, [0xa3, 1, 0x61, 0x40]);
    const bytes = payload([0x70, [0x45]], [0x71, map], [0x72, map], [0x73, [0x45]], [0x74, map], value, [0x78, map]);
    expect(decodeMessage(bytes)).toEqual({ body: { type: "value", value: "a" } });
  });

  test("an amqp-value body can be a value of any AMQP type", () => {
    fc.assert(
      fc.property(amqpValue, (encoded) => {
        expect(decodeMessage(payload([0x77, encoded.bytes])).body).toEqual({ type: "value", value: encoded.value });
      }),
    );
  });

  test("fields that a later version may add are skipped", () => {
    const header = compound(0xc0, false, 6, [0x41, 0x40, 0x40, 0x40, 0x40, 0xa1, 1, 0x61]);
    expect(decodeMessage(payload([0x70, header], value))).toEqual({
      durable: true,
      body: { type: "value", value: "a" },
    });
  });

  test("symbols where strings belong are read, and strings where symbols belong", () => {
    const nulls = (count: number): number[] => new Array(count).fill(0x40);
    const text = (code: number, letter: string): number[] => [code, 1, letter.charCodeAt(0)];
    const fields = [
      [...text(0xa3, "i"), 0x40, ...text(0xa3, "t"), ...text(0xa3, "s"), ...text(0xa3, "r"), ...text(0xa3, "c")],
      [...text(0xa1, "y"), ...text(0xa1, "e"), ...nulls(2), ...text(0xa3, "g"), 0x40, ...text(0xa3, "h")],
    ];
    expect(decodeMessage(payload([0x73, compound(0xc0, false, 13, fields.flat())], value))).toEqual({
      messageId: "i",
      to: "t",
      subject: "s",
      replyTo: "r",
      correlationId: "c",
      contentType: "y",
      contentEncoding: "e",
      groupId: "g",
      replyToGroupId: "h",
      body: { type: "value", value: "a" },
    });
  });

  test("annotations and application properties may have strings or symbols as keys", () => {
    const map = compound(0xc1, false, 4, [0xa1, 1, 0x61, 0x40, 0xa3, 1, 0x62, 0x40]);
    const bytes = payload([0x71, map], [0x72, map], [0x74, map], value);
    expect(decodeMessage(bytes)).toEqual({ body: { type: "value", value: "a" } });
  });

  const refused: [name: string, bytes: Uint8Array, message: RegExp][] = [
    ["a second header", payload([0x70, [0x45]], value, [0x70, [0x45]]), /duplicate message section 0x70/],
    ["two values", payload(value, value), /duplicate message section 0x77/],
    ["data and a value", payload([0x75, [0xa0, 0]], value), /duplicate message section 0x77/],
    [
      "data in two places",
      payload([0x75, [0xa0, 0]], [0x78, [0xc1, 1, 0]], [0x75, [0xa0, 0]]),
      /duplicate message section 0x75/,
    ],
    ["a section that is not of a message", payload([0x24, [0x45]]), /unknown message section 0x24/],
    ["a section without a descriptor", Uint8Array.of(0x45), /list0 where described value was expected/],
    ["properties that are not a list", payload([0x73, [0x40]]), /null where list was expected/],
    ["data that is null", payload([0x75, [0x40]]), /data section without data/],
    ["a sequence that is not a list", payload([0x76, [0x40]]), /amqp-sequence section without a list/],
    [
      "a message id that is a list",
      payload([0x73, compound(0xc0, false, 1, [0x45])]),
      /list0 where string was expected/,
    ],
    [
      "a header with a string as ttl",
      payload([0x70, compound(0xc0, false, 3, [0x40, 0x40, 0xa1, 0])]),
      /str8 where uint/,
    ],
    [
      "a header longer than its fields",
      payload([0x70, compound(0xc0, false, 1, [0x40, 0x40])]),
      /list whose values take 1 bytes less than its size/,
    ],
  ];

  test.each(refused)("decoding refuses %s", (_, bytes, message) => {
    expect(attempt(bytes)).toBeInstanceOf(ProtocolError);
    expect(String(attempt(bytes))).toMatch(message);
  });
});

describe("untrusted input", () => {
  /** Ends of the sections of a message: cut there, it is still a message. */
  function sectionEnds(bytes: Uint8Array): Set<number> {
    const reader = new Reader(bytes);
    const ends = new Set([0]);
    while (reader.at < reader.end) {
      reader.skip();
      ends.add(reader.at);
    }
    return ends;
  }

  test("every truncation within a section throws ProtocolError", () => {
    fc.assert(
      fc.property(fc.oneof(message, fc.constant(call)), (original) => {
        const bytes = encode(original);
        const ends = sectionEnds(bytes);
        for (let end = 0; end < Math.min(bytes.length, 400); end++) {
          if (ends.has(end)) expect(attempt(bytes.subarray(0, end))).not.toBeInstanceOf(Error);
          else expect(attempt(bytes.subarray(0, end))).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("a message with changed bytes is decoded or throws ProtocolError", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(message, changes, (original, positions) => {
        const bytes = encode(original);
        for (const [position, byte] of positions) bytes[position % bytes.length] = byte;
        const result = attempt(bytes);
        if (result instanceof Error) expect(result).toBeInstanceOf(ProtocolError);
      }),
      { numRuns: 2000 },
    );
  });

  test("random bytes, also within a section, are decoded or throw ProtocolError", () => {
    const section = fc.constantFrom(0x70, 0x71, 0x73, 0x75, 0x76, 0x77);
    fc.assert(
      fc.property(fc.option(section), fc.uint8Array({ minLength: 1, maxLength: 200 }), (code, bytes) => {
        const result = attempt(code === null ? bytes : payload([code, [...bytes]]));
        if (result instanceof Error) expect(result).toBeInstanceOf(ProtocolError);
      }),
      { numRuns: 5000 },
    );
  });

  const poison: [name: string, bytes: Uint8Array, message: RegExp][] = [
    [
      "an array of 2^32-1 nulls in 13 bytes",
      payload([0x77, [0xf0, ...u32(5), ...u32(0xffff_ffff), 0x40]]),
      /array32 of 4294967295 null values in 0 bytes/,
    ],
    [
      "24 nested lists of 2^25 values each in 219 bytes",
      payload([0x77, new Array(24).fill([0xd0, ...u32(0), 0x01, 0xff, 0xff, 0xff]).flat()]),
      /list32 of 0 bytes is too short for its count/,
    ],
    [
      "an array of 2^32-1 nulls in annotations",
      payload([0x72, [0xf0, ...u32(5), ...u32(0xffff_ffff), 0x40]]),
      /array32 of 4294967295 null values/,
    ],
    [
      "300,000 empty maps",
      payload([0x77, compound(0xc0, true, 300_000, repeated([0xc1, 1, 0], 300_000))]),
      /more than 262144 values/,
    ],
    [
      "a million pieces of data",
      repeatedBytes([0x00, 0x53, 0x75, 0xa0, 0], 1_000_000),
      /message body of more than 65536 sections/,
    ],
    [
      "a sequence in pieces of a hundred maps each",
      repeatedBytes([0x00, 0x53, 0x76, ...compound(0xc0, true, 100, repeated([0xc1, 1, 0], 100))], 50_000),
      /more than 262144 values/,
    ],
  ];

  test.each(poison)("decoding refuses %s after fewer than 300,000 values", (_, bytes, message) => {
    let values = 0;
    const { code } = Cursor.prototype;
    onTestFinished(() => {
      Cursor.prototype.code = code;
    });
    Cursor.prototype.code = function () {
      values++;
      return code.call(this);
    };
    const result = attempt(bytes);
    expect(values).toBeGreaterThan(0);
    expect(values).toBeLessThan(300_000);
    expect(result).toBeInstanceOf(ProtocolError);
    expect(String(result)).toMatch(message);
  });
});

function repeated(bytes: readonly number[], times: number): number[] {
  return Array.from(repeatedBytes(bytes, times));
}

function repeatedBytes(bytes: readonly number[], times: number): Uint8Array {
  const whole = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) whole.set(bytes, i * bytes.length);
  return whole;
}
