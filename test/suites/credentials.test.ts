import { inspect } from "node:util";
import { describe, expect, inject, test } from "vitest";
import {
  type CredentialsFunction,
  type Frame,
  getRpcClient,
  getRpcTransport,
  type RPCTransport,
  type TransportStatus,
} from "@/src/entry/node.js";
import { embedded, type Guarded } from "@/test/fixtures/beds/embedded.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { ownAddress } from "@/test/fixtures/network/loopback.js";
import { nextStatus, refusedAttempt } from "@/test/fixtures/stages/status.js";

const SCHEMES = ["amqp", "amqp+ws"] as const;
type Scheme = (typeof SCHEMES)[number];
const BY = { amqp: "tcp", "amqp+ws": "websocket" } as const;

interface Login {
  username: string;
  password: string;
}

const EMBEDDED: Login = { username: "jo@é", password: "p:a/s@s ß" };
const WRONG = "wr:o/ng@ ß";

async function artemis(): Promise<Guarded> {
  const { port } = inject("artemis").routable;
  return { port, logger: new RecordingLogger(), [Symbol.asyncDispose]: async () => {} };
}

const PLACES: [place: string, login: () => Login, start: (scheme: Scheme) => Promise<Guarded>][] = [
  [
    "the embedded broker",
    () => EMBEDDED,
    (scheme) => embedded({ by: BY[scheme], users: new Map([[EMBEDDED.username, EMBEDDED.password]]) }),
  ],
  ["Artemis", () => inject("artemis").routable.login ?? EMBEDDED, artemis],
];

describe.concurrent.each(SCHEMES)("Over %s", (scheme) => {
  describe.concurrent.each(PLACES)("%s", (_place, login, start) => {
    test.each([
      ["the strongest mechanism", {}, "SCRAM-SHA-512"],
      ["SCRAM-SHA-512", { sasl_mechanisms: "SCRAM-SHA-512" }, "SCRAM-SHA-512"],
      ["SCRAM-SHA-256", { sasl_mechanisms: "SCRAM-SHA-256" }, "SCRAM-SHA-256"],
      ["PLAIN", { sasl_mechanisms: "PLAIN" }, "PLAIN"],
      ["the first of a list", { sasl_mechanisms: "OAUTHBEARER SCRAM-SHA-256 PLAIN" }, "SCRAM-SHA-256"],
    ])(
      "a user whose name and password are not ASCII is authenticated by %s",
      { tags: ["auth:good", "auth:preference", "auth:scram"] },
      async (_title, query, mechanism) => {
        await using place = await start(scheme);
        const { username, password } = login();
        const frames: Frame[] = [];
        const url = `${urlOf(scheme, place, username, password)}?${new URLSearchParams(query)}`;
        await using transport = getRpcTransport(url, { logger: null, onFrame: (frame) => frames.push(frame) });
        await transport.connect();
        expect(transport.state).toMatchObject({ type: "connected" });
        expect(frames).toContainEqual(
          expect.objectContaining({ performative: "sasl-init", fields: expect.objectContaining({ mechanism }) }),
        );
      },
    );

    test.each(["EXTERNAL ANONYMOUS", "OAUTHBEARER", "GSSAPI"])(
      "a client that allows %s only is refused with amqp:unauthorized-access",
      { tags: ["auth:mechanisms"] },
      async (mechanisms) => {
        await using place = await start(scheme);
        const { username, password } = login();
        const amqp = { saslMechanisms: mechanisms.split(" ") };
        await using transport = getRpcTransport(urlOf(scheme, place, username, password), { logger: null, amqp });
        const { error } = await refusedAttempt(transport);
        expect(error).toMatchObject({ condition: "amqp:unauthorized-access" });
      },
    );

    test("a wrong password is refused; the error names the user, and the password is shown nowhere", {
      tags: ["auth:bad", "auth:secrets"],
    }, async () => {
      await using place = await start(scheme);
      const { username } = login();
      const logger = new RecordingLogger();
      await using transport = getRpcTransport(urlOf(scheme, place, username, WRONG), { logger, amqp: { trace: true } });
      const statuses = record(transport);
      await refusedAttempt(transport);
      const call = getRpcClient(transport, { topic: "t" }).call({}, "m", {}, { timeoutMs: 100 });
      const error: unknown = await call.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        name: "MessagingTimeout",
        phase: "connecting",
        host: `127.0.0.1:${place.port}`,
        cause: {
          name: "AuthenticationError",
          condition: "amqp:unauthorized-access",
          message: expect.stringContaining(
            `SCRAM-SHA-512 of user ${JSON.stringify(username)} failed: the credentials were refused`,
          ),
        },
      });
      await transport.close();
      expect(await statuses).toContainEqual(
        expect.objectContaining({ type: "disconnected", error: (error as Error).cause }),
      );
      const seen = inspect([error, await statuses, logger.lines, place.logger.lines, transport], { depth: 20 });
      expect(seen).toContain("sasl-init");
      for (const secret of [WRONG, encodeURIComponent(WRONG), btoa(WRONG)]) expect(seen).not.toContain(secret);
      expect(JSON.stringify([transport.url, await statuses])).not.toContain("ng@");
    });

    test.each([
      ["without credentials", ""],
      ["with an unknown user", "nemo:wrong@"],
    ])("a client %s is refused with amqp:unauthorized-access", async (_title, credentials) => {
      await using place = await start(scheme);
      await using transport = getRpcTransport(`${scheme}://${credentials}127.0.0.1:${place.port}/`, { logger: null });
      const { error } = await refusedAttempt(transport);
      expect(error).toMatchObject({ condition: "amqp:unauthorized-access" });
    });
  });

  test("a password is not sent to a broker that offers ANONYMOUS only, and the error names the mechanisms of both sides", {
    tags: ["auth:mechanisms"],
  }, async () => {
    await using place = await embedded({ by: BY[scheme] });
    await using transport = getRpcTransport(urlOf(scheme, place, EMBEDDED.username, EMBEDDED.password), {
      logger: null,
    });
    const message = expect.stringContaining(
      "no common SASL mechanism: the peer offers ANONYMOUS, the client allows SCRAM-SHA-512,",
    );
    expect(await refusedAttempt(transport)).toMatchObject({ error: { message } });
  });

  test("a user without a realm gets the default realm, and a user with a realm keeps it", {
    tags: ["auth:default-realm", "auth:own-realm"],
  }, async () => {
    await using place = await embedded({ by: BY[scheme], users: new Map([["joe@cloud", "secret"]]) });
    await using transport = getRpcTransport(`${urlOf(scheme, place, "joe", "secret")}?sasl_default_realm=cloud`, {
      logger: null,
    });
    await transport.connect();
    await using other = getRpcTransport(`${urlOf(scheme, place, "joe@cloud", "secret")}?sasl_default_realm=other`, {
      logger: null,
    });
    await other.connect();
  });

  test("a credentials function is called for each connection, and its tokens are shown nowhere", {
    tags: ["auth:function", "auth:bearer", "auth:secrets", "intermediary:sasl"],
  }, async () => {
    const logger = new RecordingLogger();
    const asked: number[] = [];
    const options = { amqp: { trace: true, connectionRetryIntervalMs: 1_000 }, logger };
    const credentials: CredentialsFunction = async (_host, { attempt }) => {
      asked.push(attempt);
      return { username: "joe", token: `t0ken-${asked.length}` };
    };
    const at = ownAddress();
    const first = await embedded({ by: BY[scheme], tokens: new Set(["t0ken-1"]), at });
    await using transport = getRpcTransport(`${scheme}://${at.host}:${at.port}/`, { ...options, credentials });
    await transport.connect();
    const lost = nextStatus(transport, "disconnected");
    await first[Symbol.asyncDispose]();
    await lost;
    // The number of attempts until the second broker listens is open.
    const tokens = new Set(Array.from({ length: 20 }, (_, index) => `t0ken-${index + 2}`));
    await using second = await embedded({ by: BY[scheme], tokens, at });
    await transport.connect();
    expect(asked.slice(0, 2)).toEqual([1, 1]);
    expect(inspect([logger.lines, first.logger.lines, second.logger.lines, transport], { depth: 20 })).not.toContain(
      "t0ken",
    );
  });
});

function urlOf(scheme: Scheme, { port }: Guarded, username: string, password: string): string {
  return `${scheme}://${encodeURIComponent(username)}:${encodeURIComponent(password)}@127.0.0.1:${port}/`;
}

/** Every status until the transport is closed. */
async function record(transport: RPCTransport): Promise<TransportStatus[]> {
  const statuses: TransportStatus[] = [];
  for await (const status of transport.status()) statuses.push(status);
  return statuses;
}
