import { describe, expect, test } from "vitest";
import { encodeMessage, type Message } from "@/src/core/messages/message.js";
import { Writer } from "@/src/core/types/writer.js";
import { kept, timeToLiveMs } from "@/src/intermediary/payload.js";

describe("timeToLiveMs", () => {
  test("the time to live is the header's ttl", () => {
    expect(timeToLiveMs(encoded({ ttl: 30_000 }))).toBe(30_000);
    expect(timeToLiveMs(encoded({ durable: true, priority: 9, ttl: 1, deliveryCount: 3 }))).toBe(1);
  });

  test("the time to live is infinite if the ttl is omitted or 0, which some peers write for none", () => {
    expect(timeToLiveMs(encoded({}))).toBe(Number.POSITIVE_INFINITY);
    expect(timeToLiveMs(encoded({ durable: true }))).toBe(Number.POSITIVE_INFINITY);
    expect(timeToLiveMs(encoded({ ttl: 0 }))).toBe(Number.POSITIVE_INFINITY);
  });

  test("absolute-expiry-time does not limit the time to live", () => {
    expect(timeToLiveMs(encoded({ absoluteExpiryTime: 1n }))).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    ["an empty payload", []],
    ["a message without header", [0x00, 0x53, 0x77, 0x40]],
    ["a header cut short", [0x00, 0x53, 0x70, 0xc0]],
    ["a header of another type", [0x00, 0x53, 0x70, 0xa1, 1, 65]],
    ["a ttl of another type", [0x00, 0x53, 0x70, 0xc0, 5, 3, 0x40, 0x40, 0xa1, 0]],
    ["a ttl beyond the end", [0x00, 0x53, 0x70, 0xd0, 0, 0, 0, 9, 0, 0, 0, 3, 0x40, 0x40, 0x70, 0, 0]],
  ])("the time to live is infinite for %s", (_, bytes) => {
    expect(timeToLiveMs(Uint8Array.from(bytes))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("kept", () => {
  test("kept copies a small part of a large buffer, also of a Node Buffer", () => {
    const chunk = Buffer.alloc(65_536);
    const part = kept(chunk.subarray(100, 200));
    expect(part).toHaveLength(100);
    expect(part.buffer.byteLength).toBe(100);
  });

  test("kept returns a payload that is most of its buffer as it is", () => {
    const whole = new Uint8Array(1000);
    expect(kept(whole)).toBe(whole);
  });
});

function encoded(message: Message): Uint8Array {
  const writer = new Writer();
  encodeMessage(writer, message);
  return writer.take();
}
