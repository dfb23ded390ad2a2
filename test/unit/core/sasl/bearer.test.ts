import { describe, expect, test } from "vitest";
import { AuthenticationError, ProtocolError } from "@/src/core/errors.js";
import { saslHeader } from "@/src/core/sasl/sasl.js";
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

const TOKEN = "eyJhbGciOi.J9~t0k/en+_-==";
const TOKENS = { tokens: new Set(["other", TOKEN]) };
const text = (message: Uint8Array) => new TextDecoder().decode(message);

/** A client whose server offers these mechanisms, and its bytes after the SASL header. */
function said(credentials: Parameters<typeof client>[0]["credentials"], ...offered: string[]) {
  const end = client({ credentials });
  end.receive(join(saslHeader(), mechanisms(...offered)));
  return { end, message: end.sent().subarray(8) };
}

describe("a token", () => {
  test("a token is sent by OAUTHBEARER, or else by XOAUTH2, as they are documented", { tags: ["auth:bearer"] }, () => {
    const joe = { username: "j=o,e", token: TOKEN };
    const oauthBearer = `n,a=j=3Do=2Ce,\x01auth=Bearer ${TOKEN}\x01\x01`;
    expect(said(joe, "PLAIN", "XOAUTH2", "OAUTHBEARER").message).toEqual(init("OAUTHBEARER", oauthBearer));
    const unnamed = { token: TOKEN };
    expect(said(unnamed, "OAUTHBEARER").message).toEqual(init("OAUTHBEARER", `n,,\x01auth=Bearer ${TOKEN}\x01\x01`));
    expect(said(joe, "XOAUTH2").message).toEqual(init("XOAUTH2", `user=j=o,e\x01auth=Bearer ${TOKEN}\x01\x01`));
    expect(said(unnamed, "XOAUTH2").message).toEqual(init("XOAUTH2", `user=\x01auth=Bearer ${TOKEN}\x01\x01`));
  });

  test("a token has no common mechanism with a server for passwords, nor a password with one for tokens", () => {
    expect(String(said({ token: TOKEN }, "PLAIN", "ANONYMOUS").end.result)).toContain(
      "no common SASL mechanism: the peer offers PLAIN, ANONYMOUS, the client allows OAUTHBEARER, XOAUTH2",
    );
    const end = client({ credentials: { username: "joe", password: "p" }, mechanisms: ["OAUTHBEARER", "PLAIN"] });
    end.receive(join(saslHeader(), mechanisms("OAUTHBEARER")));
    expect(String(end.result)).toContain("the client allows OAUTHBEARER, PLAIN (OAUTHBEARER requires a token)");
  });

  test.each(["", "to ken", "tok\x01en", "tok\u00e9n"])(
    "the invalid token %j is neither sent nor contained in the error",
    (token) => {
      for (const mechanism of ["OAUTHBEARER", "XOAUTH2"]) {
        const { end } = said({ token }, mechanism);
        expect(end.result).toBeInstanceOf(AuthenticationError);
        expect(String(end.result)).toContain(
          `${mechanism} failed: the token is empty or contains an invalid character`,
        );
        if (token !== "") expect(String(end.result)).not.toContain(token);
        expect(end.sent()).toEqual(saslHeader());
      }
    },
  );

  test("a token with a user name that contains a control character is not sent", () => {
    const { end } = said({ username: "joe\x01auth=Bearer x", token: TOKEN }, "XOAUTH2");
    expect(String(end.result)).toContain("failed: the username is empty or contains an invalid character");
  });
});

describe.each(["OAUTHBEARER", "XOAUTH2"])("%s", (mechanism) => {
  test("a client with a known token is authenticated", { tags: ["auth:bearer", "intermediary:sasl"] }, async () => {
    for (const username of ["joe", "j=o,e", undefined]) {
      const result = await converse({ credentials: { username, token: TOKEN }, mechanisms: [mechanism] }, TOKENS);
      expect(result.client).toMatchObject({ mechanism });
      expect(result.server).toMatchObject({ mechanism, username });
    }
  });

  test("an unknown token is refused with the reason, and no error contains it", async () => {
    const credentials = { username: "joe", token: "s3cret" };
    const result = await converse({ credentials, mechanisms: [mechanism] }, TOKENS);
    const status = mechanism === "XOAUTH2" ? "401" : "invalid_token";
    expect(result.client).toBeInstanceOf(AuthenticationError);
    expect(String(result.client)).toContain(
      `${mechanism} of user "joe" failed: the credentials were refused (code 1, auth): the token was refused, the peer says ${status}`,
    );
    expect(String(result.server)).toContain("the token is unknown");
    for (const error of [result.client, result.server]) expect(JSON.stringify(error) + error).not.toContain("s3cret");
  });

  test("a challenge is answered once, and its error contains neither the token nor control characters", () => {
    const { end, message } = said({ token: TOKEN }, mechanism);
    end.receive(challenge(JSON.stringify({ status: `bad ${TOKEN}\x1b[31m`, scope: "x" })));
    const acknowledgement = response(mechanism === "OAUTHBEARER" ? "\x01" : "");
    expect(end.sent().subarray(8)).toEqual(join(message, acknowledgement));
    end.receive(outcome(1));
    expect(String(end.result)).toContain("the peer says bad ***?[31m");
  });

  test.each(["", "no json", "null", "[]", '{"status":{}}'])(
    "a challenge of %j is reported as a refused token",
    (json) => {
      const { end } = said({ token: TOKEN }, mechanism);
      end.receive(join(challenge(json), outcome(1)));
      expect(end.result).toBeInstanceOf(AuthenticationError);
      expect(String(end.result)).toContain("the token was refused, the peer says ");
    },
  );

  test("a second challenge fails with ProtocolError", () => {
    const { end } = said({ token: TOKEN }, mechanism);
    end.receive(join(challenge("{}"), challenge("{}")));
    expect(end.result).toBeInstanceOf(ProtocolError);
  });

  test.each(["", "\x01", "user=\x01\x01", "n,,\x01auth=Basic x\x01\x01", `m,,\x01auth=Bearer ${TOKEN}\x01\x01`])(
    "the server refuses the malformed response %j",
    (message) => {
      const end = server(TOKENS);
      end.receive(join(saslHeader(), init(mechanism, message)));
      expect(String(end.result)).toContain("the response with the token is malformed");
      expect(text(end.sent())).not.toContain("status");
    },
  );
});

describe("EXTERNAL", () => {
  test.each([
    ["EXTERNAL is chosen for external credentials", { credentials: { external: true } as const }],
    [
      "EXTERNAL is chosen without credentials as the only allowed mechanism",
      { credentials: undefined, mechanisms: ["EXTERNAL"] },
    ],
  ])("%s, and authenticates the client named by the certificate", { tags: ["auth:external"] }, async (_, options) => {
    const result = await converse(options, {}, "the client");
    expect(result.client).toMatchObject({ mechanism: "EXTERNAL" });
    expect(result.server).toMatchObject({ mechanism: "EXTERNAL", username: "the client" });
  });

  test("EXTERNAL is not used when the server does not offer it", async () => {
    const end = client({ credentials: { external: true } });
    end.receive(join(saslHeader(), mechanisms("ANONYMOUS", "PLAIN")));
    expect(String(end.result)).toContain("the peer offers ANONYMOUS, PLAIN, the client allows EXTERNAL");
  });

  test("EXTERNAL refuses an authorization id other than the name in the certificate", () => {
    const end = server({}, "the client");
    end.receive(join(saslHeader(), init("EXTERNAL", "root")));
    expect(String(end.result)).toContain('user "the client" requests to act as another user');
    const same = server({}, "the client");
    same.receive(join(saslHeader(), init("EXTERNAL", "the client")));
    expect(same.result).toMatchObject({ mechanism: "EXTERNAL" });
  });
});
