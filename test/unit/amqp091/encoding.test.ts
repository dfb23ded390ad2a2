import { describe, expect, it } from "vitest";
import { writeLonglong, writeOctet, writeShort, writeShortstr } from "@/src/amqp091/encoding.js";
import { writeMethod } from "@/src/amqp091/method-codec.js";
import { Reader } from "@/src/amqp091/reader.js";
import { Writer } from "@/src/core/types/writer.js";

function shortstr(text: string): string {
  const writer = new Writer(8);
  writeShortstr(writer, "queue", text);
  const reader = new Reader(writer.take());
  const read = reader.shortstr();
  reader.finish();
  return read;
}

describe("short strings", () => {
  it.each(["", "q", "q".repeat(255), "é".repeat(127), `${"a".repeat(30)}é`, "😀".repeat(63), "\0"])(
    "%j is read as it was written",
    (text) => {
      expect(shortstr(text)).toBe(text);
    },
  );

  it.each([
    ["q".repeat(256), 256],
    ["é".repeat(128), 256],
    [`${"a".repeat(254)}é`, 256],
    ["😀".repeat(64), 256],
    ["q".repeat(100_000), 100_000],
  ])("a text of more than 255 bytes is refused by name (%#)", (text, size) => {
    expect(() => shortstr(text)).toThrow(
      new RangeError(`queue of ${size} bytes, at most 255: ${JSON.stringify(text.slice(0, 64))}...`),
    );
  });
});

describe("integers", () => {
  it.each([-1, 1.5, 256, Number.NaN])("%s is no octet", (value) => {
    expect(() => writeOctet(new Writer(8), "priority", value)).toThrow(`priority out of range: ${value}`);
  });

  it("a short has 16 bits, a longlong 53", () => {
    expect(() => writeShort(new Writer(8), "prefetchCount", 65_536)).toThrow("prefetchCount out of range: 65536");
    const writer = new Writer(8);
    writeLonglong(writer, "deliveryTag", 2 ** 53 - 1);
    expect(new Reader(writer.take()).longlong()).toBe(2 ** 53 - 1);
    expect(() => new Reader(Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0)).longlong()).toThrow("integer above 2^53");
  });
});

describe("writing a method", () => {
  it("a method that cannot be written leaves nothing behind", () => {
    const writer = new Writer(64);
    writeMethod(writer, 1, "basic.qos", { prefetchCount: 1 }, 4_096);
    const before = writer.at;
    expect(() => writeMethod(writer, 1, "queue.declare", { queue: "q".repeat(300) }, 4_096)).toThrow(
      "queue of 300 bytes",
    );
    expect(() => writeMethod(writer, 1, "queue.declare", { arguments: { a: "x".repeat(4_096) } }, 4_096)).toThrow(
      /^queue.declare of 41\d\d bytes, at most 4096$/,
    );
    expect(writer.at).toBe(before);
  });

  it("bits in a row share an octet, a field between them begins another one", () => {
    const writer = new Writer(64);
    writeMethod(writer, 1, "queue.declare", { durable: true, noWait: true }, 4_096);
    expect([...writer.take()].slice(11)).toEqual([0, 0, 0, 0b10010, 0, 0, 0, 0, 0xce]);
  });
});
