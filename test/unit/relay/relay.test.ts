import { once } from "node:events";
import { type AddressInfo, connect, Socket as NetSocket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { Deferred } from "@/src/core/deferred.js";
import { Relay, type RelayOptions } from "@/src/relay/relay.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { pattern } from "@/test/fixtures/fakes/socket-probe.js";
import { CA, CLIENT, CLIENT_NAME, SERVER, VHOST, VHOST_SERVER } from "@/test/fixtures/network/tls.js";
import { closedPort } from "@/test/fixtures/peers/bad-peers.js";
import { type RawTcpServer, rawTcpServer } from "@/test/fixtures/peers/raw-tcp-server.js";
import { waitFor } from "@/test/fixtures/stages/wait-for.js";

const MEBI = 1024 * 1024;
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A relay to a TCP server whose streams the test handles. */
async function relayTo(
  onStream: (stream: NetSocket) => void,
  options: Partial<RelayOptions> = {},
): Promise<{ relay: Relay; target: RawTcpServer }> {
  const target = await rawTcpServer({ allowHalfOpen: true }, onStream);
  cleanups.push(async () => await target[Symbol.asyncDispose]());
  return {
    relay: await start({ to: { scheme: "amqp", hostname: target.host, port: target.port }, ...options }),
    target,
  };
}

async function start(options: Partial<RelayOptions> & Pick<RelayOptions, "to">): Promise<Relay> {
  const relay = await Relay.start({
    host: "127.0.0.1",
    port: 0,
    maxConnections: 10,
    idleTimeoutMs: 60_000,
    logger: null,
    ...options,
  });
  cleanups.push(() => relay.close());
  return relay;
}

/** A WebSocket to a relay, with what it has received. */
class Client {
  readonly ws: WebSocket;
  readonly messages: Buffer[] = [];
  /** Code and reason of the closing. */
  readonly closed: Promise<string>;

  constructor(url: string, protocols: string[] = ["amqp"], options: ClientOptions = {}) {
    this.ws = new WebSocket(url, protocols, options);
    this.ws.on("error", () => {});
    this.ws.on("message", (data: Buffer) => this.messages.push(data));
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code, reason) => resolve(`${code} ${reason}`.trim()));
    });
    cleanups.push(() => this.ws.terminate());
  }

  static async open(relay: Relay, options?: ClientOptions): Promise<Client> {
    const client = new Client(relay.url, ["amqp"], options);
    await once(client.ws, "open");
    return client;
  }

  get localPort(): number | undefined {
    return (Object(this.ws)._socket as NetSocket).localPort;
  }

  get received(): Buffer {
    return Buffer.concat(this.messages);
  }
}

/** The status and the text of the answer to a WebSocket that is refused, or "opened". */
function knock(relay: Relay, protocols: string[] = ["amqp"], options: ClientOptions = {}): Promise<string> {
  const { ws } = new Client(relay.url, protocols, options);
  return new Promise((resolve) => {
    ws.on("open", () => {
      ws.on("close", () => resolve("opened"));
      ws.close();
    });
    ws.on("unexpected-response", (_request, response) => {
      response.setEncoding("utf8");
      response.on("data", (text: string) => resolve(`${response.statusCode} ${text.trim()}`));
    });
  });
}

const echo = (stream: NetSocket): void => {
  stream.pipe(stream);
};
const discard = (stream: NetSocket): void => {
  stream.resume().on("end", () => stream.end());
};

/** Resolves with the value of `count` when that has not changed for 300 ms. */
async function standstill(count: () => number): Promise<number> {
  for (let last = -1; last !== count(); ) {
    last = count();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return count();
}

/** Everything that a stream receives until it ends. */
async function contents(stream: NetSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("the bytes of a relay", () => {
  it("a relay carries bytes both ways as they are", async () => {
    const { relay } = await relayTo(echo);
    const client = await Client.open(relay);
    const bytes = pattern(100_000);
    for (let at = 0; at < bytes.length; at += 999) client.ws.send(bytes.subarray(at, at + 999));
    await waitFor("the echo", () => client.received.length === bytes.length);
    expect(client.received.equals(bytes)).toBe(true);
    expect(relay.counts).toMatchObject({ connections: 1, bytesFromClients: 100_000, bytesFromTarget: 100_000 });
  });

  it("a relay passes on what the target sends before the client does", async () => {
    const { relay } = await relayTo((stream) => {
      discard(stream);
      stream.write("hello");
    });
    const client = await Client.open(relay);
    await waitFor("the greeting", () => client.received.toString() === "hello");
  });

  it("a client gets messages of at most 64 KiB, and may send 1 MiB", async () => {
    const { relay } = await relayTo(echo);
    const client = await Client.open(relay);
    const bytes = pattern(MEBI);
    client.ws.send(bytes);
    await waitFor("the echo", () => client.received.length === bytes.length);
    expect(client.received.equals(bytes)).toBe(true);
    expect(Math.max(...client.messages.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
  });

  it("a relay sends at once, without Nagle's delay, both ways", async () => {
    const noDelay = vi.spyOn(NetSocket.prototype, "setNoDelay");
    const { relay, target } = await relayTo(echo);
    const client = await Client.open(relay);
    client.ws.send(Buffer.from("ping"));
    await waitFor("the echo", () => client.messages.length === 1);
    const ports = noDelay.mock.contexts.map((stream) => Object(stream).remotePort);
    expect(ports).toContain(target.port); // of the stream to the target
    expect(ports).toContain(client.localPort);
    expect(noDelay.mock.calls.flat()).not.toContain(false);
  });

  it("a relay stops reading from the target while the client does not read", async () => {
    const bytes = Buffer.from(pattern(48 * MEBI));
    const { relay } = await relayTo((stream) => void stream.end(bytes));
    const client = await Client.open(relay);
    client.ws.pause();
    // The buffers of the system hold some MiB of each stream.
    expect(await standstill(() => relay.counts.bytesFromTarget)).toBeLessThan(32 * MEBI);
    client.ws.resume();
    expect(await client.closed).toBe("1000");
    expect(client.received.equals(bytes)).toBe(true);
  });

  it("a relay stops reading from the client while the target does not read", async () => {
    const { relay, target } = await relayTo((stream) => stream.pause());
    const client = await Client.open(relay);
    const bytes = pattern(48 * MEBI);
    for (let at = 0; at < bytes.length; at += 65_536) client.ws.send(bytes.subarray(at, at + 65_536));
    expect(await standstill(() => relay.counts.bytesFromClients)).toBeLessThan(32 * MEBI);
    client.ws.close();
    const [stream] = target.streams;
    if (stream === undefined) throw new Error("the relay has not connected");
    expect((await contents(stream)).equals(bytes)).toBe(true);
  });
});

describe("the end of a relayed connection", () => {
  it("a target that ends after 5 MiB closes the WebSocket with 1000, after all bytes", async () => {
    const bytes = pattern(5 * MEBI);
    const { relay } = await relayTo((stream) => void stream.end(bytes));
    const client = await Client.open(relay);
    expect(await client.closed).toBe("1000");
    expect(client.received.equals(bytes)).toBe(true);
    expect(relay.counts.failed).toBe(0);
  });

  it.each([
    ["closes", (ws: WebSocket) => ws.close()],
    ["vanishes", (ws: WebSocket) => ws.terminate()],
  ])("a client that %s ends the stream to the target, after all bytes", async (how, end) => {
    const received = new Deferred<Promise<Buffer>>();
    const { relay } = await relayTo((stream) => received.resolve(contents(stream)));
    const client = await Client.open(relay);
    const bytes = pattern(5 * MEBI);
    for (let at = 0; at < bytes.length; at += 65_536) client.ws.send(bytes.subarray(at, at + 65_536));
    if (how === "vanishes") await waitFor("all bytes to leave", () => client.ws.bufferedAmount === 0);
    end(client.ws);
    expect((await received.promise).equals(bytes)).toBe(true);
    expect(relay.counts.failed).toBe(0);
  });

  it("a target that ends without an answer closes the WebSocket with 1011, and the log names it", async () => {
    const logger = new RecordingLogger();
    const { relay, target } = await relayTo((stream) => void stream.end(), { logger });
    const client = await Client.open(relay);
    expect(await client.closed).toBe("1011 the target ended the stream without an answer");
    expect(relay.counts.failed).toBe(1);
    expect(logger.of("warn").join()).toContain(`127.0.0.1:${target.port} ended the stream without an answer`);
  });

  it("a target that resets its stream closes the WebSocket with 1011 and the reason", async () => {
    const logger = new RecordingLogger();
    const { relay, target } = await relayTo((stream) => stream.once("data", () => stream.resetAndDestroy()), {
      logger,
    });
    const client = await Client.open(relay);
    client.ws.send(Buffer.from("x"));
    expect(await client.closed).toMatch(/^1011 connection to the target lost: connection reset by the peer/);
    expect(logger.of("warn")).toEqual([expect.stringContaining(`connection to 127.0.0.1:${target.port} lost`)]);
    expect(relay.counts.failed).toBe(1);
  });

  it("a client that vanishes while the target floods it ends the flood", async () => {
    const ended = new Deferred();
    const { relay } = await relayTo((stream) => {
      const flood = (): void => {
        while (stream.writable && stream.write(Buffer.alloc(65_536)));
      };
      stream.on("drain", flood).resume();
      stream.on("close", () => ended.resolve());
      flood();
    });
    const client = await Client.open(relay);
    await waitFor("the flood", () => client.messages.length > 100);
    client.ws.terminate();
    await ended.promise;
  });

  it("a text message closes the WebSocket with 1003, and ends the stream to the target", async () => {
    const ended = new Deferred();
    const { relay } = await relayTo((stream) => discard(stream.on("end", () => ended.resolve())));
    const client = await Client.open(relay);
    client.ws.send("AMQP");
    expect(await client.closed).toBe("1003 received a text message, but AMQP is binary");
    await ended.promise;
    expect(relay.counts).toMatchObject({ failed: 1, bytesFromClients: 0 });
  });

  it("a message of more than 1 MiB closes the WebSocket with 1009, and ends the stream to the target", async () => {
    const ended = new Deferred();
    const { relay } = await relayTo((stream) => discard(stream.on("end", () => ended.resolve())));
    const client = await Client.open(relay);
    client.ws.send(Buffer.alloc(MEBI + 1));
    expect(await client.closed).toBe("1009");
    await ended.promise;
    expect(relay.counts.failed).toBe(1);
  });

  it("a connection on which no bytes move is closed with 1001, and one on which they do stays", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const ended = new Deferred();
    const { relay } = await relayTo((stream) => echo(stream.on("end", () => ended.resolve())), { idleTimeoutMs: 3000 });
    const client = await Client.open(relay);
    for (const _ of [1, 2, 3]) {
      vi.advanceTimersByTime(2999);
      client.ws.send(Buffer.from("x"));
      await once(client.ws, "message");
    }
    expect(relay.counts.failed).toBe(0);
    vi.advanceTimersByTime(3000);
    expect(await client.closed).toBe("1001 no bytes for 3 s");
    await ended.promise;
  });

  it("a relay that closes ends its WebSockets with 1001, and the streams to the target", async () => {
    const ended = new Deferred();
    const { relay } = await relayTo((stream) => discard(stream.on("end", () => ended.resolve())));
    const client = await Client.open(relay);
    await waitFor("the connection", () => client.ws.readyState === WebSocket.OPEN);
    client.ws.send(Buffer.from("x"));
    await waitFor("the byte", () => relay.counts.bytesFromClients === 1);
    await relay.close();
    expect(await client.closed).toBe("1001 the relay is stopping");
    await ended.promise;
    const refused = new Client(relay.url);
    expect(await refused.closed).toBe("1006");
  });

  it("a relay closes although neither the client nor the target answers", async () => {
    const { relay } = await relayTo((stream) => stream.pause());
    const client = await Client.open(relay);
    client.ws.send(Buffer.from("x"));
    await waitFor("the byte", () => relay.counts.bytesFromClients === 1);
    client.ws.pause();
    await relay.close();
  });
});

describe("a target that cannot be reached", () => {
  it("a target that refuses closes the WebSocket with 1011; the log names the target, the reason does not", async () => {
    const logger = new RecordingLogger();
    await using target = await closedPort();
    const relay = await start({ to: { scheme: "amqp", hostname: target.host, port: target.port }, logger });
    const client = await Client.open(relay);
    expect(await client.closed).toBe("1011 cannot connect to the target: connection refused");
    expect(logger.of("warn")).toEqual([
      expect.stringMatching(
        new RegExp(
          `^ws 127\\.0\\.0\\.1:\\d+ to 127.+: cannot connect to ${target.host}:${target.port}: connection refused$`,
        ),
      ),
    ]);
    expect(relay.counts).toMatchObject({ connections: 1, failed: 1 });
  });

  it("a target that does not answer closes the WebSocket with 1011 after the timeout", async () => {
    // It accepts the stream, and never answers the TLS handshake.
    await using silent = await rawTcpServer({}, (stream) => stream.resume());
    const to = { scheme: "amqps", hostname: silent.host, port: silent.port };
    const client = await Client.open(await start({ to, connectTimeoutMs: 100 }));
    expect(await client.closed).toBe("1011 cannot connect to the target: no answer in 0.1 s");
  });

  it("a client that vanishes while the target does not answer ends the attempt", async () => {
    const ended = new Deferred();
    await using silent = await rawTcpServer({}, (stream) => stream.resume().on("close", () => ended.resolve()));
    const to = { scheme: "amqps", hostname: silent.host, port: silent.port };
    const relay = await start({ to });
    const client = await Client.open(relay);
    await waitFor("the stream", () => silent.streams.length === 1);
    client.ws.close();
    await relay.close();
    await ended.promise;
    expect(relay.counts.failed).toBe(0);
  });
});

describe("the WebSockets that a relay opens", () => {
  it("a relay accepts any path, several offered sub-protocols, and clients without an origin", async () => {
    const { relay } = await relayTo(discard);
    const client = new Client(`${relay.url}ws/amqp?x=1`, ["AMQPWSB10", "amqp", "binary"]);
    await once(client.ws, "open");
    expect(client.ws.protocol).toBe("amqp");
    expect(client.ws.extensions).toBe("");
  });

  it.each([
    ["http://localhost:5173", "opened"],
    ["http://127.0.0.1", "opened"],
    ["https://console.example.org", "opened"],
    ["https://evil.example", '403 the origin "https://evil.example" is not allowed'],
    ["null", '403 the origin "null" is not allowed'],
  ])("a page from %s is %s", async (origin, result) => {
    const { relay } = await relayTo(discard, { origins: ["https://console.example.org/"] });
    expect(await knock(relay, ["amqp"], { origin })).toBe(result);
    expect(relay.counts.refused.origin).toBe(result === "opened" ? 0 : 1);
  });

  it("a WebSocket without the sub-protocol is refused with 400 and the reason", async () => {
    const { relay } = await relayTo(discard);
    for (const protocols of [[], ["binary"], ["amqp091", "AMQP"]]) {
      expect(await knock(relay, protocols)).toBe('400 the sub-protocol "amqp" is required');
    }
    expect(relay.counts).toMatchObject({ connections: 0, refused: { subprotocol: 3 } });
  });

  it("a WebSocket over the limit is refused with 503, until another one has ended", async () => {
    const logger = new RecordingLogger();
    const { relay } = await relayTo(discard, { maxConnections: 1, logger });
    const first = await Client.open(relay);
    expect(await knock(relay)).toBe("503 too many connections: the maximum is 1");
    expect(logger.of("warn")).toEqual([expect.stringContaining("--max-connections")]);
    first.ws.close();
    await expect.poll(() => knock(relay)).toBe("opened");
    expect(relay.counts).toMatchObject({ connections: 2 });
  });

  it("streams without a WebSocket are limited too, and closed after 10 s", async () => {
    const { relay } = await relayTo(discard, { maxConnections: 1 });
    const streams = Array.from({ length: 110 }, () => connect(relay.port, "127.0.0.1").on("error", () => {}));
    cleanups.push(() => streams.forEach((stream) => void stream.destroy()));
    let closed = 0;
    for (const stream of streams) stream.resume().on("close", () => closed++);
    streams[0]?.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    await waitFor("the close of the streams over the limit", () => closed === 9);
    await waitFor("the close of all", () => closed === streams.length);
  });

  it("a request without an upgrade gets 426", async () => {
    const { relay } = await relayTo(discard);
    const response = await fetch(relay.url.replace("ws:", "http:"));
    expect([response.status, await response.text()]).toEqual([
      426,
      "upgrade required: this server relays AMQP over WebSocket\n",
    ]);
  });

  it("a relay rejects a port in use and a text that is no origin", async () => {
    const { relay } = await relayTo(discard);
    const options = { to: { scheme: "amqp", hostname: "127.0.0.1", port: 1 } };
    await expect(start({ ...options, port: relay.port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${relay.port}: address already in use`,
    );
    await expect(start({ ...options, origins: ["*"] })).rejects.toThrow('"*" must be scheme://host');
  });
});

describe("a relay with TLS", () => {
  const tlsTarget = async (options: TlsOptions, onStream: (stream: NetSocket) => void): Promise<number> => {
    const server = createTlsServer({ ...SERVER, ...options }, (stream) => onStream(stream.on("error", () => {})));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => void server.close());
    return (server.address() as AddressInfo).port;
  };

  it("a relay speaks TLS towards clients and the target, with a client certificate", async () => {
    const names: unknown[] = [];
    const port = await tlsTarget({ ca: CA, requestCert: true, rejectUnauthorized: true }, (stream) => {
      names.push((stream as TLSSocket).getPeerCertificate().subject.CN);
      echo(stream);
    });
    const to = { scheme: "amqps", hostname: "127.0.0.1", port, tls: { ca: CA, ...CLIENT } };
    const relay = await start({ to, tls: SERVER });
    expect(relay.url).toBe(`wss://127.0.0.1:${relay.port}/`);
    const client = await Client.open(relay, { ca: CA });
    const bytes = pattern(MEBI);
    client.ws.send(bytes);
    await waitFor("the echo", () => client.received.length === bytes.length);
    expect(client.received.equals(bytes)).toBe(true);
    expect(names).toEqual([CLIENT_NAME]);
  });

  it("a relay sends the name of the target as SNI and verifies it", async () => {
    const names: unknown[] = [];
    const port = await tlsTarget(VHOST_SERVER, (stream) => {
      names.push((stream as TLSSocket & { servername?: string }).servername);
      stream.end("hello");
    });
    const to = { scheme: "amqps", hostname: "127.0.0.1", port, tls: { ca: CA } };
    const named = await Client.open(await start({ to: { ...to, serverName: VHOST } }));
    expect(await named.closed).toBe("1000");
    expect([named.received.toString(), names]).toEqual(["hello", [VHOST]]);
    const unnamed = await Client.open(await start({ to }));
    expect(await unnamed.closed).toBe(
      `1011 cannot connect to the target: the certificate is not for 127.0.0.1, but for DNS:${VHOST}`,
    );
  });

  it("a certificate of the target that no CA has signed closes the WebSocket with 1011", async () => {
    const port = await tlsTarget({}, discard);
    const to = { scheme: "amqps", hostname: "127.0.0.1", port };
    const client = await Client.open(await start({ to }));
    expect(await client.closed).toBe(
      "1011 cannot connect to the target: the certificate is not signed by a trusted CA",
    );
  });

  it("a relay with TLS does not accept clear streams", async () => {
    const { relay } = await relayTo(discard, { tls: SERVER });
    const client = new Client(relay.url.replace("wss:", "ws:"));
    expect(await client.closed).toBe("1006");
    expect(relay.counts.connections).toBe(0);
  });
});
