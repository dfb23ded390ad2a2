import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  type CredentialsFunction,
  type Frame,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type TransportOptions,
  type TransportStatus,
} from "@/src/entry/node.js";
import { RabbitHost } from "@/test/fixtures/beds/rabbit-host.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { nextStatus, refusedAttempt } from "@/test/fixtures/stages/status.js";

const LOGIN = { username: "jo@é", password: "p:a/s@s ß" };
const WRONG = "wr:o/ng@ ß";

const MECHANISMS = ["AMQPLAIN", "PLAIN"] as const;

describe.concurrent("Over rabbit", () => {
  test.each<[title: string, query: string, mechanism: string]>([
    ["the default mechanism", "", "AMQPLAIN"],
    ...MECHANISMS.map(
      (mechanism) => [mechanism, `?rabbit_login_method=${mechanism}`, mechanism] as [string, string, string],
    ),
  ])(
    "a user whose name and password are not ASCII is authenticated by %s",
    { tags: ["auth:good", "auth:preference"] },
    async (_title, query, mechanism) => {
      const bed = await bedOf(LOGIN);
      await using transport = getRpcTransport(urlOf(bed, LOGIN, query), { logger: null });
      expect(await transport.probe()).toMatchObject({ mechanism });
    },
  );

  test("a client that requires EXTERNAL is refused without a certificate, with the mechanisms of both sides", {
    tags: ["auth:mechanisms"],
  }, async () => {
    const { url } = await rabbitMqBed("3.10.8");
    await using transport = getRpcTransport(url, { logger: null, rabbit: { rabbitLoginMethod: "EXTERNAL" } });
    const { error } = await refusedAttempt(transport);
    expect(error?.name).toBe("AuthenticationError");
    expect(error?.message).toMatch(/no common SASL mechanism: the peer offers .*, the client allows EXTERNAL/);
  });

  test.each(MECHANISMS)(
    "a wrong password is refused by %s; the error names the user, and the password is shown nowhere",
    { tags: ["auth:bad", "auth:secrets"] },
    async (mechanism) => {
      const bed = await bedOf(LOGIN);
      const { username } = LOGIN;
      const logger = new RecordingLogger();
      const frames: Frame[] = [];
      const query = `?rabbit_login_method=${mechanism}`;
      const options: TransportOptions = { logger, onFrame: (frame) => frames.push(frame) };
      await using transport = getRpcTransport(urlOf(bed, { username, password: WRONG }, query), options);
      const statuses: TransportStatus[] = [];
      const recorded = (async () => {
        for await (const status of transport.status()) statuses.push(status);
      })();
      await refusedAttempt(transport);
      const call = getRpcClient(transport, { topic: "t" }).call({}, "m", {}, { timeoutMs: 100 });
      const error: unknown = await call.catch((thrown: unknown) => thrown);
      const { host, port } = bed.node.address;
      expect(error).toMatchObject({
        name: "MessagingTimeout",
        phase: "connecting",
        host: `${host}:${port}`,
        cause: {
          name: "AuthenticationError",
          message: expect.stringContaining(`${mechanism} of user ${JSON.stringify(username)} failed: ACCESS_REFUSED`),
          cause: { name: "Amqp091Error", code: 403 },
        },
      });
      await transport.close();
      await recorded;
      expect(statuses).toContainEqual(expect.objectContaining({ type: "disconnected", error: (error as Error).cause }));
      const seen = inspect([error, statuses, logger.lines, frames, transport], { depth: 20 });
      expect(seen).toContain("connection.start-ok");
      for (const secret of [WRONG, encodeURIComponent(WRONG), btoa(WRONG)]) expect(seen).not.toContain(secret);
      expect(JSON.stringify([transport.url, statuses])).not.toContain("ng@");
    },
  );

  test("a user without permissions in the virtual host is refused, and the error names both", async () => {
    const bed = await bedOf({ username: "without", password: "x" });
    const { url, virtualHost } = await rabbitMqBed("3.10.8");
    expect(url).not.toBe(bed.url);
    await using transport = getRpcTransport(url.replace("guest:guest", "without:x"), { logger: null });
    const { error } = await refusedAttempt(transport);
    expect(error).toMatchObject({ name: "Amqp091Error", code: 530 });
    expect(error?.message).toContain("without");
    expect(error?.message).toContain(virtualHost);
  });

  test("a credentials function is called for each connection, and its passwords are shown nowhere", {
    tags: ["auth:function", "auth:secrets"],
  }, async () => {
    await using host = await RabbitHost.reserve();
    const { node, virtualHost } = host.bed;
    const username = "turning";
    await node.addUser({ username, password: "s3cret-1" }, virtualHost);
    await host.start();
    const logger = new RecordingLogger();
    const asked: number[] = [];
    let password = "s3cret-1";
    const credentials: CredentialsFunction = async (_host, { attempt }) => {
      asked.push(attempt);
      return { username, password };
    };
    const url = `rabbit://${host.name}/${virtualHost}`;
    await using transport = getRpcTransport(url, { logger, credentials, random: () => 0 });
    await getRpcServer(transport, { topic: "t", server: "s" }, [{ ping: () => "pong" }]).start();
    const client = getRpcClient(transport, { topic: "t" });
    expect(await client.call({}, "ping")).toBe("pong");
    expect(asked).toEqual([1, 1]); // one connection listens, the other one publishes
    const lost = nextStatus(transport, "disconnected");
    await host.kill();
    await lost;
    password = "s3cret-2";
    await node.addUser({ username, password }, virtualHost);
    await host.start();
    expect(await client.call({}, "ping")).toBe("pong");
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(inspect([logger.lines, transport], { depth: 20 })).not.toContain("s3cret");
  });

  test("a token of a credentials function is sent as the password of PLAIN, and is shown nowhere", {
    tags: ["auth:function", "auth:bearer", "auth:secrets"],
  }, async () => {
    const bed = await bedOf({ username: "joe", password: "t0ken-1" });
    const logger = new RecordingLogger();
    const frames: Frame[] = [];
    const credentials = () => ({ username: "joe", token: "t0ken-1" });
    const options: TransportOptions = { logger, credentials, onFrame: (frame) => frames.push(frame) };
    await using transport = getRpcTransport(bed.url.replace("guest:guest@", ""), options);
    expect(await transport.probe()).toMatchObject({ mechanism: "PLAIN" });
    expect(inspect([logger.lines, frames, transport], { depth: 20 })).not.toContain("t0ken");
  });
});

/** A virtual host in which this user may do everything. */
async function bedOf(login: typeof LOGIN): Promise<RabbitMqBed> {
  const bed = await rabbitMqBed("3.10.8");
  await bed.node.addUser(login, bed.virtualHost);
  return bed;
}

function urlOf(bed: RabbitMqBed, { username, password }: typeof LOGIN, query = ""): string {
  return bed.url.replace("guest:guest", `${encodeURIComponent(username)}:${encodeURIComponent(password)}`) + query;
}
