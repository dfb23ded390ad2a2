import { expect, test } from "vitest";
import { MessageIds, randomHex, uuid4 } from "@/src/driver/values/ids.js";

test("message ids are 32 hex digits, and no two of 1,000 are alike", () => {
  const ids = new MessageIds();
  const made = Array.from({ length: 1_000 }, () => ids.next());
  for (const id of made) expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(made).size).toBe(1_000);
});

test("every digit of a message id is random", () => {
  const ids = new MessageIds();
  const made = Array.from({ length: 1_000 }, () => ids.next());
  for (let at = 0; at < 32; at++) expect(new Set(made.map((id) => id[at])).size).toBe(16);
});

test("a UUID is of version 4 and of RFC 4122's variant, and its other digits are random", () => {
  const made = Array.from({ length: 1_000 }, uuid4);
  for (const uuid of made)
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(made).size).toBe(1_000);
  const digits = made.map((uuid) => uuid.replaceAll("-", ""));
  for (let at = 0; at < 32; at++) {
    const seen = new Set(digits.map((uuid) => uuid[at])).size;
    expect(seen).toBe(at === 12 ? 1 : at === 16 ? 4 : 16);
  }
});

test("random hex has the length that was asked for", () => {
  expect(randomHex(0)).toBe("");
  expect(randomHex(5)).toMatch(/^[0-9a-f]{5}$/);
});
