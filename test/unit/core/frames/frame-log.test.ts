import fc from "fast-check";
import { expect, test } from "vitest";
import { describeFrame } from "@/src/core/frames/frame-log.js";
import { saslFrame } from "@/src/core/sasl/sasl.js";
import { Uuid } from "@/src/core/types/uuid.js";
import { Writer } from "@/src/core/types/writer.js";
import { amqpValue, compound, u32 } from "@/test/fixtures/peers/amqp-values.js";

/** An AMQP frame on channel 258 with a list of `count` fields, and a payload. */
function frame(code: number, count: number, fields: readonly number[], payload: readonly number[] = []): Uint8Array {
  const body = [0x00, 0x53, code, ...compound(0xc0, false, count, fields), ...payload];
  return Uint8Array.from([...u32(body.length + 8), 2, 0, 1, 2, ...body]);
}

const ascii = (code: number, text: string) => [code, text.length, ...Buffer.from(text)];

test("the fields of a performative are named, and null fields are omitted", () => {
  const open = frame(0x10, 5, [...ascii(0xa1, "me"), 0x40, 0x70, ...u32(65_536), 0x60, 1, 0, 0x43]);
  expect(describeFrame("out", open)).toEqual({
    direction: "out",
    channel: 258,
    performative: "open",
    fields: { containerId: "me", maxFrameSize: 65_536, channelMax: 256, idleTimeOut: 0 },
    bytes: open.length,
  });
});

test("a transfer is described with its fields and the size of its payload", () => {
  const transfer = frame(0x14, 6, [0x43, 0x52, 7, 0xa0, 2, 0x00, 0x07, 0x43, 0x41, 0x42], [1, 2, 3]);
  expect(describeFrame("in", transfer).fields).toEqual({
    handle: 0,
    deliveryId: 7,
    deliveryTag: "0x0007",
    messageFormat: 0,
    settled: true,
    more: false,
    payloadBytes: 3,
  });
});

test("sources, outcomes and errors are described with their fields, for numeric and for symbolic descriptors", () => {
  const source = [0x00, 0x53, 0x28, ...compound(0xc0, false, 2, [...ascii(0xa1, "q"), 0x43])];
  const filters = compound(0xc1, false, 2, [...ascii(0xa3, "f"), 0x00, ...ascii(0xa3, "x:y"), ...ascii(0xa1, "z")]);
  const target = [0x00, ...ascii(0xa3, "amqp:target:list"), ...compound(0xc0, false, 0, [])];
  const attach = frame(0x12, 8, [...ascii(0xa1, "link"), 0x43, 0x41, 0x40, 0x40, ...source, ...target, ...filters]);
  expect(describeFrame("in", attach).fields).toEqual({
    name: "link",
    handle: 0,
    role: true,
    source: { type: "source", address: "q", durable: 0 },
    target: { type: "target" },
    unsettled: { f: { descriptor: "x:y", value: "z" } },
  });
  const error = [
    0x00,
    0x53,
    0x1d,
    ...compound(0xc0, false, 2, [...ascii(0xa3, "amqp:not-found"), ...ascii(0xa1, "gone")]),
  ];
  const rejected = [0x00, 0x53, 0x25, ...compound(0xc0, false, 1, error)];
  expect(describeFrame("in", frame(0x15, 5, [0x41, 0x43, 0x40, 0x41, ...rejected])).fields).toEqual({
    role: true,
    first: 0,
    settled: true,
    state: { type: "rejected", error: { type: "error", condition: "amqp:not-found", description: "gone" } },
  });
  expect(describeFrame("in", frame(0x15, 5, [0x41, 0x43, 0x40, 0x41, 0x00, 0x53, 0x24, 0x45])).fields).toMatchObject({
    state: { type: "accepted" },
  });
});

test("SASL mechanisms, host name and outcome code are shown, and secrets are not", () => {
  const init = saslFrame(0x41, (writer) => {
    writer.symbol("PLAIN");
    writer.binary(new TextEncoder().encode("\0user\0s3cret"));
    writer.string("host");
    return 3;
  });
  expect(describeFrame("out", init)).toEqual({
    direction: "out",
    channel: 0,
    performative: "sasl-init",
    fields: { mechanism: "PLAIN", hostname: "host" },
    bytes: init.length,
  });
  const mechanisms = saslFrame(0x40, (writer) => {
    writer.symbols(["PLAIN", "ANONYMOUS"]);
    return 1;
  });
  expect(describeFrame("in", mechanisms).fields).toEqual({ saslServerMechanisms: ["PLAIN", "ANONYMOUS"] });
  const secret = (write: (writer: Writer) => void) => (writer: Writer) => {
    write(writer);
    writer.binary(new TextEncoder().encode("s3cret"));
    return 2;
  };
  const outcome = saslFrame(
    0x44,
    secret((writer) => writer.ubyte(0)),
  );
  expect(describeFrame("in", outcome).fields).toEqual({ code: 0 });
  for (const code of [0x42, 0x43]) {
    const response = saslFrame(code, (writer) => {
      writer.binary(new TextEncoder().encode("s3cret"));
      return 1;
    });
    expect(describeFrame("out", response).fields).toEqual({});
  }
  for (let end = 0; end <= init.length; end++) {
    expect(JSON.stringify(describeFrame("out", init.subarray(0, end)))).not.toContain("s3cret");
  }
});

test("an empty frame is described as a heartbeat", () => {
  expect(describeFrame("in", Uint8Array.of(0, 0, 0, 8, 2, 0, 0, 0))).toMatchObject({
    performative: "heartbeat",
    fields: {},
  });
});

test("an invalid frame is described as unreadable, with the reason", () => {
  const unreadable: [bytes: Uint8Array, reason: string][] = [
    [new Uint8Array(0), "invalid frame header"],
    [Buffer.from("HTTP/1.1"), "invalid frame header"],
    [frame(0x10, 0, []).with(5, 2), "invalid frame header"],
    [frame(0x10, 1, []).with(8, 0x45), "list0 where described value was expected"],
    [frame(0x73, 0, []), "unknown performative 0x73"],
    [frame(0x10, 3, [0x40]), "list8 of 3 values in 1 bytes"],
  ];
  for (const [bytes, reason] of unreadable) {
    const { performative, fields } = describeFrame("in", bytes);
    expect(performative).toBe("unreadable");
    expect(JSON.stringify(fields)).toContain(reason);
  }
});

test("describeFrame never throws, and its result survives JSON", () => {
  const code = fc.constantFrom(0x10, 0x12, 0x14, 0x15, 0x18, 0x41, 0x44);
  fc.assert(
    fc.property(code, amqpValue, fc.uint8Array({ maxLength: 40 }), (performative, { bytes }, random) => {
      const wide = frame(performative, 0, []).subarray(0, 11);
      for (const body of [[...compound(0xc0, true, 1, bytes)], [...random]]) {
        const described = describeFrame("in", Uint8Array.from([...wide, ...body]));
        expect(JSON.parse(JSON.stringify(described))).toMatchObject({ channel: 258, direction: "in" });
      }
    }),
    { numRuns: 500 },
  );
});

test("64-bit numbers, uuids and the name __proto__ are described unchanged", () => {
  const writer = new Writer();
  writer.uuid(new Uuid(new Uint8Array(16)));
  const properties = compound(0xc1, false, 6, [
    ...ascii(0xa3, "__proto__"),
    ...writer.take(),
    ...ascii(0xa3, "small"),
    ...[0x53, 5],
    ...ascii(0xa3, "large"),
    ...[0x80, ...u32(0xffff_ffff), ...u32(0xffff_ffff)],
  ]);
  const { fields } = describeFrame("in", frame(0x10, 10, [...new Array(9).fill(0x40), ...properties]));
  expect(JSON.stringify(fields)).toBe(
    '{"properties":{"__proto__":"00000000-0000-0000-0000-000000000000","small":5,"large":"18446744073709551615"}}',
  );
});
