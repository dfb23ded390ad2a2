import { once } from "node:events";
import { get } from "node:https";
import { connect as connectTcp, type Socket as NetSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import type { Listening } from "@/src/core/byte-stream.js";
import { tcpDial } from "@/src/transports/node/tcp.js";
import { listenTcp, type TcpListenerOptions } from "@/src/transports/node/tcp-listener.js";
import { listenWebSocket } from "@/src/transports/node/websocket-listener.js";
import { nodeWebSocketDial } from "@/src/transports/node/websocket-node.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { Arrivals, Probe } from "@/test/fixtures/fakes/socket-probe.js";
import { CA, CLIENT, ENCRYPTED_CLIENT, pem, SERVER } from "@/test/fixtures/network/tls.js";

const never = new AbortController().signal;
const listenings: Listening[] = [];
const clients: NetSocket[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const listening of listenings.splice(0)) await listening.close();
});

/** Resolves when the client's stream is closed, with or without an error. */
function closed(client: NetSocket): Promise<void> {
  return new Promise((resolve) =>
    client
      .on("error", () => {})
      .on("close", () => resolve())
      .resume(),
  );
}

const TRANSPORTS = [
  { scheme: "amqps", dial: tcpDial, listen: listenTcp },
  {
    scheme: "amqp+wss",
    dial: nodeWebSocketDial(),
    listen: (at: TcpListenerOptions) => listenWebSocket({ ...at, maxMessageBytes: 65_536 }),
  },
];

describe.each(TRANSPORTS)("a listener for $scheme", ({ scheme, dial, listen }) => {
  const logger = new RecordingLogger();
  const arrivals = new Arrivals();

  async function start(options?: Partial<TcpListenerOptions>): Promise<number> {
    logger.lines.length = 0;
    const { accept } = arrivals;
    const listening = await listen({
      host: "127.0.0.1",
      port: 0,
      maxConnections: 10,
      tls: SERVER,
      accept,
      logger,
      ...options,
    });
    listenings.push(listening);
    return listening.port;
  }

  /** A client that connects and sends nothing. */
  async function silentClient(port: number): Promise<NetSocket> {
    const client = connectTcp(port, "127.0.0.1");
    clients.push(client.on("error", () => {}));
    await once(client, "connect");
    return client;
  }

  /** Expects that a valid client is served, from its handshake to its close. */
  async function expectService(port: number, tls = {}): Promise<void> {
    const probe = new Probe();
    const to = { scheme, hostname: "localhost", port, tls: { ca: CA, ...tls } };
    const socket = await dial(to, probe, never);
    const { socket: farSocket } = await arrivals.next();
    expect([socket.encrypted, farSocket.encrypted]).toEqual([true, true]);
    farSocket.send(Uint8Array.of(1));
    await probe.until((p) => p.received === 1);
    socket.close();
    await probe.until((p) => p.closed);
  }

  it.each([
    ["AMQP in clear", "AMQP\x03\x01\0\0", "the peer does not speak TLS"],
    ["HTTP in clear", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "the peer does not speak TLS"],
  ])("a TLS listener logs a client that sends %s and disconnects, and serves the next", async (_case, bytes, why) => {
    const port = await start();
    const client = await silentClient(port);
    client.end(Buffer.from(bytes, "latin1"));
    await closed(client);
    await expectService(port);
    expect(logger.of("warn")).toEqual([
      expect.stringMatching(new RegExp(`^the TLS handshake of \\S+.* failed: ${why}$`)),
    ]);
  });

  it.each([
    ["nothing", ""],
    ["half a handshake", "\x16\x03\x01"],
  ])("a TLS listener does not warn of a client that sends %s and disconnects", async (_, bytes) => {
    const port = await start();
    const client = await silentClient(port);
    client.end(Buffer.from(bytes, "latin1"));
    await closed(client);
    await expectService(port);
    expect(logger.lines).toMatchObject([{ level: "debug", message: expect.stringContaining("socket hang up") }]);
  });

  it("a TLS listener logs why it refuses a client's certificate, and accepts the next client", async () => {
    const port = await start({ tls: { ...SERVER, clientCa: CA } });
    const tls = { host: "127.0.0.1", port, ca: CA, key: CLIENT.key };
    for (const identity of [{}, { cert: pem("stranger-cert") }, { cert: SERVER.cert, key: SERVER.key }]) {
      const client = connectTls({ ...tls, ...identity, servername: "" });
      await closed(client);
    }
    await expectService(port, CLIENT);
    expect(logger.of("warn")).toEqual([
      expect.stringContaining("failed: the peer sent no certificate"),
      expect.stringContaining(
        "failed: the client's certificate was refused: the certificate is not signed by a trusted CA",
      ),
      expect.stringContaining("failed: the client's certificate was refused: the certificate is for another purpose"),
    ]);
  });

  it("a TLS listener refuses TLS before 1.2", async () => {
    const port = await start();
    const client = connectTls({
      host: "127.0.0.1",
      port,
      ca: CA,
      servername: "",
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1",
    });
    await expect(once(client, "secureConnect")).rejects.toThrow("protocol version");
    expect(logger.of("warn")).toEqual([expect.stringContaining("does not support TLS 1.2 or later")]);
  });

  it("a TLS listener closes although handshakes have not begun or are half done", async () => {
    const port = await start();
    const silent = await silentClient(port);
    const halfDone = await silentClient(port);
    halfDone.write(Buffer.from([0x16, 3, 1]));
    // The listener accepts connections in order.
    await expectService(port);
    const cut = Promise.all([closed(silent), closed(halfDone)]);
    for (const listening of listenings.splice(0)) await listening.close();
    await cut;
  });

  it("a TLS listener counts clients that have not begun their handshake among maxConnections", async () => {
    const port = await start({ maxConnections: 1 });
    const first = await silentClient(port);
    const second = await silentClient(port);
    await closed(second);
    first.destroy();
    await expect
      .poll(() =>
        expectService(port).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });

  it.each([
    [
      "the key of another certificate",
      { ...SERVER, key: CLIENT.key },
      "the private key does not belong to the certificate",
    ],
    ["an invalid certificate", { ...SERVER, cert: "garbage" }, "the certificate is not a certificate in PEM format"],
    [
      "an encrypted key without passphrase",
      { ...ENCRYPTED_CLIENT, passphrase: undefined },
      "encrypted, and no passphrase is given",
    ],
    ["an invalid CA", { ...SERVER, clientCa: "garbage" }, "the CA is not a certificate in PEM format"],
  ])("a TLS listener does not start with %s", async (_case, tls, why) => {
    await expect(start({ tls })).rejects.toThrow(why);
  });
});

it("a listener for amqp+wss checks Origin and Host, and answers a plain HTTPS request with 426", async () => {
  const arrivals = new Arrivals();
  const { accept } = arrivals;
  const listening = await listenWebSocket({
    host: "127.0.0.1",
    port: 0,
    maxConnections: 10,
    maxMessageBytes: 65_536,
    tls: SERVER,
    logger: null,
    accept,
  });
  listenings.push(listening);
  const upgrade = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Key": `${"A".repeat(22)}==` };
  const ask = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      get({ host: "127.0.0.1", port: listening.port, ca: CA, servername: "", headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", reject);
    });
  const version = { ...upgrade, "Sec-WebSocket-Version": "13" };
  expect(await ask({})).toBe(426);
  expect(await ask({ ...version, Origin: "https://evil.example" })).toBe(403);
  expect(await ask({ ...version, Host: "evil.example" })).toBe(403);
  expect(arrivals.count).toBe(0);
});

it("a TLS listener cuts a client that does not begin its handshake within 10 s", async () => {
  const logger = new RecordingLogger();
  const at = { host: "127.0.0.1", port: 0, maxConnections: 1, tls: SERVER, accept: new Arrivals().accept, logger };
  listenings.push(await listenTcp(at), await listenWebSocket({ ...at, maxMessageBytes: 65_536 }));
  await Promise.all(listenings.map(({ port }) => closed(connectTcp(port, "127.0.0.1"))));
  const message = "the TLS handshake of 127.0.0.1 failed: TLS handshake timeout";
  expect(logger.of("warn")).toEqual([message, message]);
}, 20_000);
