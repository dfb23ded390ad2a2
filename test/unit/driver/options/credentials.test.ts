import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import type { TransportStatus } from "@/src/core/connection/status.js";
import type { Credentials } from "@/src/core/sasl/sasl.js";
import { amqp } from "@/src/driver/amqp/amqp.js";
import type { CredentialsFunction, CredentialsRequest } from "@/src/driver/options/credentials.js";
import type { TransportOptions } from "@/src/driver/options/transport-options.js";
import type { TransportHost } from "@/src/driver/options/transport-url.js";
import type { Runtime } from "@/src/driver/runtime.js";
import { RPCTransport } from "@/src/driver/transport.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";

interface Bed {
  transport: RPCTransport;
  intermediary: Intermediary;
  logger: RecordingLogger;
  /** The first status of a failed attempt. */
  failed(): Promise<Extract<TransportStatus, { type: "disconnected" }>>;
}

const USERS = new Map([
  ["joe", "secret"],
  ["joe@realm", "realm's"],
]);

function bed(credentials: CredentialsFunction, query = "", options: TransportOptions = {}): Bed {
  const intermediary = new Intermediary({ kind: "router", users: USERS, tokens: new Set(["t0ken"]) });
  const identity = { node: "node", process: "program", pid: 7 };
  const runtime: Runtime = {
    drivers: [amqp],
    dialers: { amqp: memoryDial(intermediary.accept) },
    identity,
    defaults: {},
  };
  const logger = new RecordingLogger();
  const transport = new RPCTransport(runtime, `amqp://who:wrong@broker:7/${query}`, {
    credentials,
    logger,
    ...options,
  });
  onTestFinished(async () => {
    await transport.close();
    await intermediary.close();
  });
  return {
    transport,
    intermediary,
    logger,
    async failed() {
      void failureOf(transport.connect());
      for await (const status of transport.status()) if (status.type === "disconnected") return status;
      throw new Error("the transport was closed");
    },
  };
}

describe("credentials from a function", () => {
  test.each<[string, Credentials, query: string]>([
    ["a password", { username: "joe", password: "secret" }, ""],
    [
      "a password, of a user in the default realm",
      { username: "joe", password: "realm's" },
      "?sasl_default_realm=realm",
    ],
    ["a password, of a user with a realm", { username: "joe@realm", password: "realm's" }, "?sasl_default_realm=other"],
    ["a token", { token: "t0ken" }, ""],
    ["a token with a user name", { username: "joe", token: "t0ken" }, ""],
  ])("credentials of the function override those of the URL: %s", async (_, credentials, query) => {
    const { transport } = bed(async () => credentials, query);
    await transport.connect();
    expect(transport.state.type).toBe("connected");
  });

  test("the function is called once for each attempt, with its host and number", {
    tags: ["auth:function"],
  }, async () => {
    const asked: [TransportHost, CredentialsRequest, TransportStatus][] = [];
    const passwords = ["wrong", "secret", "secret"];
    const made = bed((...args) => {
      asked.push([...args, made.transport.state]);
      return { username: "joe", password: passwords.shift() ?? "" };
    }, "?connection_retry_interval=1");
    await made.transport.connect({ keepTrying: true });
    const lost = (async () => {
      for await (const { type } of made.transport.status()) if (type === "disconnected") return;
    })();
    await made.intermediary.close();
    await lost;
    await expect.poll(() => asked.length, { timeout: 5_000 }).toBe(3);
    for (const [host, { signal }] of asked) {
      expect([host.hostname, host.port, host.username, host.password]).toEqual(["broker", 7, "who", "wrong"]);
      expect(signal.aborted).toBe(false);
      expect(inspect(host, { getters: true })).not.toContain("wrong");
    }
    expect(asked.map(([, { attempt }]) => attempt)).toEqual([1, 2, 1]);
    expect(asked.map(([, , status]) => status)).toMatchObject(
      [1, 2, 1].map((attempt) => ({ type: "connecting", attempt })),
    );
  });

  test("a function that throws fails the attempt with its error as the cause", async () => {
    const cause = new Error("the vault is shut");
    for (const credentials of [
      () => Promise.reject(cause),
      (): Credentials => {
        throw cause;
      },
    ]) {
      const { error } = await bed(credentials).failed();
      expect(error).toMatchObject({ message: "credentials: the function failed: the vault is shut", cause });
    }
  });

  test.each([
    undefined,
    null,
    "s3cret",
    {},
    { password: "s3cret" },
    { username: "", password: "s3cret" },
    { username: "joe", password: 5 },
    { username: 7, token: "s3cret" },
    { external: "yes" },
    ["s3cret"],
  ])("an attempt fails without showing the value when the function returns no credentials: %j", async (given) => {
    const made = bed(() => given as unknown as Credentials);
    const { error } = await made.failed();
    expect(error).toMatchObject({ name: "ConfigurationError", key: "credentials" });
    expect(String(error)).toContain("the function must return { username, password }, { token }");
    expect(inspect([error, made.logger.lines])).not.toContain("s3cret");
  });

  test("a transport can be closed while the function is pending", async () => {
    let asked: CredentialsRequest | undefined;
    const { transport } = bed((_, request) => {
      asked = request;
      return new Promise(() => {});
    });
    const connecting = failureOf(transport.connect());
    await expect.poll(() => asked).toBeDefined();
    await transport.close();
    expect(asked?.signal.aborted).toBe(true);
    expect((await connecting).message).toBe("the transport is closed");
  });

  test("an error of the function after the transport is closed is not logged", async () => {
    const made = bed((_, { signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => setImmediate(() => reject(new Error("too late"))));
      });
    });
    const connecting = failureOf(made.transport.connect());
    await expect.poll(() => made.transport.state.type).toBe("connecting");
    await made.transport.close();
    await connecting;
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(made.logger.of("error")).toEqual([]);
  });
});

test("frames, logs, statuses and errors show no secret of any mechanism", {
  tags: ["auth:secrets", "connection:trace"],
}, async () => {
  const mechanisms = ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "OAUTHBEARER", "XOAUTH2"];
  for (const mechanism of mechanisms) {
    const isToken = mechanism.endsWith("H2") || mechanism === "OAUTHBEARER";
    const seen: unknown[] = [];
    const onFrame = (frame: object) => seen.push(frame);
    for (const secret of [isToken ? "t0ken" : "secret", "wr0ng-guess"]) {
      const credentials = isToken ? { token: secret } : { username: "joe", password: secret };
      const made = bed(() => credentials, `?trace=true&sasl_mechanisms=${mechanism}`, { onFrame });
      if (secret === "wr0ng-guess") seen.push(await made.failed());
      else await made.transport.connect();
      seen.push(made.logger.lines, made.transport, made.transport.state);
    }
    const shown = inspect(seen, { depth: 20, getters: true, maxArrayLength: 1_000, maxStringLength: 10_000 });
    expect(shown).toContain("sasl-init");
    expect(shown).toContain(mechanism);
    if (mechanism.startsWith("SCRAM")) expect(shown).toContain("sasl-response");
    expect(shown).not.toMatch(/t0ken|:secret|'secret'|wr0ng|p=[A-Za-z0-9+/]{8}|v=[A-Za-z0-9+/]{8}|i=4096/);
  }
});
