import { expect, test } from "vitest";
import { MessageIds } from "@/src/driver/values/message-ids.js";

test("ids are 32 hex digits, and no two are alike", () => {
  const ids = new MessageIds();
  const made = Array.from({ length: 1_000 }, () => ids.next());
  for (const id of made) expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(made).size).toBe(1_000);
});

test("every digit of an id is random", () => {
  const ids = new MessageIds();
  const made = Array.from({ length: 1_000 }, () => ids.next());
  for (let at = 0; at < 32; at++) expect(new Set(made.map((id) => id[at])).size).toBe(16);
});
