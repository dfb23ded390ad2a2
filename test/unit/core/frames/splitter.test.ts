import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameSplitter } from "@/src/core/frames/splitter.js";

const MAX = 600;

/** Frames of the given sizes, each filled with its number from 1. */
function stream(sizes: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const [number, size] of sizes.entries()) {
    bytes.fill(number + 1, at, at + size);
    bytes.writeUInt32BE(size, at);
    at += size;
  }
  return bytes;
}

/** Splits the bytes in pieces that end at `cuts`; returns the frames and the error, if one was thrown. */
function split(bytes: Uint8Array, cuts: readonly number[], stopAfter = Number.POSITIVE_INFINITY) {
  const frames: string[] = [];
  const splitter = new FrameSplitter(MAX, (whole, at, end) => {
    frames.push(Buffer.from(whole.subarray(at, end)).toString("hex"));
    return frames.length < stopAfter;
  });
  let thrown: unknown;
  const ends = [...new Set(cuts)].filter((cut) => cut < bytes.length).sort((a, b) => a - b);
  try {
    for (const [index, start] of [0, ...ends].entries()) {
      // A copy: the splitter must not keep a view of a buffer that the socket reuses.
      const piece = Uint8Array.from(bytes.subarray(start, ends[index] ?? bytes.length));
      splitter.receive(piece);
      piece.fill(0xee);
      if (frames.length >= stopAfter) break;
    }
  } catch (error) {
    thrown = error;
  }
  return { frames, thrown: String(thrown) };
}

describe("FrameSplitter", () => {
  it("a stream yields the same frames or the same error wherever it is cut", () => {
    const sizes = fc.array(fc.integer({ min: 8, max: MAX }), { minLength: 1, maxLength: 6 });
    const poison = fc.option(fc.uint8Array({ minLength: 4, maxLength: 12 }), { nil: new Uint8Array(0) });
    const cuts = fc.array(fc.nat(4_000), { maxLength: 40 });
    fc.assert(
      fc.property(sizes, poison, cuts, fc.integer({ min: 1, max: 8 }), (sizes, poison, cuts, stopAfter) => {
        const bytes = Buffer.concat([stream(sizes), poison]);
        expect(split(bytes, cuts, stopAfter)).toEqual(split(bytes, [], stopAfter));
      }),
      { numRuns: 1_000 },
    );
  });

  it("a stream yields the same frames in single bytes", () => {
    const bytes = stream([8, 9, 100, 8, MAX]);
    const whole = split(bytes, []);
    expect(whole.frames).toHaveLength(5);
    expect(split(bytes, [...bytes.keys()])).toEqual(whole);
  });

  it("an invalid frame size throws as soon as its four bytes have arrived, however they are cut", () => {
    const bytes = Buffer.concat([stream([20]), Uint8Array.of(0, 0, 2, 0x59)]);
    for (const cuts of [[], [20], [21], [22, 23], [...bytes.keys()]]) {
      const { frames, thrown } = split(bytes, cuts);
      expect([frames.length, thrown]).toEqual([1, expect.stringContaining("frame of 601 bytes")]);
    }
  });

  it("empty pieces are ignored", () => {
    const frames: number[] = [];
    const splitter = new FrameSplitter(MAX, (_, at, end) => frames.push(end - at) > 0);
    for (const piece of [[], [0, 0], [], [0, 8, 2], [], [0, 0, 0], []]) splitter.receive(Uint8Array.from(piece));
    expect(frames).toEqual([8]);
  });

  it("protocol headers between frames are accepted only with the option protocolHeaders", () => {
    const bytes = Buffer.concat([Buffer.from("AMQP\0\x01\0\0"), stream([8]), Buffer.from("AMQP\0\x01\0\0")]);
    const sizes: number[] = [];
    const onFrame = (_: Uint8Array, at: number, end: number) => sizes.push(end - at) > 0;
    new FrameSplitter(MAX, onFrame, { protocolHeaders: true }).receive(bytes);
    expect(sizes).toEqual([8, 8, 8]);
    expect(() => new FrameSplitter(MAX, onFrame).receive(bytes)).toThrow("frame of 1095586128 bytes");
  });
});
