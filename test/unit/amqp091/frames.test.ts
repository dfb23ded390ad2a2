import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkFrame, FrameSplitter } from "@/src/amqp091/frames.js";
import { frame } from "@/test/fixtures/peers/raw-broker.js";

const MAX = 600;

/** Splits the bytes in pieces that end at `cuts`; returns the frames and the error, if one was thrown. */
function split(bytes: Uint8Array, cuts: readonly number[]) {
  const frames: string[] = [];
  const splitter = new FrameSplitter(MAX, (whole, at, end) => {
    checkFrame(whole, at, end);
    frames.push(Buffer.from(whole.subarray(at, end)).toString("hex"));
    return true;
  });
  let thrown: unknown;
  const ends = [...new Set(cuts)].filter((cut) => cut < bytes.length).sort((a, b) => a - b);
  try {
    for (const [index, start] of [0, ...ends].entries()) {
      const piece = Uint8Array.from(bytes.subarray(start, ends[index] ?? bytes.length));
      splitter.receive(piece);
      piece.fill(0xee);
    }
  } catch (error) {
    thrown = error;
  }
  return { frames, thrown: String(thrown) };
}

const someFrame = fc
  .tuple(fc.constantFrom(1, 2, 3, 8), fc.nat(65_535), fc.uint8Array({ maxLength: MAX - 8 }))
  .map(([type, channel, payload]) => frame(type, channel, payload));

describe("FrameSplitter", () => {
  it("a stream yields the same frames or the same error wherever it is cut", () => {
    const poison = fc.option(fc.uint8Array({ minLength: 1, maxLength: 12 }), { nil: new Uint8Array(0) });
    const cuts = fc.array(fc.nat(4_000), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(someFrame, { maxLength: 6 }), poison, cuts, (frames, poison, cuts) => {
        const bytes = Buffer.concat([...frames, poison]);
        const whole = split(bytes, []);
        expect(whole.frames.slice(0, frames.length)).toEqual(frames.map((frame) => Buffer.from(frame).toString("hex")));
        expect(split(bytes, cuts)).toEqual(whole);
      }),
      { numRuns: 1_000 },
    );
  });

  it("a stream yields the same frames in single bytes", () => {
    const bytes = Buffer.concat([
      frame(8, 0, Buffer.alloc(0)),
      frame(1, 1, Buffer.alloc(MAX - 8)),
      frame(3, 1, Buffer.of(1)),
    ]);
    const whole = split(bytes, []);
    expect(whole.frames).toHaveLength(3);
    expect(split(bytes, [...bytes.keys()])).toEqual(whole);
  });

  it.each([
    [
      "a frame larger than the maximum",
      Buffer.from("01000100000251", "hex"),
      "FRAME_ERROR - frame of 601 bytes, at most 600 (501)",
    ],
    [
      "a size of almost 4 GiB",
      Buffer.from("010001fffffff8", "hex"),
      "FRAME_ERROR - frame of 4294967296 bytes, at most 600 (501)",
    ],
    [
      "a wrong end octet",
      Buffer.from("0800000000000000", "hex"),
      "FRAME_ERROR - frame of type 8 ends with 0x00, not 0xce (501)",
    ],
    [
      "an unknown frame type",
      Buffer.from("04000100000000ce", "hex"),
      "the peer speaks an unknown protocol (0x04000100000000), not AMQP 0-9-1 (540)",
    ],
    ["a peer of AMQP 1.0", Buffer.from("AMQP\0\x01\0\0"), "the peer speaks AMQP 1.0, not AMQP 0-9-1 (540)"],
    [
      "a peer of AMQP 1.0 with SASL",
      Buffer.from("AMQP\x03\x01\0\0"),
      "the peer speaks AMQP 1.0 with SASL, not AMQP 0-9-1: use amqp:// or amqp+ws:// (540)",
    ],
    ["a web server", Buffer.from("HTTP/1.1 400 Bad Request\r\n"), "the peer speaks HTTP, not AMQP 0-9-1 (540)"],
    [
      "a TLS alert",
      Buffer.from("15030100020246", "hex"),
      "the peer speaks TLS, not AMQP 0-9-1: use ?ssl=true (relay: --to-tls) (540)",
    ],
  ])("%s is refused as soon as it can be named", (_, bytes, text) => {
    for (const cuts of [[], [...bytes.keys()]])
      expect(split(bytes, cuts)).toEqual({ frames: [], thrown: `Amqp091Error: ${text}` });
  });
});
