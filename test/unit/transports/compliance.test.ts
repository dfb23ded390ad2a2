import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Socket } from "@/src/core/byte-stream.js";
import {
  memoryBed,
  type Open,
  secureWebSocketBed,
  streamBed,
  type TransportBed,
  tcpBed,
  tlsBed,
  webSocketBed,
} from "@/test/fixtures/beds/transport-beds.js";
import { Arrivals, Probe, pattern, pump } from "@/test/fixtures/fakes/socket-probe.js";
import { rawTcpServer } from "@/test/fixtures/peers/raw-tcp-server.js";

const never = new AbortController().signal;

/** Of tcpmux, a service that no system has any more. No process gets it by chance. */
const UNUSED_PORT = 1;

interface Ends {
  near: Probe;
  nearSocket: Socket;
  far: Probe;
  farSocket: Socket;
}

let arrivals: Arrivals;
let open: Open;

function openBeforeEach(bed: TransportBed): void {
  beforeEach(async () => {
    arrivals = new Arrivals();
    open = await bed.open(arrivals.accept);
  });
  afterEach(async () => {
    vi.useRealTimers();
    await open.close();
  });
}

async function connect(): Promise<Ends> {
  const near = new Probe();
  const nearSocket = await open.dial(open.address, near, never);
  const { socket: farSocket, probe: far } = await arrivals.next();
  return { near, nearSocket, far, farSocket };
}

/** Runs another conversation to its end, so that late events of earlier streams have arrived. */
async function passTime(): Promise<void> {
  const { near, nearSocket, far, farSocket } = await connect();
  nearSocket.send(Uint8Array.of(1));
  await far.until((p) => p.received === 1);
  farSocket.close();
  await near.until((p) => p.closed);
  await far.until((p) => p.closed);
}

describe.each([tcpBed, streamBed, tlsBed, webSocketBed, secureWebSocketBed, memoryBed])(
  "a stream over $name",
  (bed) => {
    openBeforeEach(bed);

    it("a stream carries bytes both ways as plain arrays", async () => {
      const { near, nearSocket, far, farSocket } = await connect();
      expect(nearSocket.send(Uint8Array.of(1, 2, 3))).toBe(true);
      await far.until((p) => p.received === 3);
      expect(farSocket.send(Uint8Array.of(4, 5))).toBe(true);
      await near.until((p) => p.received === 2);
      expect(far.chunks).toEqual([Uint8Array.of(1, 2, 3)]);
      expect(near.chunks).toEqual([Uint8Array.of(4, 5)]);
    });

    it("a socket has an id with the address, and shows whether it is encrypted", async () => {
      const { nearSocket, farSocket } = await connect();
      expect(nearSocket.id).toContain(open.address.hostname);
      const encrypted = bed === tlsBed || bed === secureWebSocketBed;
      expect([nearSocket.encrypted, farSocket.encrypted]).toEqual([encrypted, encrypted]);
      expect(farSocket.id).not.toContain("undefined");
    });

    it("a stream keeps the order of many sends of all sizes", async () => {
      const { nearSocket, far } = await connect();
      const bytes = pattern(200_000);
      let at = 0;
      for (let size = 0; at < bytes.length; size = (size + 37) % 1500) {
        nearSocket.send(bytes.subarray(at, at + size));
        at += size;
      }
      await far.until((p) => p.received >= bytes.length);
      expect(Buffer.compare(far.bytes, bytes)).toBe(0);
    });

    it("a stream carries 1-byte pieces", async () => {
      const { nearSocket, near, far } = await connect();
      const bytes = pattern(5000);
      await pump(nearSocket, near, bytes, 1);
      await far.until((p) => p.received >= bytes.length);
      expect(Buffer.compare(far.bytes, bytes)).toBe(0);
    });

    it("a stream carries 5 MB both ways at once", async () => {
      const { near, nearSocket, far, farSocket } = await connect();
      const there = pattern(5_000_000);
      const back = pattern(5_000_001).reverse();
      const pumps = [pump(nearSocket, near, there, 70_001), pump(farSocket, far, back, 4099)];
      await far.until((p) => p.received >= there.length);
      await near.until((p) => p.received >= back.length);
      await Promise.all(pumps);
      expect(Buffer.compare(far.bytes, there)).toBe(0);
      expect(Buffer.compare(near.bytes, back)).toBe(0);
    });

    it("send asks the caller to wait when the buffer is full, and drain is called once when it has room", async () => {
      const { near, nearSocket, far } = await connect();
      const piece = pattern(1024 * 1024);
      let sent = 0;
      let room = true;
      while (room && sent < 100) {
        room = nearSocket.send(piece);
        sent += 1;
      }
      expect(room).toBe(false);
      expect(nearSocket.buffered).toBeGreaterThan(0);
      await near.until((p) => p.drains > 0);
      expect(nearSocket.buffered).toBeLessThan(1024 * 1024);
      await far.until((p) => p.received >= sent * piece.length);
      expect(near.drains).toBe(1);
      expect(nearSocket.buffered).toBe(0);
    });

    it("the dialler's handlers receive the first byte when the listener sends first", async () => {
      arrivals.greet = (socket) => socket.send(Buffer.from("welcome"));
      const { near } = await connect();
      await near.until((p) => p.received === 7);
      expect(near.text).toBe("welcome");
    });

    it("the dialler gets its socket before the first bytes of the listener", async () => {
      arrivals.greet = (socket) => socket.send(Uint8Array.of(1));
      const near = new Probe();
      const dial = async (): Promise<Socket> => await open.dial(open.address, near, never);
      await dial();
      expect(near.received).toBe(0);
      await near.until((p) => p.received === 1);
    });

    it("the listener receives bytes that the dialler sends at once", async () => {
      const near = new Probe();
      await open.dial(open.address, near, never).then((socket) => socket.send(Buffer.from("hello")));
      const { probe } = await arrivals.next();
      await probe.until((p) => p.received === 5);
      expect(probe.text).toBe("hello");
    });

    it("a stream can be closed within accept", async () => {
      arrivals.greet = (socket) => {
        socket.send(Buffer.from("go away"));
        socket.close();
      };
      const { near, far } = await connect();
      await near.until((p) => p.closed);
      await far.until((p) => p.closed);
      expect(near.text).toBe("go away");
      expect(near.closes).toEqual([undefined]);
      expect(far.closes).toEqual([undefined]);
    });

    it.each(["dialler", "listener"] as const)(
      "both ends close when the %s closes, after all the bytes that it sent",
      async (closer) => {
        const ends = await connect();
        const bytes = pattern(3_000_000);
        const [socket, own, other] =
          closer === "dialler" ? [ends.nearSocket, ends.near, ends.far] : [ends.farSocket, ends.far, ends.near];
        for (let at = 0; at < bytes.length; at += 50_000) socket.send(bytes.subarray(at, at + 50_000));
        socket.close();
        expect(socket.send(Uint8Array.of(1))).toBe(false);
        socket.close();
        await other.until((p) => p.closed);
        await own.until((p) => p.closed);
        expect(Buffer.compare(other.bytes, bytes)).toBe(0);
        expect(other.closes).toEqual([undefined]);
        expect(own.closes).toEqual([undefined]);
        await passTime();
        expect([...own.late, ...other.late]).toEqual([]);
      },
    );

    it("close is called once at each end when both close at the same time", async () => {
      const { near, nearSocket, far, farSocket } = await connect();
      nearSocket.send(pattern(1000));
      farSocket.send(pattern(1000));
      nearSocket.close();
      farSocket.close();
      await near.until((p) => p.closed);
      await far.until((p) => p.closed);
      await passTime();
      expect(near.closes).toEqual([undefined]);
      expect(far.closes).toEqual([undefined]);
      expect([...near.late, ...far.late]).toEqual([]);
    });

    it("only the close handler is called after close(), although the peer continues to send", async () => {
      const { near, nearSocket, far, farSocket } = await connect();
      far.onData = () => {
        for (let i = 0; i < 50; i += 1) farSocket.send(pattern(60_000));
      };
      expect(nearSocket.send(Uint8Array.of(1))).toBe(true);
      await near.until((p) => p.received > 0);
      nearSocket.close();
      const { received, drains } = near;
      await near.until((p) => p.closed);
      await far.until((p) => p.closed);
      expect(near.received).toBe(received);
      expect(near.drains).toBe(drains);
    });

    it("only the close handler is called after the data handler has closed the stream", async () => {
      const { near, nearSocket, far, farSocket } = await connect();
      let receivedAtClose: number | undefined;
      near.onData = () => {
        receivedAtClose ??= near.received;
        nearSocket.close();
      };
      for (let i = 0; i < 50; i += 1) farSocket.send(pattern(60_000));
      await near.until((p) => p.closed);
      await far.until((p) => p.closed);
      expect(near.received).toBe(receivedAtClose);
    });

    it("drain is not called after close()", async () => {
      const { near, nearSocket, far } = await connect();
      let pieces = 1;
      while (nearSocket.send(pattern(1024 * 1024)) && pieces < 100) pieces += 1;
      nearSocket.close();
      await near.until((p) => p.closed);
      await far.until((p) => p.closed);
      expect(far.received).toBe(pieces * 1024 * 1024);
      expect(near.drains).toBe(0);
    });

    it("a stream delivers bytes that are sent within drain, just before close()", async () => {
      const { near, nearSocket, far } = await connect();
      let pieces = 1;
      while (nearSocket.send(pattern(1024 * 1024)) && pieces < 100) pieces += 1;
      near.onDrain = () => {
        nearSocket.send(pattern(100));
        nearSocket.close();
      };
      await far.until((p) => p.closed);
      expect(far.received).toBe(pieces * 1024 * 1024 + 100);
    });

    it("a closed stream leaves no timer behind", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const { near, nearSocket, far } = await connect();
      nearSocket.send(pattern(1000));
      nearSocket.close();
      await near.until((p) => p.closed);
      await far.until((p) => p.closed);
      expect(vi.getTimerCount()).toBe(0);
    });

    it("send and close of a closed stream are ignored and do not throw", async () => {
      const { near, nearSocket, far, farSocket } = await connect();
      farSocket.close();
      await near.until((p) => p.closed);
      await far.until((p) => p.closed);
      for (const socket of [nearSocket, farSocket]) {
        expect(socket.send(pattern(10))).toBe(false);
        socket.close();
      }
      await passTime();
      expect([...near.late, ...far.late]).toEqual([]);
      expect(far.received).toBe(0);
    });

    it("a dial with an aborted signal rejects with its reason and opens no stream", async () => {
      const reason = new Error("not any more");
      const near = new Probe();
      await expect(open.dial(open.address, near, AbortSignal.abort(reason))).rejects.toBe(reason);
      await passTime();
      expect(arrivals.count).toBe(1);
    });

    it("a connected stream ignores the signal of its dial", async () => {
      const abort = new AbortController();
      const near = new Probe();
      const socket = await open.dial(open.address, near, abort.signal);
      const { probe: far } = await arrivals.next();
      abort.abort();
      socket.send(Uint8Array.of(1));
      await far.until((p) => p.received === 1);
      expect(near.closes).toEqual([]);
    });
  },
);

describe.each([tcpBed, streamBed, tlsBed, webSocketBed, secureWebSocketBed])("dialling over $name", (bed) => {
  openBeforeEach(bed);

  it("a dial rejects with the signal's reason when the signal is aborted while connecting", async () => {
    const abort = new AbortController();
    const reason = new Error("changed my mind");
    const near = new Probe();
    const dialled = open.dial(open.address, near, abort.signal);
    abort.abort(reason);
    await expect(dialled).rejects.toBe(reason);
    await open.close();
    expect([near.closes, near.received]).toEqual([[], 0]);
  });

  it("the error of a dial to a closed port names the address and the cause", async () => {
    const address = { ...open.address, port: UNUSED_PORT };
    const { hostname, port } = address;
    const dialled = open.dial(address, new Probe(), never);
    await expect(dialled).rejects.toThrow(
      bed.name.startsWith("ws")
        ? `cannot open WebSocket ${bed.name}://${hostname}:${port}/: connection refused`
        : `cannot connect to ${hostname}:${port}: connection refused`,
    );
    await expect(dialled).rejects.toMatchObject({ name: "Error", cause: { code: "ECONNREFUSED" } });
  });

  it("a closing listener closes its streams and refuses further dials", async () => {
    const first = await connect();
    const second = await connect();
    await open.close();
    for (const probe of [first.near, second.near]) await probe.until((p) => p.closed);
    expect([first.far.closes, second.far.closes]).toEqual([[undefined], [undefined]]);
    await expect(open.dial(open.address, new Probe(), never)).rejects.toThrow("refused");
    await open.close();
  });
});

describe.each([tlsBed, webSocketBed, secureWebSocketBed])("a handshake over $name", (bed) => {
  openBeforeEach(bed);

  it("a handshake is cut when the signal is aborted while the peer is silent", async () => {
    const abort = new AbortController();
    let wasCut = (): void => {};
    const cut = new Promise<void>((resolve) => {
      wasCut = resolve;
    });
    await using silent = await rawTcpServer({}, (stream) => {
      stream.once("data", () => abort.abort("enough")).once("close", wasCut);
    });
    const near = new Probe();
    await expect(
      open.dial({ ...open.address, hostname: "127.0.0.1", port: silent.port }, near, abort.signal),
    ).rejects.toBe("enough");
    await cut;
    expect(near.closes).toEqual([]);
  });
});
