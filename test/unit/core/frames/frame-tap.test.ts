import fc from "fast-check";
import { expect, test } from "vitest";
import { AMQP10_FRAMES, type Frame } from "@/src/core/frames/frame-log.js";
import { FrameTap } from "@/src/core/frames/frame-tap.js";
import { saslFrame } from "@/src/core/sasl/sasl.js";

const SASL_HEADER = Buffer.from("AMQP\x03\x01\0\0", "latin1");
const AMQP_HEADER = Buffer.from("AMQP\0\x01\0\0", "latin1");
const HEARTBEAT = Uint8Array.of(0, 0, 0, 8, 2, 0, 0, 0);
const OPEN = Uint8Array.of(0, 0, 0, 16, 2, 0, 0, 0, 0x00, 0x53, 0x10, 0xc0, 3, 1, 0xa1, 0);
const OUTCOME = saslFrame(0x44, (writer) => {
  writer.ubyte(0);
  return 1;
});

/** The frames that a tap reports when the bytes come in pieces that end at `cuts`. */
function report(bytes: Uint8Array, cuts: readonly number[] = []): readonly Frame[] {
  const frames: Frame[] = [];
  const tap = new FrameTap(AMQP10_FRAMES, "in", (frame) => frames.push(frame));
  const ends = [...new Set(cuts)].filter((cut) => cut < bytes.length).sort((a, b) => a - b);
  for (const [index, start] of [0, ...ends].entries()) {
    const piece = Uint8Array.from(bytes.subarray(start, ends[index] ?? bytes.length));
    tap.pass(piece);
    piece.fill(0xee);
  }
  return frames;
}

test("a tap reports the headers of SASL and of AMQP and every frame, wherever the stream is cut", () => {
  const bytes = Buffer.concat([SASL_HEADER, OUTCOME, AMQP_HEADER, OPEN, HEARTBEAT]);
  const reported = [
    { direction: "in", channel: 0, performative: "header", fields: { protocol: "AMQP 1.0 with SASL" }, bytes: 8 },
    { direction: "in", channel: 0, performative: "sasl-outcome", fields: { code: 0 }, bytes: OUTCOME.length },
    { direction: "in", channel: 0, performative: "header", fields: { protocol: "AMQP 1.0" }, bytes: 8 },
    { direction: "in", channel: 0, performative: "open", fields: { containerId: "" }, bytes: OPEN.length },
    { direction: "in", channel: 0, performative: "heartbeat", fields: {}, bytes: 8 },
  ];
  expect(report(bytes)).toEqual(reported);
  expect(report(bytes, [...bytes.keys()])).toEqual(reported);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      expect(report(bytes, cuts)).toEqual(reported);
    }),
  );
});

test.each([
  ["smaller than a frame header", [0, 0, 0, 7]],
  ["larger than 1 MiB", [0, 0x10, 0, 1]],
  ["of 4 GB", [0xff, 0xff, 0xff, 0xff]],
  ["read from another protocol", [...Buffer.from("HTTP/1.1 400 Bad Request")]],
])("a tap stops reporting, and does not throw, at a frame size %s", (_, impossible) => {
  const bytes = Buffer.concat([AMQP_HEADER, OPEN, Uint8Array.from(impossible), HEARTBEAT, HEARTBEAT]);
  for (const cuts of [[], [9], [AMQP_HEADER.length + OPEN.length], [...bytes.keys()]]) {
    expect(report(bytes, cuts).map(({ performative }) => performative)).toEqual(["header", "open"]);
  }
});

test("a tap reports a frame of 1 MiB", () => {
  const bytes = new Uint8Array(1024 * 1024);
  bytes.set([0, 0x10, 0, 0, 2, 0, 0, 0, 0x00, 0x53, 0x14, 0xc0, 2, 1, 0x43]);
  expect(report(bytes, [5, 1000])).toMatchObject([{ performative: "transfer", bytes: bytes.length }]);
});
