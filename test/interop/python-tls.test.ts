import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuiltinEndpoint } from "@/src/cli/builtin-endpoint.js";
import { getRpcClient, getRpcServer, getRpcTransport, type TLSOptions } from "@/src/entry/node.js";
import { Artemis } from "@/test/fixtures/beds/artemis.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { embedded, type Guarded } from "@/test/fixtures/beds/embedded.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import {
  CA,
  CLIENT,
  ENCRYPTED_CLIENT,
  pem,
  pemFile,
  SERVER,
  VHOST,
  VHOST_SERVER,
} from "@/test/fixtures/network/tls.js";
import { PythonClient, PythonServer } from "@/test/fixtures/python/python.js";
import { refusedAttempt } from "@/test/fixtures/stages/status.js";

const LEGACY = { addressing_mode: "legacy" };
const PYTHON_CA = { ssl: "true", ssl_ca_file: pemFile("ca") };
const PYTHON_CLIENT = {
  ...PYTHON_CA,
  ssl_cert_file: pemFile("client-cert"),
  ssl_key_file: pemFile("client-key-encrypted"),
  ssl_key_password: ENCRYPTED_CLIENT.passphrase,
};

async function artemis(): Promise<Guarded> {
  const running = await Artemis.start({ addressing: "legacy", tls: true });
  return {
    port: running.address.port,
    logger: new RecordingLogger(),
    [Symbol.asyncDispose]: () => running.stop(),
  };
}

describe.each([
  ["the embedded broker", () => embedded({ by: "tcp", tls: { ...SERVER, clientCa: CA } })],
  ["Artemis", artemis],
])("TLS at %s, which requires client certificates", (_place, start) => {
  let place: Guarded;
  beforeAll(async () => {
    place = await start();
  });
  afterAll(() => place[Symbol.asyncDispose]());

  const ours = (tls: TLSOptions) =>
    getRpcTransport(`amqps://localhost:${place.port}/?${new URLSearchParams(LEGACY)}`, { logger: null, tls });

  test("Python and this driver call each other, each with a client certificate", {
    tags: ["tls:server", "tls:client"],
  }, async () => {
    const url = `amqp://localhost:${place.port}/?${new URLSearchParams({ ...LEGACY, ...PYTHON_CLIENT })}`;
    const topics = { python: uniqueTopic("python"), ours: uniqueTopic("ours") };
    await using transport = ours({ ca: CA, ...CLIENT });
    await getRpcServer(transport, { topic: topics.ours, server: "us" }, [new BuiltinEndpoint("us", () => {})]).start();
    await using _pythonServer = await PythonServer.start({ url, topic: topics.python, server: "python" });
    await using pythonClient = await PythonClient.start(url);
    const call = { target: { topic: topics.ours, version: "1.0" }, method: "echo", args: { arg: "hällo" } };
    expect(await pythonClient.call(call)).toBe("hällo");
    const client = getRpcClient(transport, { topic: topics.python, version: "1.0" });
    expect(await client.call({}, "echo", { arg: "hällo" })).toBe("hällo");
  });

  test.each<[string, TLSOptions, RegExp]>([
    ["no certificate", { ca: CA }, /the peer requires a certificate|it may require a client certificate/],
    [
      "a certificate of another CA",
      { ca: CA, key: CLIENT.key, cert: pem("stranger-cert") },
      /it may have refused the client certi/,
    ],
    ["an unknown CA", CLIENT, /the certificate is not signed by a trusted CA/],
  ])("the error names the reason for %s", async (_what, tls, why) => {
    await using transport = ours(tls);
    expect(String((await refusedAttempt(transport)).error)).toMatch(why);
  });

  test("a client without TLS gets an error that suggests TLS", async () => {
    await using transport = getRpcTransport(`amqp://localhost:${place.port}/`, { logger: null });
    expect(String((await refusedAttempt(transport)).error)).toContain("TLS");
  });
});

test("a Python client without a certificate is refused, and the log names the reason", async () => {
  await using place = await embedded({ by: "tcp", tls: { ...SERVER, clientCa: CA } });
  const url = `amqp://localhost:${place.port}/?${new URLSearchParams({ ...LEGACY, ...PYTHON_CA })}`;
  await using client = await PythonClient.start(url);
  const call = client.call({ target: { topic: "t" }, method: "ping", timeout: 2 });
  await expect(call).rejects.toMatchObject({ type: expect.stringMatching(/MessagingTimeout|MessageDeliveryFailure/) });
  expect(place.logger.of("warn")).toContainEqual(expect.stringContaining("the peer sent no certificate"));
});

test("Python and this driver are authenticated by EXTERNAL with a certificate only", async () => {
  await using place = await embedded({ by: "tcp", tls: { ...SERVER, clientCa: CA }, sasl: ["EXTERNAL"] });
  const query = new URLSearchParams({ ...LEGACY, ...PYTHON_CLIENT, sasl_mechanisms: "EXTERNAL" });
  const url = `amqp://localhost:${place.port}/?${query}`;
  const topic = uniqueTopic("external");
  await using transport = getRpcTransport(url, { logger: null });
  await getRpcServer(transport, { topic, server: "us" }, [new BuiltinEndpoint("us", () => {})]).start();
  await using client = await PythonClient.start(url);
  expect(await client.call({ target: { topic, version: "1.0" }, method: "ping" })).toBe("pong from us");
});

test("Python and this driver check a certificate against the virtual host with ssl_verify_vhost", {
  tags: ["tls:vhost:verified"],
}, async () => {
  await using place = await embedded({ by: "tcp", tls: VHOST_SERVER });
  const query = new URLSearchParams({ ...LEGACY, ...PYTHON_CA, ssl_verify_vhost: "true" });
  const url = `amqp://127.0.0.1:${place.port}/${VHOST}?${query}`;
  const topic = uniqueTopic("vhost");
  await using transport = getRpcTransport(url, { logger: null });
  await getRpcServer(transport, { topic, server: "us" }, [new BuiltinEndpoint("us", () => {})]).start();
  await using client = await PythonClient.start(url);
  expect(await client.call({ target: { topic, version: "1.0" }, method: "ping" })).toBe("pong from us");
});
