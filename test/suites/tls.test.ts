import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type RPCTransport,
  type TLSOptions,
  type TransportOptions,
  type TransportStatus,
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

class Echo {
  echo(_context: object, { arg }: { arg: unknown }): unknown {
    return arg;
  }
}

describe.concurrent.each(["amqps", "amqp+wss"] as const)("over %s", (scheme) => {
  const by = scheme === "amqps" ? "tcp" : "websocket";
  const start = (tls?: TlsListenerOptions, sasl?: readonly string[]) => embedded({ by, tls, sasl });

  function transportTo(hosts: readonly Guarded[], tls: TLSOptions, virtualHost = ""): RPCTransport {
    return getRpcTransport(`${scheme}://${hosts.map(hostOf).join(",")}/${virtualHost}`, { tls });
  }

  /** One call, by two transports, with what they need to connect. */
  async function call(transport: () => RPCTransport): Promise<void> {
    await using serving = transport();
    await using calling = transport();
    await getRpcServer(serving, { topic: "t", server: "s" }, [new Echo()]).start();
    expect(await getRpcClient(calling, { topic: "t" }).call({}, "echo", { arg: "é".repeat(100_000) })).toHaveLength(
      100_000,
    );
  }

  /** The first status that says why there is no connection. */
  async function refusal(place: Guarded, tls: TLSOptions, virtualHost?: string): Promise<string> {
    await using transport = transportTo([place], tls, virtualHost);
    const connecting = Promise.allSettled([transport.connect()]);
    const status = await until(transport, "disconnected");
    expect(status).toMatchObject({ host: hostOf(place), error: { message: expect.stringContaining(hostOf(place)) } });
    const seen = inspect(status, { depth: 20 });
    for (const secret of ["PRIVATE KEY", "w:r:o:n:g"]) expect(seen).not.toContain(secret);
    await transport.close();
    await connecting;
    return status.type === "disconnected" ? String(status.error?.message) : "";
  }

  test("a call is answered by way of a server that a private CA has signed", {
    tags: ["tls:server", "tls:private-ca"],
  }, async () => {
    await using place = await start(SERVER);
    await call(() => transportTo([place], { ca: CA }));
  });

  test("TLS, its CA and its certificate can be asked for by the query of a URL without", {
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
    await call(() => getRpcTransport(`${clear}://${hostOf(place)}/?${query}`));
  });

  test("a call is answered by way of a server that wants a client certificate, with an encrypted key or a plain one", {
    tags: ["tls:client", "tls:key-password"],
  }, async () => {
    await using place = await start({ ...SERVER, clientCa: CA });
    await call(() => transportTo([place], { ca: CA, ...CLIENT }));
    await call(() => transportTo([place], { ca: CA, ...ENCRYPTED_CLIENT }));
  });

  test("a certificate is for the host's name, and the virtual host's does not matter", {
    tags: ["tls:vhost:ignored"],
  }, async () => {
    await using place = await start(SERVER);
    await call(() => transportTo([place], { ca: CA }, VHOST));
  });

  test("a certificate for a virtual host is checked against that name, and no other", {
    tags: ["tls:vhost:verified"],
  }, async () => {
    await using place = await start(VHOST_SERVER);
    const tls = { ca: CA, verifyVirtualHost: true };
    await call(() => transportTo([place], tls, VHOST));
    expect(await refusal(place, tls, "another")).toContain("the certificate is not for another, but for DNS:");
    await using hostServer = await start(SERVER);
    expect(await refusal(hostServer, tls, VHOST)).toContain(`the certificate is not for ${VHOST}, but for DNS:`);
  });

  test("a call by way of a server whose certificate is for another name fails, saying so", {
    tags: ["tls:server:bad"],
  }, async () => {
    await using place = await start(VHOST_SERVER);
    await using transport = transportTo([place], { ca: CA }, VHOST);
    const client = getRpcClient(transport, { topic: "t" });
    await expect(client.call({}, "echo", {}, { timeoutMs: 2_000 })).rejects.toMatchObject({
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
  ])("the status tells of %s", async (_what, server, tls, why) => {
    await using place = await start(server);
    expect(await refusal(place, tls)).toContain(why);
  });

  test.each<[string, string, TransportOptions]>([
    ["in code", "", { credentials: () => ({ external: true }) }],
    ["by sasl_mechanisms", "?sasl_mechanisms=EXTERNAL", {}],
    ["before ANONYMOUS", "?sasl_mechanisms=EXTERNAL%20ANONYMOUS", {}],
  ])(
    "who has a certificate is let in by EXTERNAL, chosen %s",
    { tags: ["auth:external"] },
    async (_how, query, options) => {
      await using place = await start({ ...SERVER, clientCa: CA }, ["EXTERNAL", "ANONYMOUS"]);
      await using transport = getRpcTransport(`${scheme}://${hostOf(place)}/${query}`, {
        tls: { ca: CA, ...CLIENT },
        ...options,
      });
      expect(await transport.probe()).toMatchObject({ mechanism: "EXTERNAL", encrypted: true });
    },
  );

  test.each<[string, TlsListenerOptions, string, string]>([
    [
      "who has a certificate, and does not ask for EXTERNAL",
      { clientCa: CA, ...SERVER },
      "",
      "EXTERNAL, the client allows ANON",
    ],
    [
      "who wants ANONYMOUS",
      { clientCa: CA, ...SERVER },
      "?sasl_mechanisms=ANONYMOUS",
      "EXTERNAL, the client allows ANONYMOUS",
    ],
    ["whom no certificate names", SERVER, "?sasl_mechanisms=EXTERNAL", "none, the client allows EXTERNAL"],
  ])("where there is nothing but EXTERNAL, %s is told so", async (_who, server, query, mechanisms) => {
    await using place = await start(server, ["EXTERNAL"]);
    await using transport = getRpcTransport(`${scheme}://${hostOf(place)}/${query}`, { tls: { ca: CA, ...CLIENT } });
    const connecting = Promise.allSettled([transport.connect()]);
    const status = await until(transport, "disconnected");
    const message = expect.stringContaining(`no common SASL mechanism: the peer offers ${mechanisms}`);
    expect(status).toMatchObject({ error: { name: "AuthenticationError", message } });
    await transport.close();
    await connecting;
  });

  test("a bad host is left for a good one that follows in the URL", { tags: ["tls:failover"] }, async () => {
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

async function until(transport: RPCTransport, type: TransportStatus["type"]): Promise<TransportStatus> {
  for await (const status of transport.status()) if (status.type === type) return status;
  throw new Error(`the transport was closed before it was ${type}`);
}
