import { createHash } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTcpServer, type Socket as NetSocket, type Server } from "node:net";
import { afterEach, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import type { Address } from "@/src/core/byte-stream.js";
import { bind } from "@/src/transports/node/node-server.js";
import { nodeWebSocketDial } from "@/src/transports/node/websocket-node.js";
import { Probe, pattern } from "@/test/fixtures/fakes/socket-probe.js";

const never = new AbortController().signal;
const dial = nodeWebSocketDial();
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listen(server: Server): Promise<Address> {
  const streams = new Set<NetSocket>();
  server.on("connection", (stream) => streams.add(stream));
  const listening = await bind(server, { host: "127.0.0.1", port: 0 }, async () => {
    for (const stream of streams) stream.destroy();
  });
  cleanups.push(() => listening.close());
  return { scheme: "amqp+ws", hostname: "127.0.0.1", port: listening.port };
}

/** A server on plain `ws`, for behaviour that our own listener does not have. */
async function rawServer(
  onConnection: (ws: WebSocket) => void,
  protocol: string | false = "amqp",
): Promise<{ to: Address; url: string }> {
  const server = createServer();
  new WebSocketServer({ server, handleProtocols: () => protocol }).on("connection", onConnection);
  const to = await listen(server);
  return { to, url: `ws://127.0.0.1:${to.port}/` };
}

it("a WebSocket client refuses a server that selects no sub-protocol", async () => {
  const { to, url } = await rawServer(() => {}, false);
  await expect(dial(to, new Probe(), never)).rejects.toThrow(
    `the server at ${url} did not select the sub-protocol "amqp"`,
  );
});

it("a WebSocket client refuses a server that selects another sub-protocol", async () => {
  const { to, url } = await rawServer(() => {}, "mqtt");
  await expect(dial(to, new Probe(), never)).rejects.toThrow(
    `the server at ${url} did not select the sub-protocol "amqp"`,
  );
});

it("a WebSocket client ends the connection at a text message, and sends the peer the reason", async () => {
  let closing: [number, string] | undefined;
  const { to, url } = await rawServer((ws) => {
    ws.on("close", (code, reason) => {
      closing = [code, reason.toString()];
    });
    ws.send("AMQP");
  });
  const probe = new Probe();
  await dial(to, probe, never);
  await probe.until((p) => p.closed);
  expect(probe.closes.map(String)).toEqual([`Error: ${url}: received a text message, but AMQP is binary`]);
  expect(closing).toEqual([4000, "text message, AMQP is binary"]);
});

it("a WebSocket client sends 1 MB in binary messages of at most 64 KiB", async () => {
  const sizes: number[] = [];
  const parts: Buffer[] = [];
  let kinds = 0;
  const bytes = pattern(1_000_000);
  const { to } = await rawServer((ws) => {
    ws.on("message", (data: Buffer, isBinary) => {
      if (isBinary) kinds += 1;
      sizes.push(data.length);
      parts.push(data);
      if (sizes.reduce((sum, size) => sum + size) === bytes.length) ws.close(1000);
    });
  });
  const probe = new Probe();
  const socket = await dial(to, probe, never);
  socket.send(bytes);
  await probe.until((p) => p.closed);
  expect(Math.max(...sizes)).toBe(65_536);
  expect(sizes).toHaveLength(16);
  expect(kinds).toBe(16);
  expect(Buffer.compare(Buffer.concat(parts), bytes)).toBe(0);
});

it.each([200, 401, 403, 500])("the error for a server that responds with %i names the status", async (status) => {
  const answer: RequestListener = (_request, response) => {
    response.writeHead(status, { Connection: "close" }).end("no");
  };
  const to = await listen(
    createServer(answer).on("upgrade", (_request, stream) => {
      stream.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    }),
  );
  const url = `ws://127.0.0.1:${to.port}/`;
  await expect(dial(to, new Probe(), never)).rejects.toThrow(
    `cannot open WebSocket ${url}: Unexpected server response: ${status}`,
  );
});

it("the error for a server that does not speak HTTP names its URL and its protocol", async () => {
  const to = await listen(createTcpServer((stream) => stream.end("AMQP\0\0\x09\x01")));
  await expect(dial(to, new Probe(), never)).rejects.toThrow(
    `cannot open WebSocket ws://127.0.0.1:${to.port}/: the peer is not a WebSocket server, it speaks AMQP over TCP: use a relay or omit +ws`,
  );
});

it("a WebSocket dial times out at a server that never responds, and closes its connection", async () => {
  const server = createTcpServer();
  const cut = new Promise<void>((resolve) => {
    server.on("connection", (stream) => stream.resume().once("close", () => resolve()));
  });
  const to = await listen(server);
  const impatient = nodeWebSocketDial({ connectTimeoutMs: 30 });
  await expect(impatient(to, new Probe(), never)).rejects.toThrow(
    `cannot open WebSocket ws://127.0.0.1:${to.port}/: timed out after 30 ms`,
  );
  await cut;
});

it("a WebSocket closes with an error when the server cuts the connection", async () => {
  const { to, url } = await rawServer((ws) => ws.terminate());
  const probe = new Probe();
  await dial(to, probe, never);
  await probe.until((p) => p.closed);
  expect(probe.closes.map(String)).toEqual([`Error: WebSocket closed by the server: 1006 (${url})`]);
});

it("a WebSocket client ends the connection at a message larger than 16 MiB", async () => {
  const { to, url } = await rawServer((ws) => ws.send(new Uint8Array(16 * 1024 * 1024 + 1)));
  const probe = new Probe();
  await dial(to, probe, never);
  await probe.until((p) => p.closed);
  expect(probe.closes.map(String)).toEqual([`Error: ${url}: Max payload size exceeded`]);
});

it("a WebSocket client cuts a server that never answers the closing", async () => {
  const server = createServer();
  const cut = new Promise<void>((resolve) => {
    server.on("upgrade", (request, stream) => {
      const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash("sha1").update(key).digest("base64");
      const headers = [`Sec-WebSocket-Accept: ${accept}`, "Sec-WebSocket-Protocol: amqp"];
      stream.write(`HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers.join("\r\n")}\r\n\r\n`);
      stream.resume().once("end", resolve);
    });
  });
  const to = await listen(server);
  const probe = new Probe();
  const socket = await dial(to, probe, never);
  socket.close();
  await probe.until((p) => p.closed);
  expect(probe.closes.map(String)).toEqual([
    `Error: ws://127.0.0.1:${to.port}/: the peer did not close the stream within 2000 ms`,
  ]);
  await cut;
});
