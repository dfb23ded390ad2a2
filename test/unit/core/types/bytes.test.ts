import { expect, test } from "vitest";
import { concat, equalBytes, pemText, toHex } from "@/src/core/types/bytes.js";
import { Uuid } from "@/src/core/types/uuid.js";

test("toHex writes two lower-case digits for each byte", () => {
  expect(toHex(Uint8Array.of(0x00, 0x0a, 0xff))).toBe("000aff");
  expect(toHex(new Uint8Array(0))).toBe("");
});

test("a uuid prints as RFC 4122 writes it", () => {
  const bytes = Buffer.from("0123456789abcdef".repeat(2), "hex");
  expect(String(new Uuid(bytes))).toBe("01234567-89ab-cdef-0123-456789abcdef");
});

test("concat joins pieces, and returns a single piece without a copy", () => {
  const piece = Uint8Array.of(1, 2);
  expect(concat([piece, Uint8Array.of(3)], 3)).toEqual(Uint8Array.of(1, 2, 3));
  expect(concat([piece], 2)).toBe(piece);
});

test("equalBytes compares contents and lengths", () => {
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  for (const other of [[1, 3], [1], [1, 2, 0]]) {
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.from(other))).toBe(false);
  }
});

test("pemText returns the text of a PEM document given as text or as bytes", () => {
  expect(pemText("-----BEGIN")).toBe("-----BEGIN");
  expect(pemText(new TextEncoder().encode("-----BEGIN"))).toBe("-----BEGIN");
});
