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

/** What a client says to a server that offers these, behind the SASL header. */
function said(credentials: Parameters<typeof client>[0]["credentials"], ...offered: string[]) {
  const end = client({ credentials });
  end.receive(join(saslHeader(), mechanisms(...offered)));
  return { end, message: end.sent().subarray(8) };
}

describe("a token", () => {
  test("goes by OAUTHBEARER, or else by XOAUTH2, as their documents say", { tags: ["auth:bearer"] }, () => {
    const joe = { username: "j=o,e", token: TOKEN };
    const oauthBearer = `n,a=j=3Do=2Ce,\x01auth=Bearer ${TOKEN}\x01\x01`;
    expect(said(joe, "PLAIN", "XOAUTH2", "OAUTHBEARER").message).toEqual(init("OAUTHBEARER", oauthBearer));
    const nobody = { token: TOKEN };
    expect(said(nobody, "OAUTHBEARER").message).toEqual(init("OAUTHBEARER", `n,,\x01auth=Bearer ${TOKEN}\x01\x01`));
    expect(said(joe, "XOAUTH2").message).toEqual(init("XOAUTH2", `user=j=o,e\x01auth=Bearer ${TOKEN}\x01\x01`));
    expect(said(nobody, "XOAUTH2").message).toEqual(init("XOAUTH2", `user=\x01auth=Bearer ${TOKEN}\x01\x01`));
  });

  test("finds no mechanism where passwords are wanted, and the other way round", () => {
    expect(String(said({ token: TOKEN }, "PLAIN", "ANONYMOUS").end.result)).toContain(
      "the SASL mechanisms of the peer are PLAIN, ANONYMOUS; ours are OAUTHBEARER, XOAUTH2",
    );
    const end = client({ credentials: { username: "joe", password: "p" }, mechanisms: ["OAUTHBEARER", "PLAIN"] });
    end.receive(join(saslHeader(), mechanisms("OAUTHBEARER")));
    expect(String(end.result)).toContain("ours are OAUTHBEARER, PLAIN (OAUTHBEARER needs a token)");
  });

  test.each(["", "to ken", "tok\x01en", "tok\u00e9n"])("that is none is not sent, nor shown: %j", (token) => {
    for (const mechanism of ["OAUTHBEARER", "XOAUTH2"]) {
      const { end } = said({ token }, mechanism);
      expect(end.result).toBeInstanceOf(AuthenticationError);
      expect(String(end.result)).toContain(
        `${mechanism} failed: the token is empty or holds a character that it may not`,
      );
      if (token !== "") expect(String(end.result)).not.toContain(token);
      expect(end.sent()).toEqual(saslHeader());
    }
  });

  test("goes with no name that holds a control character", () => {
    const { end } = said({ username: "joe\x01auth=Bearer x", token: TOKEN }, "XOAUTH2");
    expect(String(end.result)).toContain("failed: the username is empty or holds a character that it may not");
  });
});

describe.each(["OAUTHBEARER", "XOAUTH2"])("%s", (mechanism) => {
  test("lets in who has a token", { tags: ["auth:bearer", "intermediary:sasl"] }, async () => {
    for (const username of ["joe", "j=o,e", undefined]) {
      const result = await converse({ credentials: { username, token: TOKEN }, mechanisms: [mechanism] }, TOKENS);
      expect(result.client).toMatchObject({ mechanism });
      expect(result.server).toMatchObject({ mechanism, username });
    }
  });

  test("does not let in another one, and says why", async () => {
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

  test("answers a challenge once, and shows of it neither the token nor what a terminal would obey", () => {
    const { end, message } = said({ token: TOKEN }, mechanism);
    end.receive(challenge(JSON.stringify({ status: `bad ${TOKEN}\x1b[31m`, scope: "x" })));
    const acknowledgement = response(mechanism === "OAUTHBEARER" ? "\x01" : "");
    expect(end.sent().subarray(8)).toEqual(join(message, acknowledgement));
    end.receive(outcome(1));
    expect(String(end.result)).toContain("the peer says bad ***?[31m");
  });

  test.each(["", "no json", "null", "[]", '{"status":{}}'])("bears a challenge that says %j", (json) => {
    const { end } = said({ token: TOKEN }, mechanism);
    end.receive(join(challenge(json), outcome(1)));
    expect(end.result).toBeInstanceOf(AuthenticationError);
    expect(String(end.result)).toContain("the token was refused, the peer says ");
  });

  test("is over with a second challenge", () => {
    const { end } = said({ token: TOKEN }, mechanism);
    end.receive(join(challenge("{}"), challenge("{}")));
    expect(end.result).toBeInstanceOf(ProtocolError);
  });

  test.each(["", "\x01", "user=\x01\x01", "n,,\x01auth=Basic x\x01\x01", `m,,\x01auth=Bearer ${TOKEN}\x01\x01`])(
    "refuses the response %j",
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
    ["is chosen by who says so", { credentials: { external: true } as const }],
    ["is chosen by the list of who has no credentials", { credentials: undefined, mechanisms: ["EXTERNAL"] }],
  ])("%s, and lets in whom the certificate names", { tags: ["auth:external"] }, async (_, options) => {
    const result = await converse(options, {}, "the client");
    expect(result.client).toMatchObject({ mechanism: "EXTERNAL" });
    expect(result.server).toMatchObject({ mechanism: "EXTERNAL", username: "the client" });
  });

  test("is not there without a certificate", async () => {
    const end = client({ credentials: { external: true } });
    end.receive(join(saslHeader(), mechanisms("ANONYMOUS", "PLAIN")));
    expect(String(end.result)).toContain("of the peer are ANONYMOUS, PLAIN; ours are EXTERNAL");
  });

  test("lets nobody act as somebody else", () => {
    const end = server({}, "the client");
    end.receive(join(saslHeader(), init("EXTERNAL", "root")));
    expect(String(end.result)).toContain('user "the client" asks to act as somebody else');
    const same = server({}, "the client");
    same.receive(join(saslHeader(), init("EXTERNAL", "the client")));
    expect(same.result).toMatchObject({ mechanism: "EXTERNAL" });
  });
});
