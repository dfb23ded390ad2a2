import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type RPCTransport,
  type TLSOptions,
  type TransportOptions,
} from "@/src/entry/node.js";
import { type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import type { LoopbackAddress } from "@/test/fixtures/network/loopback.js";
import { Relay } from "@/test/fixtures/network/relay.js";
import { CA, CLIENT, CLIENT_NAME, ENCRYPTED_CLIENT, pem, pemFile } from "@/test/fixtures/network/tls.js";
import { closedPort } from "@/test/fixtures/peers/bad-peers.js";
import { refusedAttempt } from "@/test/fixtures/stages/status.js";

const MEBI = 1024 * 1024;

class Echo {
  echo(_context: object, { arg }: { arg: unknown }): unknown {
    return arg;
  }
}

// The certificate of the broker is for localhost and 127.0.0.1, where a relay listens.
describe.concurrent("TLS by rabbit", () => {
  test("a call is answered through a broker whose certificate is signed by a private CA", {
    tags: ["tls:server", "tls:private-ca"],
  }, async () => {
    const bed = await rabbitMqBed("3.10.8");
    await using relay = await relayTo(bed.node.tls);
    await call(() => transportTo(bed, [relay], { tls: { ca: CA } }));
  });

  test("the query of a URL enables TLS and sets its CA and client certificate", { tags: ["tls:url"] }, async () => {
    const bed = await rabbitMqBed("3.10.8");
    await using relay = await relayTo(bed.node.tls);
    const query = new URLSearchParams({
      ssl: "true",
      ssl_ca_file: pemFile("ca"),
      ssl_cert_file: pemFile("client-cert"),
      ssl_key_file: pemFile("client-key"),
    });
    await call(() => transportTo(bed, [relay], {}, `?${query}`));
  });

  test("a client with a certificate, whose key may be encrypted, is authenticated by EXTERNAL", {
    tags: ["auth:external", "tls:client", "tls:key-password"],
  }, async () => {
    const bed = await rabbitMqBed("3.10.8");
    await bed.node.addUser({ username: CLIENT_NAME, password: "unused" }, bed.virtualHost);
    await using relay = await relayTo(bed.node.tls);
    for (const client of [CLIENT, ENCRYPTED_CLIENT]) {
      for (const how of [
        { rabbit: { rabbitLoginMethod: "EXTERNAL" } },
        { rabbit: { rabbitLoginMethod: "EXTERNAL" }, credentials: () => ({ external: true }) },
      ] satisfies TransportOptions[]) {
        await using transport = transportTo(bed, [relay], { tls: { ca: CA, ...client }, ...how });
        expect(await transport.probe()).toMatchObject({ mechanism: "EXTERNAL", encrypted: true });
      }
    }
  });

  test.each<[string, "tls" | "address", TLSOptions, string]>([
    ["a broker of an unknown CA", "tls", {}, "the certificate is not signed by a trusted CA"],
    ["a broker without TLS", "address", { ca: CA }, "the peer does not speak TLS"],
    [
      "a client certificate of another CA",
      "tls",
      { ca: CA, key: CLIENT.key, cert: pem("stranger-cert") },
      "it may have refused the client certificate",
    ],
    [
      "a wrong passphrase",
      "tls",
      { ca: CA, ...ENCRYPTED_CLIENT, passphrase: "w:r:o:n:g" },
      "the private key cannot be decrypted: the passphrase is wrong",
    ],
  ])("the status has the reason for %s", { tags: ["tls:server:bad"] }, async (_what, port, tls, why) => {
    const bed = await rabbitMqBed("3.10.8");
    await using relay = await relayTo(bed.node[port]);
    await using transport = transportTo(bed, [relay], { tls });
    const status = await refusedAttempt(transport);
    expect(status).toMatchObject({ host: hostOf(relay), error: { message: expect.stringContaining(hostOf(relay)) } });
    expect(status.error?.message).toContain(why);
    const seen = inspect(status, { depth: 20 });
    for (const secret of ["PRIVATE KEY", "w:r:o:n:g"]) expect(seen).not.toContain(secret);
  });

  test("a call through a broker whose certificate is for another name fails with that reason", {
    tags: ["tls:server:bad"],
  }, async () => {
    const bed = await rabbitMqBed("3.10.8");
    const { tls } = bed.node;
    await using transport = transportTo(bed, [tls], { tls: { ca: CA } });
    await refusedAttempt(transport);
    const client = getRpcClient(transport, { topic: "t" });
    await expect(client.call({}, "echo", {}, { timeoutMs: 100 })).rejects.toMatchObject({
      name: "MessagingTimeout",
      phase: "connecting",
      host: hostOf(tls),
      cause: { message: expect.stringContaining(`the certificate is not for ${tls.host}, but for `) },
    });
  });

  test("a client without TLS learns that the peer speaks TLS", async () => {
    const bed = await rabbitMqBed("3.10.8");
    await using transport = transportTo(bed, [bed.node.tls], {});
    const { error } = await refusedAttempt(transport);
    expect(error?.message).toMatch(/TLS/);
  });

  test("a host that cannot be used is skipped for the next host of the URL", { tags: ["tls:failover"] }, async () => {
    const bed = await rabbitMqBed("3.10.8");
    await using closed = await closedPort();
    await using good = await relayTo(bed.node.tls);
    await using transport = transportTo(bed, [closed, bed.node.tls, good], { tls: { ca: CA } });
    await transport.connect();
    expect(transport.state).toMatchObject({ type: "connected", host: hostOf(good) });
  });
});

async function relayTo({ host, port }: LoopbackAddress): Promise<Relay> {
  const relay = await Relay.atLocalhost();
  await relay.passTo(port, host);
  return relay;
}

function hostOf({ host, port }: LoopbackAddress): string {
  return `${host}:${port}`;
}

function transportTo(
  { virtualHost }: RabbitMqBed,
  hosts: readonly LoopbackAddress[],
  options: TransportOptions,
  query = "",
): RPCTransport {
  const authority = hosts.map((each) => `guest:guest@${hostOf(each)}`).join(",");
  return getRpcTransport(`rabbit://${authority}/${virtualHost}${query}`, { logger: null, ...options });
}

/** A call with a megabyte is answered between two such transports. */
async function call(transport: () => RPCTransport): Promise<void> {
  await using serving = transport();
  await using calling = transport();
  await getRpcServer(serving, { topic: "t", server: "s" }, [new Echo()]).start();
  const arg = "x".repeat(MEBI);
  expect(await getRpcClient(calling, { topic: "t" }).call({}, "echo", { arg })).toBe(arg);
  expect(await calling.probe()).toMatchObject({ encrypted: true });
}
