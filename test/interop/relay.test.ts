import { afterAll, beforeAll, expect, test } from "vitest";
import { BuiltinEndpoint } from "@/src/cli/builtin-endpoint.js";
import { getRpcClient, getRpcServer, getRpcTransport, type RPCTransport } from "@/src/entry/node.js";
import { Relay } from "@/src/relay/relay.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { embedded } from "@/test/fixtures/beds/embedded.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { CA, SERVER } from "@/test/fixtures/network/tls.js";
import { PythonClient, PythonServer } from "@/test/fixtures/python/python.js";

const topic = { python: uniqueTopic("python"), ours: uniqueTopic("ours") };
const LARGE = "x".repeat(5_000_000);
const RELAY = { host: "127.0.0.1", port: 0, maxConnections: 10, idleTimeoutMs: 60_000 };

let bed: RabbitMqBed;
let pythonServer: PythonServer;
let pythonClient: PythonClient;

beforeAll(async () => {
  bed = await rabbitMqBed("3.10.8");
  [pythonServer, pythonClient] = await Promise.all([
    PythonServer.start({ url: bed.url, topic: topic.python, server: "python" }),
    PythonClient.start(bed.url),
  ]);
});

afterAll(async () => {
  await Promise.all([pythonServer?.stop(), pythonClient?.stop()]);
});

/** Our driver through a relay. */
function transportTo(relay: Relay, options?: Parameters<typeof getRpcTransport>[1]): RPCTransport {
  return getRpcTransport(`rabbit+${relay.url.replace("//", "//guest:guest@")}${bed.virtualHost}`, options);
}

test("through a relay to RabbitMQ our client calls a Python server, and a Python client calls our server", async () => {
  const { host: hostname, port } = bed.node.address;
  await using relay = await Relay.start({ ...RELAY, to: { scheme: "amqp", hostname, port } });
  await using transport = transportTo(relay);
  await using server = getRpcServer(transport, { topic: topic.ours, server: "ours" }, [
    new BuiltinEndpoint("ours", () => {}),
  ]);
  await server.start();
  const client = getRpcClient(transport, { topic: topic.python, version: "1.0" });
  for (const arg of ["small", LARGE]) {
    expect(await client.call({}, "echo", { arg })).toBe(arg);
    const target = { topic: topic.ours, version: "1.0" };
    expect(await pythonClient.call({ target, method: "echo", args: { arg } })).toBe(arg);
  }
  expect(relay.counts).toMatchObject({ connections: 2, failed: 0 }); // one publishes, the other one listens
});

test("through a relay with TLS on both sides our client calls a Python server", async () => {
  const { port } = bed.node.tls;
  const to = { scheme: "amqps", hostname: bed.node.tls.host, serverName: "localhost", port, tls: { ca: CA } };
  await using relay = await Relay.start({ ...RELAY, to, tls: SERVER });
  await using transport = transportTo(relay, { tls: { ca: CA } });
  const client = getRpcClient(transport, { topic: topic.python, version: "1.0" });
  expect(await client.call({}, "echo", { arg: "secure" })).toBe("secure");
});

test("through a relay to the embedded broker our client calls our server over AMQP 1.0", async () => {
  await using broker = await embedded({ by: "tcp" });
  await using relay = await Relay.start({ ...RELAY, to: { scheme: "amqp", hostname: "127.0.0.1", port: broker.port } });
  await using transport = getRpcTransport(`amqp+${relay.url}`);
  await using server = getRpcServer(transport, { topic: topic.ours, server: "ours" }, [
    new BuiltinEndpoint("ours", () => {}),
  ]);
  await server.start();
  const client = getRpcClient(transport, { topic: topic.ours, version: "1.0" });
  for (const arg of ["small", LARGE]) expect(await client.call({}, "echo", { arg })).toBe(arg);
});
