import { deflateSync, gzipSync, inflateSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { compress, decompress, GZIP } from "@/src/driver/rabbit/compression.js";

const TEXT = Buffer.from("a body, and a body, and a body");

function bodyOf(compressed: Uint8Array, maxBytes = 1_000): Promise<Uint8Array> {
  return decompress(compressed, GZIP, maxBytes);
}

describe("compression", () => {
  it("a compressed body is a zlib stream, as Python's", async () => {
    const compressed = await compress(TEXT);
    expect([compressed[0], compressed[1]]).toEqual([0x78, 0x9c]);
    expect(inflateSync(compressed)).toEqual(TEXT);
  });

  it.each([0, 1, 8_191, 8_192, 8_193, 300_000])("a body of %i bytes is the same after both ways", async (size) => {
    const body = Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) % 251);
    const compressed = await compress(body);
    expect(Buffer.from(await decompress(compressed, GZIP, size)).equals(body)).toBe(true);
  });

  it("a body may be a part of a larger buffer", async () => {
    const whole = Buffer.concat([Buffer.from("xx"), deflateSync(TEXT), Buffer.from("xx")]);
    expect(Buffer.from(await bodyOf(whole.subarray(2, -2)))).toEqual(TEXT);
  });

  it("a body of exactly the limit is accepted, and a larger one is not", async () => {
    expect(await bodyOf(deflateSync(TEXT), TEXT.length)).toHaveLength(TEXT.length);
    await expect(bodyOf(deflateSync(TEXT), TEXT.length - 1)).rejects.toThrow(
      `The decompressed body exceeds the limit of ${TEXT.length - 1} bytes`,
    );
  });

  it("a bomb is given up at the limit", async () => {
    const bomb = deflateSync(Buffer.alloc(200_000_000), { level: 9 });
    expect(bomb.length).toBeLessThan(200_000);
    const before = process.memoryUsage().arrayBuffers;
    await expect(bodyOf(bomb, 1_000_000)).rejects.toThrow("The decompressed body exceeds the limit of 1000000 bytes");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
  });

  it.each([
    ["of no bytes", Buffer.alloc(0)],
    ["that is cut", deflateSync(TEXT).subarray(0, -6)],
    ["that is not compressed", TEXT],
    ["of gzip", gzipSync(TEXT)],
    ["with a wrong checksum", Buffer.concat([deflateSync(TEXT).subarray(0, -1), Buffer.of(7)])],
  ])("a stream %s is a MessagingException", async (_, bytes) => {
    await expect(bodyOf(bytes)).rejects.toMatchObject({
      name: "MessagingException",
      message: expect.stringMatching(/^The body cannot be decompressed: ./),
    });
  });

  it.each(["application/x-bz2", "gzip", "x".repeat(100_000)])(
    "the compression %.20s is refused by name",
    async (name) => {
      await expect(decompress(deflateSync(TEXT), name, 1_000)).rejects.toThrow(
        `The compression "${name.slice(0, 40)}" is not supported, only application/x-gzip`,
      );
    },
  );

  it("a runtime without DecompressionStream is an error that names it", async () => {
    vi.stubGlobal("DecompressionStream", undefined);
    try {
      await expect(bodyOf(deflateSync(TEXT))).rejects.toThrow(
        /^The body cannot be decompressed: .*DecompressionStream/,
      );
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
