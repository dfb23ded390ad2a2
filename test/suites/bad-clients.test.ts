import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { getRpcClient, getRpcServer, getRpcTransport } from "@/src/entry/node.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { listenTcp } from "@/src/transports/node/tcp-listener.js";
import { listenWebSocket } from "@/src/transports/node/websocket-listener.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const AMQP = "AMQP\0\x01\0\0";
const SASL = "AMQP\x03\x01\0\0";

/** Bytes of a client, the header of the answer, and the line in the intermediary's log. */
const CLIENTS: readonly [what: string, bytes: string, header: string, logged: RegExp][] = [
  ["speaks HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", SASL, /the peer speaks HTTP, not AMQP 1\.0/],
  ["speaks AMQP 0-9-1", "AMQP\0\0\x09\x01", SASL, /the peer speaks AMQP 0-9-1, not AMQP 1\.0/],
  ["speaks TLS", "\x16\x03\x01\0\x80\x01\0\0\x7c\x03\x03", SASL, /the peer speaks TLS/],
  ["speaks something unknown", "hello, broker", SASL, /an unknown protocol \(0x68656c6c6f2c2062\)/],
  ["sends a frame of 4 GB", `${AMQP}\xff\xff\xff\xff\x02\0\0\0`, AMQP, /frame of 4294967295 bytes/],
  ["sends a frame of 7 bytes", `${AMQP}\0\0\0\x07\x02\0\0\0`, AMQP, /frame of 7 bytes/],
  ["sends a SASL frame of 4 GB", `${SASL}\xff\xff\xff\xff\x02\x01\0\0`, SASL, /invalid SASL frame header 0xfff/],
  ["begins without an open", `${AMQP}\0\0\0\x0c\x02\0\0\0\0\x53\x11\x45`, AMQP, /0x11 before open/],
];

// The listeners and the handshake are the same for both kinds of intermediary.
describe.each([
  ["router", "amqp"],
  ["broker", "amqp+ws"],
] as const)("A %s by %s", (kind, scheme) => {
  test.each(CLIENTS)(
    "an intermediary answers, logs and disconnects a client that %s, and goes on serving",
    async (_what, bytes, header, logged) => {
      await using place = await open(kind, scheme);
      const answer = await place.say(Buffer.from(bytes, "latin1"));
      expect(answer.slice(0, header.length)).toBe(header);
      await place.logged(logged);
      await place.serves();
    },
  );

  test("an intermediary goes on serving when a client disconnects in the middle of a frame", async () => {
    await using place = await open(kind, scheme);
    await place.vanish(Buffer.from(`${AMQP}\0\0\x10\0\x02\0\0\0\0\x53`, "latin1"));
    await place.serves();
  });
});

test.each([
  ["text", "hello", /received a text message, but AMQP is binary/],
  ["a message above the size limit", Buffer.alloc(1024 * 1024 + 1), /Max payload size exceeded/],
])(
  "an intermediary logs and disconnects a WebSocket client that sends %s, and goes on serving",
  async (_what, bytes, logged) => {
    await using place = await open("broker", "amqp+ws");
    await place.say(bytes);
    await place.logged(logged);
    await place.serves();
  },
);

test.each<[how: string, end: (stream: Socket) => void]>([
  ["closes", (stream) => stream.end()],
  ["resets", (stream) => stream.resetAndDestroy()],
])("an intermediary does not warn of a health check that opens a TCP stream and %s it", async (_how, end) => {
  await using place = await open("router", "amqp");
  await place.probe(end);
  await place.say("hello, broker");
  await place.logged(/an unknown protocol/);
  expect(place.unread()).toEqual([]);
});

/** An intermediary with a listener, and a server and a client that stay connected. */
async function open(kind: "router" | "broker", scheme: "amqp" | "amqp+ws") {
  const lines = new Inbox<string>("the log");
  const put = (line: string): void => lines.put(line);
  const logger = { debug() {}, info() {}, warn: put, error: put };
  const intermediary = new Intermediary({ kind, logger });
  const at = { host: "127.0.0.1", port: 0, maxConnections: 10, accept: intermediary.accept };
  const listening = await (scheme === "amqp"
    ? listenTcp(at)
    : listenWebSocket({ ...at, maxMessageBytes: 1024 * 1024 }));
  const { port } = listening;
  const transport = getRpcTransport(`${scheme}://127.0.0.1:${port}/`, { logger: null });
  await getRpcServer(transport, { topic: "t", server: "s" }, [{ ping: () => "pong" }]).start();
  const client = getRpcClient(transport, { topic: "t" });
  const { state } = transport;

  return {
    logged: (pattern: RegExp): Promise<string> =>
      lines.take(String(pattern), (line) => (pattern.test(line) ? line : undefined)),
    /** The other lines. */
    unread: () => lines.unread,
    async probe(end: (stream: Socket) => void): Promise<void> {
      const stream = connect(port, "127.0.0.1", () => end(stream)).resume();
      await once(stream, "close");
    },
    /** Resolves with the answer, in Latin-1, when the intermediary has closed the stream. */
    say: (bytes: Buffer | string): Promise<string> => (scheme === "amqp" ? sayByTcp : sayByWebSocket)(port, bytes),
    async vanish(bytes: Buffer): Promise<void> {
      const stream = connect(port, "127.0.0.1");
      await new Promise<void>((resolve) => stream.write(bytes, () => resolve()));
      stream.resetAndDestroy();
      await once(stream, "close");
    },
    async serves(): Promise<void> {
      expect(await client.call({}, "ping")).toBe("pong");
      expect(transport.state).toBe(state); // the same connection
    },
    async [Symbol.asyncDispose]() {
      await transport.close();
      await intermediary.close();
      await listening.close();
    },
  };
}

async function sayByTcp(port: number, bytes: Buffer | string): Promise<string> {
  const stream = connect(port, "127.0.0.1");
  let answer = "";
  stream.on("data", (chunk: Buffer) => {
    answer += chunk.toString("latin1");
  });
  stream.write(bytes);
  await once(stream, "close");
  return answer;
}

async function sayByWebSocket(port: number, bytes: Buffer | string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, "amqp");
  let answer = "";
  socket.on("message", (data: Buffer) => {
    answer += data.toString("latin1");
  });
  await once(socket, "open");
  socket.send(bytes);
  await once(socket, "close");
  return answer;
}
