import { X509Certificate } from "node:crypto";
import { inspect } from "node:util";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Address, Socket, TLSOptions } from "@/src/core/byte-stream.js";
import { tcpDial } from "@/src/transports/node/tcp.js";
import { listenTcp } from "@/src/transports/node/tcp-listener.js";
import type { TlsListenerOptions } from "@/src/transports/node/tls-pem.js";
import { listenWebSocket } from "@/src/transports/node/websocket-listener.js";
import { nodeWebSocketDial } from "@/src/transports/node/websocket-node.js";
import { Arrivals, Probe } from "@/test/fixtures/fakes/socket-probe.js";
import {
  CA,
  CLIENT,
  CLIENT_NAME,
  ENCRYPTED_CLIENT,
  pem,
  SERVER,
  VHOST,
  VHOST_SERVER,
} from "@/test/fixtures/network/tls.js";
import { rawTcpServer } from "@/test/fixtures/peers/raw-tcp-server.js";

const never = new AbortController().signal;
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const TRANSPORTS = [
  { scheme: "amqps", clearScheme: "amqp", dial: tcpDial, listen: listenTcp, cannot: "cannot connect to localhost:" },
  {
    scheme: "amqp+wss",
    clearScheme: "amqp+ws",
    dial: nodeWebSocketDial(),
    listen: (at: Parameters<typeof listenTcp>[0]) => listenWebSocket({ ...at, maxMessageBytes: 65_536 }),
    cannot: "cannot open WebSocket wss://localhost:",
  },
];

describe.each(TRANSPORTS)("over $scheme", ({ scheme, clearScheme, dial, listen, cannot }) => {
  /** A listener that sends one byte to each accepted client, so that the client knows that it was accepted. */
  async function serve(tls?: TlsListenerOptions): Promise<{ at: Address; arrivals: Arrivals }> {
    const arrivals = new Arrivals();
    arrivals.greet = (socket) => void socket.send(Uint8Array.of(1));
    const listening = await listen({
      host: "127.0.0.1",
      port: 0,
      maxConnections: 10,
      tls,
      accept: arrivals.accept,
      logger: null,
    });
    cleanups.push(() => listening.close());
    return { at: { scheme, hostname: "localhost", port: listening.port }, arrivals };
  }

  /** Dials, and resolves once the server has sent its byte. Rejects with the cause when the stream ends before. */
  async function reach(to: Address): Promise<Socket> {
    const probe = new Probe();
    const socket = await dial(to, probe, never);
    await probe.until((p) => p.received > 0 || p.closed);
    const [error] = probe.closes;
    if (error !== undefined) throw error;
    cleanups.push(() => socket.close());
    return socket;
  }

  /** The message of the failed dial. Expects that it names the address and contains no secret. */
  async function failure(to: Address): Promise<string> {
    const error: unknown = await reach(to).then(
      () => new Error("the client was accepted"),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof Error)) throw error;
    expect(error.message).toContain(`:${to.port}`);
    const seen = inspect(error, { depth: 20 });
    for (const secret of [ENCRYPTED_CLIENT.passphrase, "PRIVATE KEY", "w:r:o:n:g"]) expect(seen).not.toContain(secret);
    return error.message;
  }

  it.each<[string, Partial<Address>]>([
    ["by its name", {}],
    ["by its IP address", { hostname: "127.0.0.1" }],
    ["among several CAs", { tls: { ca: [pem("other-ca"), CA] } }],
    ["with a CA as bytes", { tls: { ca: new TextEncoder().encode(CA) } }],
    ["with tls and a scheme without TLS", { scheme: clearScheme }],
  ])("a client trusts a server that a private CA has signed, %s", async (_how, address) => {
    const { at } = await serve(SERVER);
    expect(await reach({ ...at, tls: { ca: CA }, ...address })).toMatchObject({ encrypted: true });
  });

  it("a client requests serverName (SNI) and checks the certificate against it instead of the host", {
    tags: ["tls:server-name"],
  }, async () => {
    const { at, arrivals } = await serve(VHOST_SERVER);
    const to = { ...at, tls: { ca: CA } };
    await reach({ ...to, serverName: VHOST });
    await reach({ ...to, hostname: "127.0.0.1", serverName: VHOST });
    expect(await failure(to)).toBe(
      `${cannot}${at.port}${tail(scheme)}: the certificate is not for localhost, but for DNS:cloud.example`,
    );
    expect(await failure({ ...to, serverName: "127.0.0.1" })).toContain("the certificate is not for 127.0.0.1");
    expect(arrivals.count).toBe(2);
  });

  it("a client requests serverName, by default the host, but no IP address", {
    tags: ["tls:server-name"],
  }, async () => {
    const requested: (string | undefined)[] = [];
    await using server = await rawTcpServer({}, (stream) => {
      stream.once("data", (hello: Buffer) => {
        const name = /localhost|cloud\.example|127\.0\.0\.1/.exec(hello.toString("latin1"));
        requested.push(name?.[0]);
        stream.destroy();
      });
    });
    const at = { scheme, port: server.port };
    await failure({ ...at, hostname: "localhost" });
    await failure({ ...at, hostname: "localhost", serverName: VHOST });
    await failure({ ...at, hostname: "127.0.0.1" });
    await failure({ ...at, hostname: "127.0.0.1", serverName: "127.0.0.1" });
    expect(requested).toEqual(["localhost", VHOST, undefined, undefined]);
  });

  it("a server that requests client certificates gets the name in the client's certificate", async () => {
    const { at, arrivals } = await serve({ ...SERVER, clientCa: CA });
    await reach({ ...at, tls: { ca: CA, ...CLIENT } });
    await reach({ ...at, tls: { ca: CA, ...ENCRYPTED_CLIENT } });
    await reach({ ...at, tls: { ca: CA, cert: CLIENT.key + CLIENT.cert } });
    await reach({ ...at, tls: { ca: CA, cert: pem("nameless-cert"), key: CLIENT.key } });
    const names: (string | undefined)[] = [];
    while (names.length < 4) names.push((await arrivals.next()).socket.clientName);
    expect(names).toEqual([CLIENT_NAME, CLIENT_NAME, CLIENT_NAME, "O=OpenStack,OU=compute"]);
  });

  it("a server that requests no client certificates gets no client name", async () => {
    const { at, arrivals } = await serve(SERVER);
    const socket = await reach({ ...at, tls: { ca: CA, ...CLIENT } });
    expect([socket.clientName, (await arrivals.next()).socket.clientName]).toEqual([undefined, undefined]);
  });

  it.each<[string, TLSOptions, string]>([
    ["whose CA is not among the default CAs", {}, "the certificate is not signed by a trusted CA"],
    ["that another CA has signed", { ca: pem("other-ca") }, "the certificate is not signed by a trusted CA"],
    ["when no CA is trusted", { ca: [] }, "the certificate is not signed by a trusted CA"],
  ])("a client refuses a server %s", async (_case, tls, why) => {
    const { at, arrivals } = await serve(SERVER);
    expect(await failure({ ...at, tls })).toBe(`${cannot}${at.port}${tail(scheme)}: ${why}`);
    expect(arrivals.count).toBe(0);
  });

  it("a client refuses a server whose certificate has expired", async () => {
    const { at } = await serve({ ...SERVER, cert: pem("expired-cert") });
    expect(await failure({ ...at, tls: { ca: CA } })).toContain(": the certificate has expired");
  });

  it("a client verifies the server even if NODE_TLS_REJECT_UNAUTHORIZED is 0", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    cleanups.push(() => void vi.unstubAllEnvs());
    const { at } = await serve(SERVER);
    expect(await failure(at)).toContain("not signed by a trusted CA");
  });

  it.each<[string, TLSOptions, string]>([
    ["without a certificate", {}, "requires a certificate"],
    [
      "with a certificate of another CA",
      { cert: pem("stranger-cert"), key: CLIENT.key },
      "may have refused the client cert",
    ],
    ["with a certificate for servers", SERVER, "may have refused the client certificate"],
  ])("the error of a refused client %s says why", async (_case, tls, why) => {
    const { at, arrivals } = await serve({ ...SERVER, clientCa: CA });
    expect(await failure({ ...at, tls: { ca: CA, ...tls } })).toContain(why);
    expect(arrivals.count).toBe(0);
  });

  it.each<[string, TLSOptions, string]>([
    ["an invalid CA", { ca: "garbage" }, "the CA is not a certificate in PEM format"],
    ["an invalid CA among others", { ca: [CA, "garbage"] }, "the CA is not a certificate in PEM format"],
    ["a CA in DER", { ca: new X509Certificate(CA).raw }, "the CA is not a certificate in PEM format"],
    ["an invalid certificate", { ...CLIENT, cert: "garbage" }, "the certificate is not a certificate in PEM format"],
    ["a certificate without its key", { cert: CLIENT.cert }, "no private key in PEM format"],
    ["an invalid key", { ...CLIENT, key: "garbage" }, "no private key in PEM format"],
    ["a key without its certificate", { key: CLIENT.key }, "the private key is given without its certificate"],
    [
      "the key of another certificate",
      { ...CLIENT, key: SERVER.key },
      "the private key does not belong to the certificate",
    ],
    [
      "an encrypted key without passphrase",
      { ...ENCRYPTED_CLIENT, passphrase: undefined },
      "encrypted, and no passphrase is given",
    ],
    ["a wrong passphrase", { ...ENCRYPTED_CLIENT, passphrase: "w:r:o:n:g" }, "decrypted: the passphrase is wrong"],
  ])("a dial with %s fails before it connects", async (_case, tls, why) => {
    const { at, arrivals } = await serve();
    const message = await failure({ ...at, tls });
    expect(message).toContain(`${cannot}${at.port}${tail(scheme)}: `);
    expect(message).toContain(why);
    expect(arrivals.count).toBe(0);
  });

  it.each([
    ["replies in clear", "AMQP\0\x01\0\0", ": the peer does not speak TLS"],
    ["closes", "", ": closed by the peer during the TLS handshake: it may require a client certificate"],
  ])("the error for a server that %s during the TLS handshake says why", async (_case, answer, why) => {
    await using server = await rawTcpServer({}, (stream) => {
      stream.once("data", () => stream.end(answer));
    });
    expect(await failure({ scheme, hostname: "localhost", port: server.port })).toContain(why);
  });

  it("the error for a server that supports only TLS before 1.2 says so", async () => {
    // The alert "protocol version" of TLS 1.1.
    await using server = await rawTcpServer({}, (stream) => {
      stream.once("data", () => stream.end(Buffer.from([0x15, 3, 2, 0, 2, 2, 70])));
    });
    expect(await failure({ scheme, hostname: "localhost", port: server.port })).toContain(
      "does not support TLS 1.2 or later",
    );
  });

  it("the error of a clear client at a TLS server says that the server may require TLS", async () => {
    const { at } = await serve(SERVER);
    const to = { ...at, scheme: clearScheme };
    const probe = new Probe();
    const error: unknown = await dial(to, probe, never).then(
      async (socket) => {
        socket.send(Buffer.from("AMQP\x03\x01\0\0"));
        await probe.until((p) => p.closed);
        return probe.closes[0];
      },
      (thrown: unknown) => thrown,
    );
    expect(String(error)).toMatch(/closed by the peer (before it sent anything|without a response)/);
    expect(String(error)).toContain(": it may require TLS");
  });
});

function tail(scheme: string): string {
  return scheme === "amqp+wss" ? "/" : "";
}
