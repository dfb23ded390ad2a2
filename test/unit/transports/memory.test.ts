import { afterEach, expect, it, vi } from "vitest";
import type { Socket } from "@/src/core/byte-stream.js";
import { memoryDial } from "@/src/transports/memory.js";
import { Arrivals, Probe, pattern } from "@/test/fixtures/fakes/socket-probe.js";

const never = new AbortController().signal;
const here = { scheme: "memory", hostname: "here", port: 0 };

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

interface Ends {
  near: Probe;
  nearSocket: Socket;
  far: Probe;
  farSocket: Socket;
}

async function connect(): Promise<Ends> {
  const arrivals = new Arrivals();
  const near = new Probe();
  const nearSocket = await memoryDial(arrivals.accept)(here, near, never);
  const { socket: farSocket, probe: far } = await arrivals.next();
  return { near, nearSocket, far, farSocket };
}

it("a memory stream hands over the same array, uncopied", async () => {
  const { nearSocket, far } = await connect();
  const bytes = pattern(10);
  nearSocket.send(bytes);
  await far.until((p) => p.received === 10);
  expect(far.chunks[0]).toBe(bytes);
});

it("a memory stream hands nothing over within send", async () => {
  const { nearSocket, far } = await connect();
  nearSocket.send(Uint8Array.of(1));
  expect(far.received).toBe(0);
  await far.until((p) => p.received === 1);
});

it("memoryDial gives every stream its own id", async () => {
  const dial = memoryDial(() => new Probe());
  const first = await dial(here, new Probe(), never);
  const second = await dial(here, new Probe(), never);
  expect([first.id, second.id]).toEqual(["memory here 1", "memory here 2"]);
});

it("memoryDial rejects with the error that accept throws", async () => {
  const dial = memoryDial(() => {
    throw new Error("the intermediary is closed");
  });
  await expect(dial(here, new Probe(), never)).rejects.toThrow("the intermediary is closed");
});

it.each(["MessageChannel", "setImmediate"])(
  "a memory stream lets timers run while both ends reply to each other endlessly, with %s",
  async (scheduler) => {
    if (scheduler === "setImmediate") vi.stubGlobal("MessageChannel", undefined);
    const { near, nearSocket, far, farSocket } = await connect();
    let replies = 0;
    let stop = false;
    near.onData = (bytes) => {
      replies += 1;
      if (!stop) nearSocket.send(bytes);
    };
    far.onData = (bytes) => farSocket.send(bytes);
    nearSocket.send(Uint8Array.of(1));
    await near.until(() => replies > 100);
    await new Promise((resolve) => setTimeout(resolve, 0));
    const repliesThen = replies;
    await near.until(() => replies > repliesThen);
    stop = true;
    nearSocket.close();
    await far.until((p) => p.closed);
  },
);

it("a memory stream carries what the accepting end sends first, under fake timers", async () => {
  vi.useFakeTimers();
  const { near, farSocket } = await connect();
  farSocket.send(Uint8Array.of(1));
  expect(near.received).toBe(0);
  await near.until((p) => p.received === 1);
});

it("a memory stream calls drain once half of its budget is free", async () => {
  const { near, nearSocket, far } = await connect();
  far.onData = () => {
    if (far.chunks.length === 1) nearSocket.send(pattern(700_000));
  };
  const bufferedAtDrain: number[] = [];
  near.onDrain = () => bufferedAtDrain.push(nearSocket.buffered);
  expect(nearSocket.send(pattern(1024 * 1024))).toBe(true);
  expect(nearSocket.send(pattern(1))).toBe(false);
  await near.until((p) => p.drains > 0);
  expect(bufferedAtDrain).toEqual([0]);
});

it("a memory stream does not nest replies to replies", async () => {
  const { near, nearSocket, far, farSocket } = await connect();
  let left = 50_000;
  near.onData = (bytes) => {
    left -= 1;
    if (left > 0) nearSocket.send(bytes);
  };
  far.onData = (bytes) => farSocket.send(bytes);
  nearSocket.send(Uint8Array.of(1));
  await near.until(() => left === 0);
  expect(far.received).toBe(50_000);
});
