import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AuthenticationError, ProtocolError } from "@/src/core/errors.js";
import type { SaslClientOptions } from "@/src/core/sasl/client/sasl-client.js";
import { describeProtocol, saslFrame, saslHeader } from "@/src/core/sasl/sasl.js";
import type { AuthenticatorInit } from "@/src/core/sasl/server/authenticator.js";
import { client, converse, feed, init, join, mechanisms, outcome, server } from "@/test/fixtures/peers/sasl-ends.js";

const AMQP = Uint8Array.of(0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0);
const PASSWORD = "pä55\u{1f511}:@ word";
const CREDENTIALS = { username: "üser", password: PASSWORD };
const USERS: AuthenticatorInit = {
  users: new Map([[CREDENTIALS.username, CREDENTIALS.password]]),
  mechanisms: ["PLAIN", "ANONYMOUS"],
};

const NOTHING = new Uint8Array(0);

describe("client and server", () => {
  test("client and server agree on PLAIN with credentials beyond ASCII", async () => {
    expect(await converse({ credentials: CREDENTIALS }, USERS)).toEqual({
      client: { mechanism: "PLAIN", rest: NOTHING },
      server: { mechanism: "PLAIN", username: "üser", rest: NOTHING },
    });
  });

  test("client and server agree on ANONYMOUS without credentials", { tags: ["auth:anonymous"] }, async () => {
    for (const credentials of [undefined, { anonymous: true } as const]) {
      expect(await converse({ credentials, hostname: "vhost" }, USERS)).toEqual({
        client: { mechanism: "ANONYMOUS", rest: NOTHING },
        server: { mechanism: "ANONYMOUS", rest: NOTHING },
      });
    }
  });

  test("PLAIN transmits any credentials without NUL unchanged", async () => {
    const text = fc.string({ unit: "binary" }).filter((value) => !value.includes("\0"));
    await fc.assert(
      fc.asyncProperty(text, text, async (username, password) => {
        const users = new Map([[username, password]]);
        const { server } = await converse({ credentials: { username, password } }, { users, mechanisms: ["PLAIN"] });
        expect(server).toMatchObject({ username });
      }),
    );
  });

  test("a wrong password is refused, and neither error contains a password", async () => {
    const wrong = { username: "üser", password: "Wr0ng-Secret" };
    const { client: refused, server: refusing } = await converse({ credentials: wrong }, USERS);
    expect(refused).toBeInstanceOf(AuthenticationError);
    expect(String(refused)).toContain('PLAIN of user "üser" failed: the credentials were refused (code 1, auth)');
    expect(refusing).toBeInstanceOf(AuthenticationError);
    expect(String(refusing)).toContain('user "üser" is unknown or has a wrong password');
    for (const error of [refused, refusing]) expect(JSON.stringify(error) + String(error)).not.toMatch(/Wr0ng|pä55/);
  });
});

describe("SaslClient", () => {
  const offers = (...names: string[]) => join(saslHeader(), mechanisms(...names));

  test.each<[name: string, options: SaslClientOptions, offered: string[], chosen: string]>([
    ["PLAIN, never ANONYMOUS, with a password", { credentials: CREDENTIALS }, ["ANONYMOUS", "PLAIN"], "PLAIN"],
    ["ANONYMOUS without one", { credentials: undefined }, ["PLAIN", "ANONYMOUS"], "ANONYMOUS"],
    [
      "the first allowed mechanism that both sides support",
      { credentials: CREDENTIALS, mechanisms: ["SCRAM-SHA-256", "anonymous", "plain"] },
      ["PLAIN", "ANONYMOUS"],
      "ANONYMOUS",
    ],
    [
      "not PLAIN without a password",
      { credentials: { anonymous: true }, mechanisms: ["PLAIN", "ANONYMOUS"] },
      ["PLAIN", "ANONYMOUS"],
      "ANONYMOUS",
    ],
  ])("the client chooses %s", { tags: ["auth:preference"] }, (_, options, offered, chosen) => {
    const end = client(options);
    expect(feed(end, join(offers(...offered), outcome(0), AMQP))).toEqual({
      mechanism: chosen,
      rest: AMQP,
    });
  });

  test("the client sends the same bytes as the Python driver", () => {
    const end = client({ credentials: { username: "user1", password: "pass1" } });
    feed(end, offers("PLAIN"));
    expect(Buffer.from(end.sent()).toString("hex")).toBe(
      `414d515003010000${"0000002302010000"}005341c01602a305504c41494ea00c${Buffer.from("\0user1\0pass1").toString("hex")}`,
    );
  });

  test.each<[name: string, options: SaslClientOptions, offered: string[], message: string]>([
    [
      "with a password and no PLAIN",
      { credentials: CREDENTIALS },
      ["CRAM-MD5", "ANONYMOUS"],
      "no common SASL mechanism: the peer offers CRAM-MD5, ANONYMOUS, the client allows SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN with the given credentials",
    ],
    [
      "without credentials where only PLAIN is offered",
      { credentials: undefined },
      ["PLAIN"],
      "no common SASL mechanism: the peer offers PLAIN, the client allows ANONYMOUS without credentials",
    ],
    [
      "with allowed mechanisms that cannot be used",
      { credentials: undefined, mechanisms: ["PLAIN", "GSSAPI"] },
      ["PLAIN", "GSSAPI"],
      "the client allows PLAIN, GSSAPI (PLAIN requires a username and a password; GSSAPI is not supported)",
    ],
    [
      "with a peer that offers no mechanism",
      { credentials: undefined },
      [],
      "no common SASL mechanism: the peer offers none",
    ],
    [
      "with a peer that offers a name with control characters",
      { credentials: undefined },
      ["A\x1b[31m"],
      "the peer offers A?[31m, the",
    ],
  ])("the client finds no mechanism %s, and names those of both sides", (_, options, offered, message) => {
    const error = feed(client(options), offers(...offered));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain(PASSWORD);
  });

  test.each<[code: number, text: string]>([
    [1, "the credentials were refused (code 1, auth)"],
    [2, "a system error of the peer (code 2, sys)"],
    [3, "a permanent system error of the peer (code 3, sys-perm)"],
    [4, "a temporary system error of the peer (code 4, sys-temp)"],
  ])("the client describes outcome code %d", (code, text) => {
    const error = feed(client({ credentials: undefined }), join(offers("ANONYMOUS"), outcome(code)));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(String(error)).toContain(`ANONYMOUS failed: ${text}`);
  });

  test("the client refuses credentials with a NUL and names the field, but not its value", () => {
    const bad: [SaslClientOptions["credentials"], string][] = [
      [{ username: "us\0er", password: "s3cret" }, "the username contains a NUL character"],
      [{ username: "user", password: "s3c\0ret" }, "the password contains a NUL character"],
      [
        { username: "us\ud800er", password: "s3cret" },
        "the username contains a NUL character or half a surrogate pair",
      ],
      [
        { username: "user", password: "s3c\udc00ret" },
        "the password contains a NUL character or half a surrogate pair",
      ],
    ];
    for (const [credentials, message] of bad) {
      const end = client({ credentials });
      const error = feed(end, offers("PLAIN"));
      expect(error).toBeInstanceOf(AuthenticationError);
      expect(String(error)).toContain(message);
      expect(String(error)).not.toMatch(/us\0er|s3c/);
      expect(end.sent()).toEqual(saslHeader());
    }
  });

  test.each<[name: string, bytes: Uint8Array, message: string]>([
    ["HTTP", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), "the peer speaks HTTP, not AMQP 1.0 with SASL"],
    ["AMQP 0-9-1", Buffer.from("AMQP\0\0\x09\x01"), "the peer speaks AMQP 0-9-1, not"],
    ["AMQP without SASL", AMQP, "the peer speaks AMQP 1.0, not AMQP 1.0 with SASL"],
    ["TLS, by an alert shorter than a header", Uint8Array.of(0x15, 3, 1, 0, 2, 2, 70), "the peer speaks TLS, not"],
    [
      "an unknown protocol",
      Buffer.from("SSH-2.0-OpenSSH"),
      "the peer speaks an unknown protocol (0x5353482d322e302d), not",
    ],
    [
      "a challenge",
      join(
        offers("ANONYMOUS"),
        saslFrame(0x42, () => 0),
      ),
      "SASL frame 0x42 where 0x44 was expected",
    ],
    [
      "an outcome without a code",
      join(
        offers("ANONYMOUS"),
        saslFrame(0x44, () => 0),
      ),
      "sasl-outcome without a code",
    ],
    ["an unknown outcome code", join(offers("ANONYMOUS"), outcome(9)), "sasl-outcome with code 9"],
    [
      "a frame of 4 GB",
      join(saslHeader(), Uint8Array.of(255, 255, 255, 255, 2, 1, 0, 0)),
      "invalid SASL frame header 0xffffffff02010000",
    ],
    [
      "an AMQP frame",
      join(saslHeader(), Uint8Array.of(0, 0, 0, 16, 2, 0, 0, 0)),
      "invalid SASL frame header 0x0000001002000000",
    ],
    [
      "a frame whose data begins in its header",
      join(saslHeader(), Uint8Array.of(0, 0, 0, 16, 1, 1, 0, 0)),
      "invalid SASL frame header",
    ],
    ["an empty frame", join(saslHeader(), Uint8Array.of(0, 0, 0, 8, 2, 1, 0, 0)), "no bytes left for a value"],
  ])("the client refuses a peer that answers with %s", (_, bytes, message) => {
    for (const size of [1, bytes.length]) {
      const error = feed(client({ credentials: undefined }), bytes, size);
      expect(error).toBeInstanceOf(ProtocolError);
      expect(String(error)).toContain(message);
    }
  });
});

describe("SaslServer", () => {
  const plain = join(saslHeader(), init("PLAIN", `\0üser\0${PASSWORD}`));

  test("the server accepts a client that sends all at once, and leaves the AMQP bytes", () => {
    const open = Uint8Array.of(1, 2, 3, 4, 5);
    const end = server(USERS);
    expect(feed(end, join(plain, AMQP, open))).toEqual({
      mechanism: "PLAIN",
      username: "üser",
      rest: join(AMQP, open),
    });
    expect(end.sent()).toEqual(join(saslHeader(), mechanisms("PLAIN", "ANONYMOUS"), outcome(0)));
  });

  test("the server accepts an authorization id only if it equals the user name", () => {
    const response = (id: string) => join(saslHeader(), init("PLAIN", `${id}\0üser\0${PASSWORD}`));
    expect(feed(server(USERS), response("üser"))).toMatchObject({ username: "üser" });
    expect(feed(server(USERS), response("root"))).toBeInstanceOf(AuthenticationError);
  });

  test("the server offers the mechanisms that users, tokens and certificate permit, or those that are configured", {
    tags: ["intermediary:sasl"],
  }, () => {
    const users = new Map([["a", "b"]]);
    const tokens = new Set(["t"]);
    const scram = ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"];
    const all = [...scram, "OAUTHBEARER", "XOAUTH2", "EXTERNAL", "PLAIN"];
    const offered = (options: AuthenticatorInit, clientName?: string) => {
      const end = server(options, clientName);
      feed(end, saslHeader());
      return end.sent().subarray(8);
    };
    expect(offered({})).toEqual(mechanisms("ANONYMOUS"));
    expect(offered({}, "client")).toEqual(mechanisms("EXTERNAL", "ANONYMOUS"));
    expect(offered({ users })).toEqual(mechanisms(...scram, "PLAIN"));
    expect(offered({ tokens })).toEqual(mechanisms("OAUTHBEARER", "XOAUTH2"));
    expect(offered({ users, tokens }, "client")).toEqual(mechanisms(...all));
    expect(offered({ users, mechanisms: ["plain", "EXTERNAL"] })).toEqual(mechanisms("PLAIN"));
    expect(offered({ mechanisms: ["EXTERNAL"] })).toEqual(mechanisms());
  });

  test("a server with mechanisms that cannot work is refused", () => {
    expect(() => server({ mechanisms: ["GSSAPI"] })).toThrow(
      "unknown mechanism GSSAPI, must be one of SCRAM-SHA-512, SCRAM-SHA-256,",
    );
    expect(() => server({ mechanisms: ["scram-sha-1"] })).toThrow("SCRAM-SHA-1 requires users");
    expect(() => server({ users: new Map(), mechanisms: ["XOAUTH2"] })).toThrow("XOAUTH2 requires tokens");
  });

  test("the server accepts an AMQP header without SASL only if it offers ANONYMOUS", () => {
    const bytes = join(AMQP, Uint8Array.of(9));
    const open = server({});
    expect(feed(open, bytes)).toEqual({ mechanism: "", rest: bytes });
    expect(open.sent()).toEqual(NOTHING);
    const closed = server({ users: new Map() });
    expect(String(feed(closed, bytes))).toContain("the peer started without SASL, which is required");
    expect(closed.sent()).toEqual(saslHeader());
  });

  test.each<[name: string, frame: Uint8Array, message: string]>([
    ["a mechanism that is not offered", init("GSSAPI", undefined), 'SASL mechanism "GSSAPI" is not offered'],
    ["ANONYMOUS that is not offered", init("ANONYMOUS", undefined), 'SASL mechanism "ANONYMOUS" is not offered'],
    ["no mechanism", saslFrame(0x41, () => 0), 'SASL mechanism "" is not offered'],
    ["a wrong password", init("PLAIN", "\0üser\0s3cret"), 'user "üser" is unknown or has a wrong password'],
    ["no response", init("PLAIN", undefined), "the response to PLAIN is malformed"],
    ["a response in two parts", init("PLAIN", "üser\0s3cret"), "the response to PLAIN is malformed"],
    ["a response in four parts", init("PLAIN", "\0üser\0s3cret\0"), "the response to PLAIN is malformed"],
    [
      "a response that is not UTF-8",
      init("PLAIN", Uint8Array.of(0, 0xff, 0, 0xff)),
      "the response to PLAIN is malformed",
    ],
  ])("the server refuses %s, and sends the refusal to the client", (_, frame, message) => {
    const end = server({ ...USERS, mechanisms: ["PLAIN"] });
    const error = feed(end, join(saslHeader(), frame, AMQP));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toMatch(/s3cret|pä55/);
    expect(end.sent()).toEqual(join(saslHeader(), mechanisms("PLAIN"), outcome(1)));
  });

  test("the server names a protocol other than AMQP 1.0", () => {
    const end = server(USERS);
    const error = feed(end, Buffer.from("GET / HTTP/1.1\r\n"));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(String(error)).toContain("the peer speaks HTTP, not AMQP 1.0");
    expect(String(feed(server(USERS), Buffer.from("AMQP\0\0\x09\x01")))).toContain("AMQP 0-9-1");
  });
});

describe("input in pieces", () => {
  const pieces = fc.integer({ min: 1, max: 40 });

  test("the client handles its input alike in pieces of any size", () => {
    const bytes = join(saslHeader(), mechanisms("PLAIN"), outcome(0), AMQP);
    fc.assert(
      fc.property(pieces, (size) => {
        const whole = client({ credentials: CREDENTIALS });
        const cut = client({ credentials: CREDENTIALS });
        expect(feed(cut, bytes, size)).toEqual(feed(whole, bytes));
        expect(cut.sent()).toEqual(whole.sent());
      }),
    );
  });

  test("the server handles its input alike in pieces of any size", () => {
    const bytes = join(saslHeader(), init("PLAIN", `\0üser\0${PASSWORD}`), AMQP);
    fc.assert(
      fc.property(pieces, (size) => {
        const whole = server(USERS);
        const cut = server(USERS);
        expect(feed(cut, bytes, size)).toEqual(feed(whole, bytes));
        expect(cut.sent()).toEqual(whole.sent());
      }),
    );
  });

  test("random input throws only ProtocolError or AuthenticationError", () => {
    const start = fc.constantFrom(NOTHING, saslHeader(), join(saslHeader(), Uint8Array.of(0, 0, 0, 24, 2, 1, 0, 0)));
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 100 }), (first, random) => {
        for (const end of [client({ credentials: CREDENTIALS }), server(USERS)]) {
          const result = feed(end, join(first, random));
          if (result instanceof Error) expect(["ProtocolError", "AuthenticationError"]).toContain(result.name);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test("describeProtocol names protocols by their first bytes", () => {
  const known: [bytes: Uint8Array, name: string][] = [
    [AMQP, "AMQP 1.0"],
    [saslHeader(), "AMQP 1.0 with SASL"],
    [Buffer.from("AMQP\x02\x01\x00\x00"), "AMQP 1.0 with TLS"],
    [Buffer.from("AMQP\x01\x01\x00\x0a"), "AMQP 0-10"],
    [Buffer.from("AMQP\x00\x02\x00\x00"), "AMQP with the protocol header 0,2,0,0"],
    [Buffer.from("POST /x HTTP/1.1"), "HTTP"],
    [Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1), "TLS"],
    [Uint8Array.of(1, 2), "an unknown protocol (0x0102)"],
  ];
  for (const [bytes, name] of known) expect(describeProtocol(bytes)).toBe(name);
});
