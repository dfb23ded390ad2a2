import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getRpcClient, getRpcTransport } from "@/src/entry/node.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { listenTcp } from "@/src/transports/node/tcp-listener.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { type PythonCall, PythonClient, PythonServer } from "@/test/fixtures/python/python.js";

const USERS = new Map([
  ["joe", "sec:r/é t"],
  ["joe@cloud", "of the cloud"],
]);
const PASSWORD = encodeURIComponent("sec:r/é t");

describe("Python's oslo.messaging at the embedded broker with users", { timeout: 90_000 }, () => {
  const topic = uniqueTopic("credentials");
  const intermediary = new Intermediary({ kind: "broker", users: USERS, virtualHosts: ["red"] });
  let listening: Awaited<ReturnType<typeof listenTcp>>;
  let server: PythonServer;

  const urlOf = (who: string, rest = "") => `amqp://${who}127.0.0.1:${listening.port}/${rest}`;
  const echo = async (url: string, options: Partial<PythonCall> = {}): Promise<unknown> => {
    await using client = await PythonClient.start(url);
    const target = { topic, version: "1.0" };
    return await client.call({ target, method: "echo", args: { arg: "hello" }, timeout: 60, ...options });
  };

  beforeAll(async () => {
    listening = await listenTcp({ host: "127.0.0.1", port: 0, maxConnections: 50, accept: intermediary.accept });
    server = await PythonServer.start({ url: urlOf(`joe:${PASSWORD}@`), topic, server: "python" });
  });

  afterAll(async () => {
    await server?.stop();
    await intermediary.close();
    await listening?.close();
  });

  test.each([
    ["the password", () => urlOf(`joe:${PASSWORD}@`)],
    ["a user of the default realm", () => urlOf("joe:of%20the%20cloud@", "?sasl_default_realm=cloud")],
  ])("a Python client with %s is authenticated by the embedded broker", async (_, url) => {
    expect(await echo(url())).toBe("hello");
  });

  test("our client that is authenticated by SCRAM calls a Python server", {
    tags: ["auth:good", "auth:scram", "intermediary:sasl"],
  }, async () => {
    await using transport = getRpcTransport(urlOf(`joe:${PASSWORD}@`, "?sasl_mechanisms=SCRAM-SHA-256"), {
      logger: null,
    });
    const client = getRpcClient(transport, { topic, version: "1.0" });
    expect(await client.call({}, "echo", { arg: "hello" }, { timeoutMs: 20_000 })).toBe("hello");
  });

  test.each([
    ["a wrong password", () => urlOf("joe:wrong@")],
    ["mechanisms that are not offered", () => urlOf(`joe:${PASSWORD}@`, "?sasl_mechanisms=EXTERNAL%20ANONYMOUS")],
  ])("a Python client with %s is refused by the embedded broker", async (_, url) => {
    await expect(echo(url(), { retry: 1 })).rejects.toMatchObject({ type: "MessageDeliveryFailure" });
  });

  test("a Python client and server meet in the virtual host of their Open", {
    tags: ["intermediary:virtual-hosts"],
  }, async () => {
    const url = urlOf(`joe:${PASSWORD}@`, "red?pseudo_vhost=false");
    await using _server = await PythonServer.start({ url, topic, server: "in red" });
    await using client = await PythonClient.start(url);
    const call = { target: { topic, version: "1.0" }, method: "whoami", timeout: 60 };
    expect(await client.call(call)).toMatchObject({ server: "in red" });
  });
});
