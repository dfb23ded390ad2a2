import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeTable } from "@/src/amqp091/encoding.js";
import type { FieldTable } from "@/src/amqp091/field-table.js";
import { type KnownHeaders, readHeaders } from "@/src/amqp091/headers.js";
import { ReceivedProperties, readProperties } from "@/src/amqp091/properties.js";
import { Reader } from "@/src/amqp091/reader.js";
import { Writer } from "@/src/core/types/writer.js";

function read(bytes: Uint8Array): KnownHeaders {
  const headers = { compression: undefined, streamOffset: undefined };
  const reader = new Reader(bytes);
  readHeaders(reader, headers);
  reader.finish();
  return headers;
}

function written(table: FieldTable): Uint8Array {
  const writer = new Writer(64);
  writeTable(writer, "headers", table);
  return writer.take();
}

function sized(...parts: readonly (string | Uint8Array)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as string, "latin1")));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(content.length);
  return Buffer.concat([size, content]);
}

const COMPRESSION = Buffer.concat([Buffer.from("\x0bcompressionS"), sized("gzip")]);

describe("headers of a message", () => {
  it("the known headers are found among others of every type", () => {
    const others = {
      a: null,
      b: true,
      c: 1,
      d: 2 ** 40,
      e: 1.5,
      f: "x",
      g: Uint8Array.of(1),
      h: new Date(0),
      i: [1, [2]],
      j: { compression: "no" },
    };
    expect(read(written({ ...others, compression: "application/x-gzip", "x-stream-offset": 2 ** 40, z: "" }))).toEqual({
      compression: "application/x-gzip",
      streamOffset: 2 ** 40,
    });
    expect(read(written({}))).toEqual({});
  });

  it("known headers of another type are ignored", () => {
    expect(read(written({ compression: 1, "x-stream-offset": "1" }))).toEqual({});
  });

  it("headers nested thousands deep are skipped", () => {
    const levels = 15_000;
    const prefixes = Array.from({ length: levels }, (_, level) => {
      const prefix = Buffer.from("\x01aF\0\0\0\0");
      prefix.writeUInt32BE(7 * (levels - level - 1), 3);
      return prefix;
    });
    const inner = Buffer.concat(prefixes);
    expect(read(sized(inner, COMPRESSION))).toEqual({ compression: "gzip" });
  });

  it("a header of an unknown type ends the reading", () => {
    expect(read(sized(COMPRESSION, "\x01a?whatever"))).toEqual({ compression: "gzip" });
    expect(read(sized("\x01a?whatever", COMPRESSION))).toEqual({});
  });

  it.each([
    ["a name beyond the table", sized("\x09a")],
    ["a value beyond the table", sized("\x01aS\xff\xff\xff\xff")],
    ["a table beyond the frame", Buffer.of(0xff, 0xff, 0xff, 0xff)],
  ])("%s is a syntax error", (_, bytes) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 502 }));
  });

  it("any bytes are read or are a syntax error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          read(sized(bytes));
        } catch (error) {
          expect(error).toMatchObject({ name: "Amqp091Error", code: 502 });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("properties of a message", () => {
  it("all properties are read, those that are not used are skipped", () => {
    const all = Buffer.concat([
      Buffer.of(0xff, 0xfc),
      Buffer.from("\x02ct\x02ce"),
      sized(COMPRESSION),
      Buffer.of(2, 7),
      Buffer.from("\x03cid\x02rt\x0250\x03mid"),
      Buffer.alloc(8),
      Buffer.from("\x01t\x01u\x01a\x01c"),
    ]);
    expect(readProperties(new Reader(all))).toEqual(
      Object.assign(new ReceivedProperties(), {
        contentType: "ct",
        contentEncoding: "ce",
        compression: "gzip",
        deliveryMode: 2,
        priority: 7,
        expiration: "50",
        messageId: "mid",
      }),
    );
  });

  it.each([
    ["flags without properties", Buffer.of(0x80, 0)],
    ["bytes behind the properties", Buffer.of(0, 0, 1)],
    ["unknown flags", Buffer.of(0, 1)],
    ["no flags", Buffer.of(0)],
  ])("%s are a syntax error", (_, bytes) => {
    expect(() => readProperties(new Reader(bytes))).toThrow(expect.objectContaining({ code: 502 }));
  });
});
