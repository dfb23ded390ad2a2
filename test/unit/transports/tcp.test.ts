import { createServer, Socket as NetSocket, type Server } from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import type { Listening } from "../../../src/core/dial.js";
import { tcpDial } from "../../../src/transports/tcp.js";
import { listenTcp } from "../../../src/transports/tcp-listener.js";
import { bind } from "../../../src/transports/tcp-server.js";
import { tcpBed, tlsBed } from "./beds.js";
import { Arrivals, Probe, pattern } from "./probe.js";

const never = new AbortController().signal;
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server of plain Node, that does what our listener never would. */
async function rawServer(server: Server): Promise<{ listening: Listening; arrived: Promise<NetSocket> }> {
  const streams: NetSocket[] = [];
  const arrived = new Promise<NetSocket>((resolve) => {
    server.on("connection", (stream) => {
      stream.on("error", () => {});
      streams.push(stream);
      resolve(stream);
    });
  });
  const listening = await bind(server, { host: "127.0.0.1", port: 0 }, async () => {
    for (const stream of streams) stream.destroy();
  });
  cleanups.push(() => listening.close());
  return { listening, arrived };
}

const at = (port: number) => ({ scheme: "amqp", hostname: "127.0.0.1", port });

it("sends small writes at once, on both sides", async () => {
  const noDelay = vi.spyOn(NetSocket.prototype, "setNoDelay");
  cleanups.push(() => noDelay.mockRestore());
  const arrivals = new Arrivals();
  const open = await tcpBed.open(arrivals.accept);
  cleanups.push(() => open.close());
  await open.dial(open.address, new Probe(), never);
  await arrivals.next();
  expect(noDelay.mock.calls).toEqual([[true], [true]]);
});

it("tells a reset as the cause of the end", async () => {
  const { listening, arrived } = await rawServer(createServer());
  const probe = new Probe();
  await tcpDial(at(listening.port), probe, never);
  (await arrived).resetAndDestroy();
  await probe.until((p) => p.closed);
  expect(probe.closes[0]?.message).toMatch(/^tcp 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+: connection reset by the peer$/);
  expect(probe.closes[0]).toMatchObject({ cause: { code: "ECONNRESET" } });
});

it("refuses a port that cannot be, naming it", async () => {
  const dialled = tcpDial(at(65_536), new Probe(), never);
  await expect(dialled).rejects.toThrow("cannot connect to 127.0.0.1:65536: ");
  await expect(dialled).rejects.toMatchObject({ name: "Error", cause: { code: "ERR_SOCKET_BAD_PORT" } });
});

it("puts IPv6 addresses in brackets", async () => {
  const dialled = tcpDial({ scheme: "amqp", hostname: "::1", port: 1 }, new Probe(), never);
  await expect(dialled).rejects.toThrow("cannot connect to [::1]:1: ");
});

it("sends what is buffered when the peer ends its side first", async () => {
  const { listening, arrived } = await rawServer(createServer({ allowHalfOpen: true }));
  const probe = new Probe();
  const socket = await tcpDial(at(listening.port), probe, never);
  const stream = await arrived;
  while (socket.send(pattern(1024 * 1024)) || socket.buffered < 4 * 1024 * 1024);
  const { buffered } = socket;
  stream.end("last words");
  await probe.until((p) => p.received === 10);
  let read = 0;
  stream.on("data", (chunk) => {
    read += chunk.length;
  });
  await probe.until((p) => p.closed);
  expect(read).toBeGreaterThan(buffered);
  expect(probe.closes).toEqual([undefined]);
});

it("cuts a peer that never ends its side", async () => {
  const { listening } = await rawServer(createServer({ allowHalfOpen: true }, (stream) => stream.resume()));
  const probe = new Probe();
  const socket = await tcpDial(at(listening.port), probe, never);
  socket.close();
  await probe.until((p) => p.closed);
  expect(probe.closes[0]?.message).toMatch(/: cut, because the peer did not close it within 2000 ms$/);
});

it("cuts a peer that has stopped reading", async () => {
  const { listening } = await rawServer(createServer());
  const probe = new Probe();
  const socket = await tcpDial(at(listening.port), probe, never);
  while (socket.send(pattern(1024 * 1024)) || socket.buffered < 4 * 1024 * 1024);
  socket.close();
  await probe.until((p) => p.closed);
  expect(probe.closes[0]?.message).toMatch(/: cut, because the peer did not close it within 2000 ms$/);
});

it("closes at once what comes in beyond maxConnections", async () => {
  const arrivals = new Arrivals();
  const listening = await listenTcp({ host: "127.0.0.1", port: 0, maxConnections: 1, accept: arrivals.accept });
  cleanups.push(() => listening.close());
  const first = new Probe();
  await tcpDial(at(listening.port), first, never);
  const { socket } = await arrivals.next();
  const second = new Probe();
  await tcpDial(at(listening.port), second, never);
  await second.until((p) => p.closed);
  socket.send(Uint8Array.of(1));
  await first.until((p) => p.received === 1);
  expect(arrivals.count).toBe(1);
});

it("names the address that is taken", async () => {
  const { accept } = new Arrivals();
  const listening = await listenTcp({ host: "127.0.0.1", port: 0, maxConnections: 1, accept });
  cleanups.push(() => listening.close());
  const { port } = listening;
  const second = listenTcp({ host: "127.0.0.1", port, maxConnections: 1, accept });
  await expect(second).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: address already in use`);
});

it("refuses a server whose certificate nobody trusted has signed", async () => {
  const open = await tlsBed.open(new Arrivals().accept);
  cleanups.push(() => open.close());
  const dialled = tcpDial({ ...open.address, tls: undefined }, new Probe(), never);
  await expect(dialled).rejects.toThrow(`cannot connect to localhost:${open.address.port}: unable to verify`);
});

it("refuses a server whose certificate is for another host", async () => {
  const open = await tlsBed.open(new Arrivals().accept);
  cleanups.push(() => open.close());
  const dialled = tcpDial({ ...open.address, hostname: "127.0.0.1" }, new Probe(), never);
  await expect(dialled).rejects.toThrow(/^cannot connect to 127\.0\.0\.1:\d+: .*127\.0\.0\.1/);
});

it("takes bytes for PEM texts, and TLS for any address with `tls`", async () => {
  const arrivals = new Arrivals();
  const open = await tlsBed.open(arrivals.accept);
  cleanups.push(() => open.close());
  const ca = new TextEncoder().encode(String(open.address.tls?.ca));
  const socket = await tcpDial({ ...open.address, scheme: "amqp", tls: { ca: [ca] } }, new Probe(), never);
  expect(socket.encrypted).toBe(true);
});

it("refuses PEM texts that are none", async () => {
  const dialled = tcpDial({ ...at(1), tls: { cert: "no certificate" } }, new Probe(), never);
  await expect(dialled).rejects.toThrow("cannot connect to 127.0.0.1:1: ");
});

it("says that the server does not speak TLS", async () => {
  const open = await tcpBed.open(new Arrivals().accept);
  cleanups.push(() => open.close());
  const { listening } = await rawServer(createServer((stream) => stream.end("HTTP/1.1 400 Bad Request\r\n\r\n")));
  const dialled = tcpDial({ ...at(listening.port), scheme: "amqps" }, new Probe(), never);
  await expect(dialled).rejects.toThrow(/^cannot connect to 127\.0\.0\.1:\d+: .*(SSL|TLS)/i);
});
