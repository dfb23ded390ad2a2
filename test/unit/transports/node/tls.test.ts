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
  /** Says one byte to whoever comes, so that it is seen who was let in. */
  async function serve(tls?: TlsListenerOptions): Promise<{ at: Address; arrivals: Arrivals }> {
    const arrivals = new Arrivals();
    arrivals.greet = (socket) => void socket.send(Uint8Array.of(1));
    const listening = await listen({ host: "127.0.0.1", port: 0, maxConnections: 10, tls, accept: arrivals.accept });
    cleanups.push(() => listening.close());
    return { at: { scheme, hostname: "localhost", port: listening.port }, arrivals };
  }

  /** The client's end of a stream on which the server said something, or what kept it from doing so. */
  async function reach(to: Address): Promise<Socket> {
    const probe = new Probe();
    const socket = await dial(to, probe, never);
    await probe.until((p) => p.received > 0 || p.closed);
    const [error] = probe.closes;
    if (error !== undefined) throw error;
    cleanups.push(() => socket.close());
    return socket;
  }

  /** The message of the failure, which names the address and shows nothing secret. */
  async function failure(to: Address): Promise<string> {
    const error: unknown = await reach(to).then(
      () => new Error("it was let in"),
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
    ["by a scheme without TLS, and tls", { scheme: clearScheme }],
  ])("trusts a server that a private CA has signed, %s", async (_how, address) => {
    const { at } = await serve(SERVER);
    expect(await reach({ ...at, tls: { ca: CA }, ...address })).toMatchObject({ encrypted: true });
  });

  it("checks the certificate against serverName, which it asks for (SNI), and not against the host", {
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

  it("asks for serverName, for the host without it, and for no IP address", { tags: ["tls:server-name"] }, async () => {
    const asked: (string | undefined)[] = [];
    await using server = await rawTcpServer({}, (stream) => {
      stream.once("data", (hello: Buffer) => {
        const name = /localhost|cloud\.example|127\.0\.0\.1/.exec(hello.toString("latin1"));
        asked.push(name?.[0]);
        stream.destroy();
      });
    });
    const at = { scheme, port: server.port };
    await failure({ ...at, hostname: "localhost" });
    await failure({ ...at, hostname: "localhost", serverName: VHOST });
    await failure({ ...at, hostname: "127.0.0.1" });
    await failure({ ...at, hostname: "127.0.0.1", serverName: "127.0.0.1" });
    expect(asked).toEqual(["localhost", VHOST, undefined, undefined]);
  });

  it("gives the name of a client's certificate to the server that asks for one", async () => {
    const { at, arrivals } = await serve({ ...SERVER, clientCa: CA });
    await reach({ ...at, tls: { ca: CA, ...CLIENT } });
    await reach({ ...at, tls: { ca: CA, ...ENCRYPTED_CLIENT } });
    await reach({ ...at, tls: { ca: CA, cert: CLIENT.key + CLIENT.cert } });
    await reach({ ...at, tls: { ca: CA, cert: pem("nameless-cert"), key: CLIENT.key } });
    const names: (string | undefined)[] = [];
    while (names.length < 4) names.push((await arrivals.next()).socket.clientName);
    expect(names).toEqual([CLIENT_NAME, CLIENT_NAME, CLIENT_NAME, "O=OpenStack,OU=compute"]);
  });

  it("gives no name of a client that was not asked for one", async () => {
    const { at, arrivals } = await serve(SERVER);
    const socket = await reach({ ...at, tls: { ca: CA, ...CLIENT } });
    expect([socket.clientName, (await arrivals.next()).socket.clientName]).toEqual([undefined, undefined]);
  });

  it.each<[string, TLSOptions, string]>([
    ["whose CA nobody named", {}, "the certificate is not signed by a CA that is trusted here"],
    ["of another CA", { ca: pem("other-ca") }, "the certificate is not signed by a CA that is trusted here"],
    ["when no CA is trusted", { ca: [] }, "the certificate is not signed by a CA that is trusted here"],
  ])("refuses a server %s", async (_what, tls, why) => {
    const { at, arrivals } = await serve(SERVER);
    expect(await failure({ ...at, tls })).toBe(`${cannot}${at.port}${tail(scheme)}: ${why}`);
    expect(arrivals.count).toBe(0);
  });

  it("refuses a server whose certificate has expired", async () => {
    const { at } = await serve({ ...SERVER, cert: pem("expired-cert") });
    expect(await failure({ ...at, tls: { ca: CA } })).toContain(": the certificate has expired");
  });

  it("verifies, whatever the environment says", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    cleanups.push(() => void vi.unstubAllEnvs());
    const { at } = await serve(SERVER);
    expect(await failure(at)).toContain("not signed by a CA that is trusted here");
  });

  it.each<[string, TLSOptions, string]>([
    ["shows no certificate", {}, "requires a certificate"],
    ["shows one of another CA", { cert: pem("stranger-cert"), key: CLIENT.key }, "may have refused the client cert"],
    ["shows one that is for servers", SERVER, "may have refused the client certificate"],
  ])("tells why a client is refused that %s", async (_what, tls, why) => {
    const { at, arrivals } = await serve({ ...SERVER, clientCa: CA });
    expect(await failure({ ...at, tls: { ca: CA, ...tls } })).toContain(why);
    expect(arrivals.count).toBe(0);
  });

  it.each<[string, TLSOptions, string]>([
    ["a CA that is none", { ca: "garbage" }, "the CA is not a certificate in PEM format"],
    ["a CA among others that is none", { ca: [CA, "garbage"] }, "the CA is not a certificate in PEM format"],
    ["a CA in DER", { ca: new X509Certificate(CA).raw }, "the CA is not a certificate in PEM format"],
    [
      "a certificate that is none",
      { ...CLIENT, cert: "garbage" },
      "the certificate is not a certificate in PEM format",
    ],
    ["a certificate without its key", { cert: CLIENT.cert }, "there is no private key in PEM format"],
    ["a key that is none", { ...CLIENT, key: "garbage" }, "there is no private key in PEM format"],
    ["a key without its certificate", { key: CLIENT.key }, "there is a private key, but no certificate that it"],
    ["another's key", { ...CLIENT, key: SERVER.key }, "the private key does not belong to the certificate"],
    ["no passphrase", { ...ENCRYPTED_CLIENT, passphrase: undefined }, "encrypted, and there is no passphrase for it"],
    ["a wrong passphrase", { ...ENCRYPTED_CLIENT, passphrase: "w:r:o:n:g" }, "decrypted: the passphrase is wrong"],
  ])("refuses %s before it connects", async (_what, tls, why) => {
    const { at, arrivals } = await serve();
    const message = await failure({ ...at, tls });
    expect(message).toContain(`${cannot}${at.port}${tail(scheme)}: `);
    expect(message).toContain(why);
    expect(arrivals.count).toBe(0);
  });

  it.each([
    ["answers in clear", "AMQP\0\x01\0\0", ": the peer does not speak TLS"],
    ["closes", "", ": closed by the peer during the TLS handshake: it may require a client certificate"],
  ])("says that a server that %s does not speak TLS", async (_what, answer, why) => {
    await using server = await rawTcpServer({}, (stream) => {
      stream.once("data", () => stream.end(answer));
    });
    expect(await failure({ scheme, hostname: "localhost", port: server.port })).toContain(why);
  });

  it("says that a server speaks only a TLS that is not safe", async () => {
    // The alert "protocol version" of TLS 1.1.
    await using server = await rawTcpServer({}, (stream) => {
      stream.once("data", () => stream.end(Buffer.from([0x15, 3, 2, 0, 2, 2, 70])));
    });
    expect(await failure({ scheme, hostname: "localhost", port: server.port })).toContain(
      "no version of TLS that is safe",
    );
  });

  it("tells a client in clear that the server may speak TLS only", async () => {
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
    expect(String(error)).toMatch(/closed by the peer (before it said a word|without an answer)/);
    expect(String(error)).toContain(": it may speak TLS only");
  });
});

function tail(scheme: string): string {
  return scheme === "amqp+wss" ? "/" : "";
}
