import { describe, expect, test } from "vitest";
import { AuthenticationError, ProtocolError } from "@/src/core/errors.js";
import { ScramClient } from "@/src/core/sasl/client/scram-client.js";
import { saslHeader } from "@/src/core/sasl/sasl.js";
import { saslprep } from "@/src/core/sasl/saslprep.js";
import type { ScramHash } from "@/src/core/sasl/scram.js";
import { Authenticator } from "@/src/core/sasl/server/authenticator.js";
import {
  challenge,
  client,
  converse,
  init,
  join,
  mechanisms,
  outcome,
  response,
  server,
} from "@/test/fixtures/peers/sasl-ends.js";

const HASHES: readonly ScramHash[] = ["SHA-1", "SHA-256", "SHA-512"];
const CREDENTIALS = { username: "a=b,c é", password: "pä55\u{1f511},= word" };
const USERS = { users: new Map([[CREDENTIALS.username, CREDENTIALS.password]]) };

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (message: Uint8Array) => new TextDecoder().decode(message);

describe("the examples of the RFCs", () => {
  test.each<[rfc: string, hash: ScramHash, nonce: string, serverFirst: string, proof: string, serverFinal: string]>([
    [
      "5802",
      "SHA-1",
      "fyko+d2lbbFgONRv9qkxdawL",
      "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
      "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
      "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ],
    [
      "7677",
      "SHA-256",
      "rOprNGfwEbeRWgbNEkqO",
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
      "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
      "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ],
  ])(
    "the example of RFC %s yields the same messages with SCRAM-%s",
    { tags: ["auth:scram"] },
    async (_, hash, nonce, serverFirst, proof, serverFinal) => {
      const scram = new ScramClient({ hash, username: "user", password: "pencil", login: "the user", nonce });
      expect(text(scram.initialResponse)).toBe(`n,,n=user,r=${nonce}`);
      const [, whole] = serverFirst.split(/[=,]/);
      expect(text(await scram.respond(bytes(serverFirst)))).toBe(`c=biws,r=${whole},p=${proof}`);
      expect(scram.respond(bytes(serverFinal))).toEqual(new Uint8Array(0));
      expect(scram.onSuccess(new Uint8Array(0))).toBeUndefined();
    },
  );

  test("the examples of RFC 4013 are prepared by saslprep", { tags: ["auth:scram"] }, () => {
    expect(saslprep("I\u00adX")).toBe("IX");
    expect(saslprep("user")).toBe("user");
    expect(saslprep("\u00aa")).toBe("a");
    expect(saslprep("\u2168")).toBe("IX");
    expect(saslprep("a\u3000b")).toBe("a b");
    for (const prohibited of ["\u0007", "\ud800", "\ue000", "\ufffd", "\u202e", "\u{e0041}"]) {
      expect(saslprep(`a${prohibited}`)).toBeUndefined();
    }
  });
});

describe.each(HASHES)("SCRAM-%s", (hash) => {
  const mechanism = `SCRAM-${hash}`;

  test("a client with the right password is authenticated", { tags: ["auth:scram", "intermediary:sasl"] }, async () => {
    const result = await converse({ credentials: CREDENTIALS, mechanisms: [mechanism] }, USERS);
    expect(result.client).toMatchObject({ mechanism });
    expect(result.server).toMatchObject({ mechanism, username: CREDENTIALS.username });
  });

  test.each([
    ["with a wrong password", { ...CREDENTIALS, password: "s3cret" }],
    ["with an unknown name", { ...CREDENTIALS, username: "unknown" }],
  ])("a client %s is refused, and no error contains a password", async (_, credentials) => {
    const result = await converse({ credentials, mechanisms: [mechanism] }, USERS);
    for (const error of [result.client, result.server]) {
      expect(error).toBeInstanceOf(AuthenticationError);
      expect(JSON.stringify(error) + String(error)).not.toMatch(/s3cret|pä55/);
    }
    expect(String(result.client)).toContain(
      `${mechanism} of user ${JSON.stringify(credentials.username)} failed: the credentials were refused (code 1, auth)`,
    );
    expect(String(result.server)).toContain("is unknown or has a wrong password");
  });
});

/** A server that sends the given messages; `$` stands for the client's nonce. */
async function against(...words: readonly (string | Uint8Array)[]): Promise<{ result: unknown; said: string }> {
  const end = client({ credentials: { username: "joe", password: "pencil" }, mechanisms: ["SCRAM-SHA-256"] });
  end.receive(join(saslHeader(), mechanisms("SCRAM-SHA-256")));
  const [, nonce = ""] = /,r=([A-Za-z0-9+/]{24})/.exec(text(end.sent())) ?? [];
  for (const word of words) {
    const size = end.sent().length;
    end.receive(typeof word === "string" ? challenge(word.replace("$", nonce)) : word);
    if (word !== words.at(-1)) await expect.poll(() => end.sent().length).toBeGreaterThan(size);
  }
  await expect.poll(() => end.result).toBeDefined();
  return { result: end.result, said: text(end.sent()) };
}

const FIRST = "r=$more,s=QSXCR+Q6sek8bf92,i=4096";
const FORGED = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

describe("a SCRAM client refuses a server", () => {
  test.each<[what: string, words: readonly (string | Uint8Array)[], why: string]>([
    ["with a nonce of its own", ["r=other,s=QSXCR+Q6sek8bf92,i=4096"], "the peer's nonce does not continue ours"],
    ["that adds nothing to the nonce", ["r=$,s=QSXCR+Q6sek8bf92,i=4096"], "the peer's nonce does not continue ours"],
    ["that requests 1 iteration", ["r=$x,s=QSXC,i=1"], "requests 1 iterations, must be 4096 to 1000000"],
    ["that requests 4095", ["r=$x,s=QSXC,i=4095"], "requests 4095 iterations"],
    ["that requests 1000001", ["r=$x,s=QSXC,i=1000001"], "requests 1000001 iterations"],
    ["that requests 10^9", ["r=$x,s=QSXC,i=1000000000"], "requests 1000000000 iterations"],
    ["that requests 10^30", [`r=$x,s=QSXC,i=1${"0".repeat(30)}`], "the peer's first message is malformed"],
    ["without salt", ["r=$x,s=,i=4096"], "the peer's first message is malformed"],
    ["whose salt is not base64", ["r=$x,s=a!bc,i=4096"], "the peer's first message is malformed"],
    ["that requires an extension", ["m=x,r=$x,s=QSXC,i=4096"], "the peer's first message is malformed"],
    ["with an empty message", [""], "the peer's first message is malformed"],
    ["that reports an error first", ["e=other-error"], "the peer says other-error"],
    ["with a wrong signature", [FIRST, FORGED], "the peer does not know the password"],
    ["with a wrong signature in its outcome", [FIRST, outcome(0, FORGED)], "the peer does not know the password"],
    ["without a signature", [FIRST, "nothing"], "the peer does not know the password"],
    ["that succeeds without a signature", [FIRST, outcome(0)], "did not prove that it knows the password"],
    ["that succeeds at once", [outcome(0)], "did not prove that it knows the password"],
    ["that succeeds at once with a forged signature", [outcome(0, FORGED)], "the peer does not know the password"],
    ["that reports an error last", [FIRST, "e=invalid-proof\x1b[31m"], "the peer says invalid-proof?[31m"],
    [
      "that reports an error in its outcome",
      [FIRST, outcome(1, "e=invalid-proof")],
      "auth): the peer says invalid-proof",
    ],
  ])(
    "a SCRAM client refuses a server %s",
    { tags: ["auth:scram:iterations", "auth:scram:server-signature"] },
    async (_, words, why) => {
      const { result, said } = await against(...words);
      expect(result).toBeInstanceOf(AuthenticationError);
      expect(String(result)).toContain('SCRAM-SHA-256 of user "joe" failed: ');
      expect(String(result)).toContain(why);
      expect(String(result) + said).not.toContain("pencil");
    },
  );

  test("a SCRAM client refuses a server that sends more than 64 KiB while the client computes", async () => {
    const end = client({ credentials: CREDENTIALS, mechanisms: ["SCRAM-SHA-256"] });
    end.receive(join(saslHeader(), mechanisms("SCRAM-SHA-256"), challenge(FIRST)));
    end.receive(new Uint8Array(65_536));
    expect(end.result).toBeUndefined();
    end.receive(Uint8Array.of(0));
    expect(end.result).toBeInstanceOf(ProtocolError);
    expect(String(end.result)).toContain("received 65537 bytes during SASL, the maximum is 65536");
  });

  test("a SCRAM client refuses a server that sends one challenge after another", async () => {
    const frames = Array.from({ length: 50 }, () => challenge(""));
    const { result } = await against(FIRST, join(...frames));
    expect(result).toBeInstanceOf(AuthenticationError);
  });
});

describe("the signature of a SCRAM server", () => {
  test.each(["in a challenge", "beside the outcome"])(
    "a SCRAM client accepts the server's signature %s",
    { tags: ["auth:scram:server-signature"] },
    async (where) => {
      const real = server(USERS);
      const end = client({ credentials: CREDENTIALS, mechanisms: ["SCRAM-SHA-256"] });
      real.receive(end.sent());
      end.receive(real.sent());
      const said = async (of: typeof end, from: number) => {
        await expect.poll(() => of.sent().length).toBeGreaterThan(from);
        return of.sent().subarray(from);
      };
      const mark = [end.sent().length, real.sent().length] as const;
      real.receive(end.sent().subarray(8));
      end.receive(await said(real, mark[1]));
      const proof = await said(end, mark[0]);
      const before = real.sent().length;
      real.receive(proof);
      const final = await said(real, before);
      const [signature = ""] = /v=[A-Za-z0-9+/=]+/.exec(text(final)) ?? [];
      if (where === "in a challenge") end.receive(join(challenge(signature), outcome(0)));
      else end.receive(outcome(0, signature));
      expect(end.result).toMatchObject({ mechanism: "SCRAM-SHA-256" });
    },
  );
});

describe("a SCRAM client that cannot start", () => {
  test("a SCRAM client refuses credentials that SASLprep prohibits and names the field, but not its value", () => {
    for (const [credentials, field] of [
      [{ username: "us\x07er", password: "s3cret" }, "username"],
      [{ username: "user", password: "s3c\x07ret" }, "password"],
    ] as const) {
      const end = client({ credentials });
      end.receive(join(saslHeader(), mechanisms("PLAIN", "SCRAM-SHA-1")));
      expect(String(end.result)).toContain(`failed: the ${field} contains a character that SASLprep prohibits`);
      expect(JSON.stringify(end.result) + String(end.result)).not.toMatch(/s3c/);
      expect(end.sent()).toEqual(saslHeader());
    }
  });

  test("a SCRAM client requires WebCrypto, which a page loaded over http does not have", () => {
    const subtle = Object.getOwnPropertyDescriptor(Crypto.prototype, "subtle");
    Object.defineProperty(Crypto.prototype, "subtle", { value: undefined, configurable: true });
    try {
      const end = client({ credentials: CREDENTIALS });
      end.receive(join(saslHeader(), mechanisms("PLAIN", "SCRAM-SHA-1")));
      expect(end.result).toBeInstanceOf(AuthenticationError);
      expect(String(end.result)).toContain(
        "SCRAM requires WebCrypto (crypto.subtle), which pages have only over https or from localhost",
      );
    } finally {
      if (subtle !== undefined) Object.defineProperty(Crypto.prototype, "subtle", subtle);
    }
  });
});

describe("a SCRAM server", () => {
  test.each<[what: string, words: readonly string[], why: string]>([
    ["an empty message", [""], "the first message is malformed"],
    ["a channel binding", ["p=tls-unique,,n=joe,r=abc"], "requires channel binding"],
    ["an authorization id of another user", ["n,a=root,n=joe,r=abc"], "requests to act as another user"],
    ["a name with a bare =", ["n,,n=j=oe,r=abc"], "the first message is malformed"],
    ["an unknown extension", ["n,,m=x,n=joe,r=abc"], "the first message is malformed"],
    ["another nonce", ["n,,n=joe,r=abc", "c=biws,r=abcdef,p=AAAA"], "the final message has a wrong nonce"],
    ["another GS2 header", ["n,,n=joe,r=abc", "c=eSws,r=$,p=AAAA"], "the final message has a wrong GS2 header"],
    ["a final message without proof", ["n,,n=joe,r=abc", "c=biws,r=$"], "the final message is malformed"],
    ["a short proof", ["n,,n=joe,r=abc", "c=biws,r=$,p=AAAA"], "is unknown or has a wrong password"],
  ])("a SCRAM server refuses %s", async (_, [message = "", final], why) => {
    const end = server({ users: new Map([["joe", "pencil"]]), mechanisms: ["SCRAM-SHA-256"] });
    end.receive(join(saslHeader(), init("SCRAM-SHA-256", message)));
    if (final !== undefined) {
      await expect.poll(() => text(end.sent())).toContain("i=4096");
      const [, nonce = ""] = /r=([^,]+),s=/.exec(text(end.sent())) ?? [];
      end.receive(response(final.replace("$", nonce)));
    }
    await expect.poll(() => end.result).toBeDefined();
    expect(end.result).toBeInstanceOf(AuthenticationError);
    expect(String(end.result)).toContain(why);
    expect(end.sent().slice(-outcome(1).length)).toEqual(outcome(1));
  });

  test("a name always has the same salt, so that unknown users cannot be told from known ones", async () => {
    const authenticator = new Authenticator({ users: new Map([["joe", "pencil"]]) });
    const [joe, unknown] = await Promise.all([authenticator.salt("joe"), authenticator.salt("unknown")]);
    expect(await authenticator.salt("joe")).toEqual(joe);
    expect(await authenticator.salt("unknown")).toEqual(unknown);
    expect([joe.length, unknown.length]).toEqual([16, 16]);
    expect(joe).not.toEqual(unknown);
    expect(await new Authenticator().salt("joe")).not.toEqual(joe);
  });
});
