import { once } from "node:events";
import { Socket as NetSocket } from "node:net";
import { afterEach, expect, it, type Mock, vi } from "vitest";
import type { Socket } from "@/src/core/byte-stream.js";
import { OpenStreams } from "@/src/transports/node/node-server.js";
import { tcpDial } from "@/src/transports/node/tcp.js";
import { listenTcp } from "@/src/transports/node/tcp-listener.js";
import { tcpBed } from "@/test/fixtures/beds/transport-beds.js";
import { Arrivals, Probe, pattern } from "@/test/fixtures/fakes/socket-probe.js";
import { rawTcpServer } from "@/test/fixtures/peers/raw-tcp-server.js";

const never = new AbortController().signal;
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const at = (port: number) => ({ scheme: "amqp", hostname: "127.0.0.1", port });

it("TCP streams disable Nagle's algorithm on both sides", async () => {
  const noDelay = vi.spyOn(NetSocket.prototype, "setNoDelay");
  cleanups.push(() => noDelay.mockRestore());
  const arrivals = new Arrivals();
  const open = await tcpBed.open(arrivals.accept);
  cleanups.push(() => open.close());
  await open.dial(open.address, new Probe(), never);
  await arrivals.next();
  expect(noDelay.mock.calls).toEqual([[true], [true]]);
});

it("a reset TCP stream closes with the reset as its cause", async () => {
  await using server = await rawTcpServer({}, (stream) => {
    stream.once("data", () => stream.resetAndDestroy()).write("hello");
  });
  const probe = new Probe();
  const socket = await tcpDial(at(server.port), probe, never);
  await probe.until((p) => p.received === 5);
  socket.send(Uint8Array.of(1));
  await probe.until((p) => p.closed);
  expect(probe.closes[0]?.message).toMatch(/^tcp 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+: connection reset by the peer$/);
  expect(probe.closes[0]).toMatchObject({ cause: { code: "ECONNRESET" } });
});

it("a TCP dial to an invalid port rejects with an error that names it", async () => {
  const dialled = tcpDial(at(65_536), new Probe(), never);
  await expect(dialled).rejects.toThrow("cannot connect to 127.0.0.1:65536: ");
  await expect(dialled).rejects.toMatchObject({ name: "Error", cause: { code: "ERR_SOCKET_BAD_PORT" } });
});

it("the error of a TCP dial puts IPv6 addresses in brackets", async () => {
  const dialled = tcpDial({ scheme: "amqp", hostname: "::1", port: 1 }, new Probe(), never);
  await expect(dialled).rejects.toThrow("cannot connect to [::1]:1: ");
});

it("a TCP stream sends its buffer, and nothing more, after the peer has ended its side", async () => {
  await using server = await rawTcpServer({ allowHalfOpen: true }, (stream) => stream.pause().end("last words"));
  const probe = new Probe();
  const socket = await tcpDial(at(server.port), probe, never);
  for (let i = 0; i < 16; i += 1) socket.send(pattern(1024 * 1024));
  await probe.until((p) => p.received === 10);
  // By the time another client has received the whole greeting, the first has seen the end of the peer's side.
  const other = new Probe();
  await tcpDial(at(server.port), other, never);
  await other.until((p) => p.received === 10);
  const { buffered } = socket;
  expect(buffered).toBeGreaterThan(0);
  expect(socket.send(pattern(1))).toBe(false);
  expect(socket.buffered).toBe(buffered);
  const [stream] = server.streams;
  if (stream === undefined) throw new Error("the server accepted no stream");
  await once(stream.resume(), "end");
  expect(stream.bytesRead).toBe(16 * 1024 * 1024);
  await probe.until((p) => p.closed);
  expect(probe.closes).toEqual([undefined]);
});

it("a TCP listener closes connections beyond maxConnections at once", async () => {
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

it("the error of listenTcp names an address that is already in use", async () => {
  const { accept } = new Arrivals();
  const listening = await listenTcp({ host: "127.0.0.1", port: 0, maxConnections: 1, accept });
  cleanups.push(() => listening.close());
  const { port } = listening;
  const second = listenTcp({ host: "127.0.0.1", port, maxConnections: 1, accept });
  await expect(second).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: address already in use`);
});

it("OpenStreams closes its open streams, and those that are added while it closes", async () => {
  const streams = new OpenStreams();
  const stream = (): { socket: Socket; close: Mock; ended: () => void } => {
    const close = vi.fn();
    const socket = { id: "", encrypted: false, buffered: 0, send: () => true, close };
    let ended = (): void => {};
    streams.add(socket, (onEnd) => {
      ended = onEnd;
    });
    return { socket, close, ended };
  };
  const over = stream();
  const open = stream();
  over.ended();
  await Promise.resolve().then(() => {});
  const closed = streams.close();
  const late = stream();
  expect([over, open, late].map(({ close }) => close.mock.calls.length)).toEqual([0, 1, 1]);
  open.ended();
  await closed;
});
