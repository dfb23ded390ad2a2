import { describe, expect, it } from "vitest";
import { maskPasswords } from "@/src/driver/notify/sending/password-mask.js";
import { cases } from "@/test/data/masked-passwords.json";

describe("maskPasswords", () => {
  it.each(cases)("passwords are masked as in Python: $given", { tags: ["notify:drivers"] }, ({ given, masked }) => {
    expect(maskPasswords(given)).toEqual(masked);
  });

  it("passwords in arrays are masked, and an object under a secret name is masked as a whole", () => {
    const given = {
      users: [{ name: "joe", password: "s3cret" }, "--password s3cret", [["token=s3cret"]]],
      token: { id: 5 },
    };
    const users = [{ name: "joe", password: "***" }, "--password ***", [["token=***"]]];
    expect(maskPasswords(given)).toEqual({ users, token: "***" });
  });

  it("values without passwords stay unchanged", () => {
    const given = { id: 2n ** 60n, text: "plain", none: null, list: [true, 1.5], __proto__: { a: 1 } };
    expect(maskPasswords(given)).toEqual(given);
  });
});
