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
import type { TlsListenerOptions } from "@/src/transports/node/tls-pem.js";
import { embedded, type Guarded } from "@/test/fixtures/beds/embedded.js";
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
import { refusedAttempt } from "@/test/fixtures/stages/status.js";

class Echo {
  echo(_context: object, { arg }: { arg: unknown }): unknown {
    return arg;
  }
}

describe.concurrent.each(["amqps", "amqp+wss"] as const)("TLS by %s", (scheme) => {
  const by = scheme === "amqps" ? "tcp" : "websocket";
  const start = (tls?: TlsListenerOptions, sasl?: readonly string[]) => embedded({ by, tls, sasl });

  function transportTo(hosts: readonly Guarded[], tls: TLSOptions, virtualHost = ""): RPCTransport {
    return getRpcTransport(`${scheme}://${hosts.map(hostOf).join(",")}/${virtualHost}`, { logger: null, tls });
  }

  /** A call is answered between two such transports. */
  async function call(transport: () => RPCTransport): Promise<void> {
    await using serving = transport();
    await using calling = transport();
    await getRpcServer(serving, { topic: "t", server: "s" }, [new Echo()]).start();
    expect(await getRpcClient(calling, { topic: "t" }).call({}, "echo", { arg: "é".repeat(100_000) })).toHaveLength(
      100_000,
    );
  }

  /** Error of the first attempt to connect. */
  async function refusal(place: Guarded, tls: TLSOptions, virtualHost?: string): Promise<string> {
    await using transport = transportTo([place], tls, virtualHost);
    const status = await refusedAttempt(transport);
    expect(status).toMatchObject({ host: hostOf(place), error: { message: expect.stringContaining(hostOf(place)) } });
    const seen = inspect(status, { depth: 20 });
    for (const secret of ["PRIVATE KEY", "w:r:o:n:g"]) expect(seen).not.toContain(secret);
    return String(status.error?.message);
  }

  test("a call is answered through a server whose certificate is signed by a private CA", {
    tags: ["tls:server", "tls:private-ca"],
  }, async () => {
    await using place = await start(SERVER);
    await call(() => transportTo([place], { ca: CA }));
  });

  test("the query of a URL with a plain scheme enables TLS and sets its CA and client certificate", {
    tags: ["tls:url"],
  }, async () => {
    await using place = await start({ ...SERVER, clientCa: CA });
    const query = new URLSearchParams({
      ssl: "true",
      ssl_ca_file: pemFile("ca"),
      ssl_cert_file: pemFile("client-cert"),
      ssl_key_file: pemFile("client-key-encrypted"),
      ssl_key_password: ENCRYPTED_CLIENT.passphrase,
    });
    const clear = scheme === "amqps" ? "amqp" : "amqp+ws";
    await call(() => getRpcTransport(`${clear}://${hostOf(place)}/?${query}`, { logger: null }));
  });

  test("a call is answered through a server that requires a client certificate, whose key may be encrypted", {
    tags: ["tls:client", "tls:key-password"],
  }, async () => {
    await using place = await start({ ...SERVER, clientCa: CA });
    await call(() => transportTo([place], { ca: CA, ...CLIENT }));
    await call(() => transportTo([place], { ca: CA, ...ENCRYPTED_CLIENT }));
  });

  test("a certificate is checked against the host name, not the virtual host", {
    tags: ["tls:vhost:ignored"],
  }, async () => {
    await using place = await start(SERVER);
    await call(() => transportTo([place], { ca: CA }, VHOST));
  });

  test("a certificate is checked against the virtual host with ssl_verify_vhost", {
    tags: ["tls:vhost:verified"],
  }, async () => {
    await using place = await start(VHOST_SERVER);
    const tls = { ca: CA, verifyVirtualHost: true };
    await call(() => transportTo([place], tls, VHOST));
    expect(await refusal(place, tls, "another")).toContain("the certificate is not for another, but for DNS:");
    await using hostServer = await start(SERVER);
    expect(await refusal(hostServer, tls, VHOST)).toContain(`the certificate is not for ${VHOST}, but for DNS:`);
  });

  test("a call through a server whose certificate is for another name fails with that reason", {
    tags: ["tls:server:bad"],
  }, async () => {
    await using place = await start(VHOST_SERVER);
    await using transport = transportTo([place], { ca: CA }, VHOST);
    await refusedAttempt(transport);
    const client = getRpcClient(transport, { topic: "t" });
    await expect(client.call({}, "echo", {}, { timeoutMs: 100 })).rejects.toMatchObject({
      name: "MessagingTimeout",
      phase: "connecting",
      host: hostOf(place),
      cause: { message: expect.stringContaining("the certificate is not for 127.0.0.1, but for DNS:cloud.example") },
    });
  });

  test.each<[string, TlsListenerOptions | undefined, TLSOptions, string]>([
    ["a server of an unknown CA", SERVER, {}, "the certificate is not signed by a trusted CA"],
    ["an expired certificate", { ...SERVER, cert: pem("expired-cert") }, { ca: CA }, "the certificate has expired"],
    ["a server without TLS", undefined, { ca: CA }, "the peer does not speak TLS"],
    ["no client certificate", { ...SERVER, clientCa: CA }, { ca: CA }, "the peer requires a certificate"],
    [
      "a client certificate of another CA",
      { ...SERVER, clientCa: CA },
      { ca: CA, key: CLIENT.key, cert: pem("stranger-cert") },
      "it may have refused the client certificate",
    ],
    [
      "a wrong passphrase",
      { ...SERVER, clientCa: CA },
      { ca: CA, ...ENCRYPTED_CLIENT, passphrase: "w:r:o:n:g" },
      "the private key cannot be decrypted: the passphrase is wrong",
    ],
  ])("the status has the reason for %s", async (_what, server, tls, why) => {
    await using place = await start(server);
    expect(await refusal(place, tls)).toContain(why);
  });

  test.each<[string, string, TransportOptions]>([
    ["in code", "", { credentials: () => ({ external: true }) }],
    ["by sasl_mechanisms", "?sasl_mechanisms=EXTERNAL", {}],
    ["before ANONYMOUS", "?sasl_mechanisms=EXTERNAL%20ANONYMOUS", {}],
  ])(
    "a client with a certificate is authenticated by EXTERNAL, chosen %s",
    { tags: ["auth:external"] },
    async (_how, query, options) => {
      await using place = await start({ ...SERVER, clientCa: CA }, ["EXTERNAL", "ANONYMOUS"]);
      await using transport = getRpcTransport(`${scheme}://${hostOf(place)}/${query}`, {
        logger: null,
        tls: { ca: CA, ...CLIENT },
        ...options,
      });
      expect(await transport.probe()).toMatchObject({ mechanism: "EXTERNAL", encrypted: true });
    },
  );

  test.each<[string, TlsListenerOptions, string, string]>([
    [
      "a client with a certificate that does not choose EXTERNAL",
      { clientCa: CA, ...SERVER },
      "",
      "EXTERNAL, the client allows ANON",
    ],
    [
      "a client that chooses ANONYMOUS",
      { clientCa: CA, ...SERVER },
      "?sasl_mechanisms=ANONYMOUS",
      "EXTERNAL, the client allows ANONYMOUS",
    ],
    ["a client without a certificate", SERVER, "?sasl_mechanisms=EXTERNAL", "none, the client allows EXTERNAL"],
  ])(
    "%s is refused by a server that offers EXTERNAL only, with the mechanisms of both sides",
    async (_who, server, query, mechanisms) => {
      await using place = await start(server, ["EXTERNAL"]);
      await using transport = getRpcTransport(`${scheme}://${hostOf(place)}/${query}`, {
        logger: null,
        tls: { ca: CA, ...CLIENT },
      });
      const message = expect.stringContaining(`no common SASL mechanism: the peer offers ${mechanisms}`);
      expect(await refusedAttempt(transport)).toMatchObject({ error: { name: "AuthenticationError", message } });
    },
  );

  test("a host with a bad certificate is skipped for the next host of the URL", {
    tags: ["tls:failover"],
  }, async () => {
    await using bad = await start({ ...SERVER, cert: pem("expired-cert") });
    await using good = await start(SERVER);
    await using transport = transportTo([bad, good], { ca: CA });
    await transport.connect();
    expect(transport.state).toMatchObject({ type: "connected", host: hostOf(good) });
  });
});

function hostOf({ port }: Guarded): string {
  return `127.0.0.1:${port}`;
}
