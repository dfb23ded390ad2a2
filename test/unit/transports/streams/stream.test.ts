import { once } from "node:events";
import { expect, it } from "vitest";
import type { Address } from "@/src/core/byte-stream.js";
import { Deferred } from "@/src/core/deferred.js";
import { type ByteStream, streamDial } from "@/src/transports/streams/stream.js";
import { dialStream } from "@/test/fixtures/beds/transport-beds.js";
import { Probe, pattern } from "@/test/fixtures/fakes/socket-probe.js";
import { rawTcpServer } from "@/test/fixtures/peers/raw-tcp-server.js";

const never = new AbortController().signal;
const to: Address = { scheme: "amqp", hostname: "127.0.0.1", port: 5672 };

/** A stream that receives nothing and accepts every write. */
function quietStream(): ByteStream & { cuts: number } {
  return {
    route: "here to there",
    cuts: 0,
    read: () => new Promise(() => {}),
    write: async () => {},
    end: async () => {},
    cut() {
      this.cuts += 1;
    },
  };
}

function dialTo(stream: ByteStream): ReturnType<typeof streamDial> {
  return streamDial({ supportedTlsOptions: [], open: async () => stream, errorText: String });
}

it("streamDial cuts a stream that opens after its signal was aborted", async () => {
  const stream = quietStream();
  const opening = new Deferred<ByteStream>();
  const dial = streamDial({ supportedTlsOptions: [], open: () => opening.promise, errorText: String });
  const abort = new AbortController();
  const dialled = dial(to, new Probe(), abort.signal);
  abort.abort("enough");
  await expect(dialled).rejects.toBe("enough");
  expect(stream.cuts).toBe(0);
  opening.resolve(stream);
  await opening.promise;
  expect(stream.cuts).toBe(1);
});

it.each(["read", "write"] as const)(
  "a stream closes with the cause when a %s fails, and cuts the runtime's stream once",
  async (failing) => {
    const cause = new Error("it broke");
    const stream = { ...quietStream(), [failing]: () => Promise.reject(cause) };
    const probe = new Probe();
    const socket = await dialTo(stream)(to, probe, never);
    socket.send(Uint8Array.of(1));
    await probe.until((p) => p.closed);
    expect(probe.closes).toMatchObject([{ message: "tcp here to there: Error: it broke", cause }]);
    expect(stream.cuts).toBe(1);
    expect(socket.send(Uint8Array.of(1))).toBe(false);
    socket.close();
    expect(probe.late).toEqual([]);
  },
);

it("the error for a peer that ends the stream before it sent anything hints at TLS", async () => {
  const probe = new Probe();
  await dialTo({ ...quietStream(), read: async () => undefined })(to, probe, never);
  await probe.until((p) => p.closed);
  expect(probe.closes[0]?.message).toBe(
    "tcp here to there: closed by the peer before it sent anything: it may require TLS",
  );
});

it("a stream writes pieces of at most 64 KiB, one at a time", async () => {
  const sizes: number[] = [];
  let underWay = 0;
  const probe = new Probe();
  const ended = new Deferred<void>();
  const socket = await dialTo({
    ...quietStream(),
    async write({ length }) {
      underWay += 1;
      expect(underWay).toBe(1);
      sizes.push(length);
      await Promise.resolve();
      underWay -= 1;
    },
    end: async () => ended.resolve(),
  })(to, probe, never);
  socket.send(pattern(65_537));
  socket.send(pattern(3));
  socket.close();
  await ended.promise;
  expect(sizes).toEqual([65_536, 1, 3]);
});

it("a stream sends its buffer, and nothing more, after the peer has ended its side", async () => {
  await using server = await rawTcpServer({ allowHalfOpen: true }, (stream) => stream.end("last words"));
  const probe = new Probe();
  const socket = await dialStream({ ...to, port: server.port }, probe, never);
  for (let i = 0; i < 16; i += 1) socket.send(pattern(1024 * 1024));
  await probe.until((p) => p.received === 10);
  const [stream] = server.streams;
  if (stream === undefined) throw new Error("the server accepted no stream");
  await once(stream.resume(), "end");
  await probe.until((p) => p.closed);
  expect(stream.bytesRead).toBe(16 * 1024 * 1024);
  expect(probe.closes).toEqual([undefined]);
});
