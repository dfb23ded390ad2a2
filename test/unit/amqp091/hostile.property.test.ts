import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connect } from "@/src/amqp091/connect.js";
import type { Connection } from "@/src/amqp091/connection.js";
import { describeFrame } from "@/src/amqp091/frame-log.js";
import type { Dial, SocketHandlers } from "@/src/core/byte-stream.js";
import { Deadlines } from "@/src/core/deadlines.js";
import { FakeSocket } from "@/test/fixtures/fakes/fake-socket.js";
import { frame, GUEST, headerFrame, methodFrame, START, TO, TUNE } from "@/test/fixtures/peers/raw-broker.js";
import { turn } from "@/test/fixtures/stages/turn.js";

/** Longest time that one piece of untrusted input may block this process. */
const LONGEST_BLOCK_MS = 1_000;
const MAX_MESSAGE_BYTES = 2_000;
const FRAME_MAX = 4_096;
/** Largest array that may be allocated: a slab of the output. Before connection.tune, a frame may be as large as ours. */
const MAX_ALLOCATED_BYTES = 131_072;
/** Number of cases, fewer if a busy machine does not manage them in time. */
const LIMITS = { numRuns: 2_000, interruptAfterTimeLimit: 5_000 };

const BODY = { exchange: "x", routingKey: "k" };
const PROPERTIES = { contentType: "application/json", headers: { a: { b: [1] }, compression: "gzip" }, messageId: "m" };

function content(method: Uint8Array, body: string): Uint8Array[] {
  return [
    method,
    headerFrame(1, body.length, PROPERTIES),
    frame(3, 1, Buffer.from(body.slice(0, 3))),
    frame(3, 1, Buffer.from(body.slice(3))),
  ];
}

/** The frames that a broker sends to a client that uses one channel. */
const BROKER: readonly Uint8Array[] = [
  methodFrame(0, "connection.start", START),
  methodFrame(0, "connection.tune", { ...TUNE, frameMax: FRAME_MAX, heartbeat: 1 }),
  methodFrame(0, "connection.open-ok"),
  methodFrame(1, "channel.open-ok"),
  methodFrame(1, "queue.declare-ok", { queue: "q" }),
  methodFrame(1, "basic.consume-ok", { consumerTag: "1" }),
  methodFrame(1, "confirm.select-ok"),
  ...content(methodFrame(1, "basic.deliver", { ...BODY, consumerTag: "1", deliveryTag: 1 }), "a delivery"),
  ...content(methodFrame(1, "basic.return", { ...BODY, replyCode: 312, replyText: "NO_ROUTE" }), "message"),
  methodFrame(1, "basic.ack", { deliveryTag: 2, multiple: true }),
  methodFrame(1, "basic.nack", { deliveryTag: 3 }),
  methodFrame(1, "channel.flow", { active: false }),
  methodFrame(0, "connection.blocked", { reason: "memory" }),
  methodFrame(0, "connection.unblocked"),
  methodFrame(1, "basic.cancel", { consumerTag: "1" }),
  frame(8, 0, Buffer.alloc(0)),
  methodFrame(1, "channel.close", { replyCode: 404, replyText: "NOT_FOUND" }),
  methodFrame(0, "connection.close", { replyCode: 320, replyText: "CONNECTION_FORCED" }),
];

type Mutation = (frames: Uint8Array[]) => void;

const place = fc.nat(10_000);
/** Bytes with a meaning: frame types, classes, field types, small and large sizes. */
const BYTES = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 8, 10, 20, 50, 60, 85, 0x41, 0x46, 0x53, 0x7f, 0xce, 0xff),
  fc.nat(255),
);

function change(pick: number, of: (frame: Uint8Array) => Uint8Array): Mutation {
  return (frames) => {
    const index = pick % Math.max(1, frames.length);
    const frame = frames[index];
    if (frame !== undefined && frame.length > 0) frames[index] = of(frame);
  };
}

/** The frame with another payload and the right size, so that a reader fails in the payload. */
function resized(frame: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  if (frame.length < 8) return frame; // truncated by another mutation
  const payload = frame.subarray(7, -1);
  const from = at % (payload.length + 1);
  const changed = Buffer.concat([payload.subarray(0, from), insert, payload.subarray(from + remove)]);
  const head = Buffer.from(frame.subarray(0, 7));
  head.writeUInt32BE(changed.length, 3);
  return Buffer.concat([head, changed, Buffer.of(0xce)]);
}

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, place, BYTES).map(([pick, at, byte]) =>
    change(pick, (frame) => {
      const changed = Uint8Array.from(frame);
      changed[at % frame.length] = byte;
      return changed;
    }),
  ),
  fc
    .tuple(place, place, fc.nat(8), fc.array(BYTES, { maxLength: 16 }))
    .map(([pick, at, remove, insert]) => change(pick, (frame) => resized(frame, at, remove, Uint8Array.from(insert)))),
  fc.tuple(place, place).map(([pick, at]) => change(pick, (frame) => frame.subarray(0, at % frame.length))),
  place.map(
    (pick): Mutation =>
      (frames) =>
        void frames.splice(pick % Math.max(1, frames.length), 1),
  ),
  fc.tuple(place, place, fc.integer({ min: 1, max: 5 })).map(
    ([from, to, times]): Mutation =>
      (frames) => {
        const frame = frames[from % Math.max(1, frames.length)];
        if (frame !== undefined) frames.splice(to % (frames.length + 1), 0, ...Array<Uint8Array>(times).fill(frame));
      },
  ),
  fc.tuple(place, fc.uint8Array({ maxLength: 40 })).map(
    ([to, bytes]): Mutation =>
      (frames) =>
        void frames.splice(to % (frames.length + 1), 0, bytes),
  ),
);

const speech = fc.record({
  mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
  /** Offsets at which the bytes are cut. Default: after every frame. */
  cuts: fc.option(fc.array(place, { maxLength: 12 }), { nil: undefined, freq: 1 }),
});

function spoken({
  mutations,
  cuts,
}: {
  mutations: readonly Mutation[];
  cuts: readonly number[] | undefined;
}): Uint8Array[] {
  const frames = [...BROKER];
  for (const mutate of mutations) mutate(frames);
  if (cuts === undefined) return frames;
  const bytes = Buffer.concat(frames);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length));
}

/** Expects an error of ours with a readable message. */
function expectNamed(cause: unknown): void {
  expect(cause).toBeInstanceOf(Error);
  const { name, message } = cause as Error;
  expect(name).toMatch(/^(Amqp091Error|ConnectionLost|AuthenticationError)$/);
  expect(message).not.toMatch(/undefined|is not a function|\[object|offset/);
}

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
let largest = 0;

beforeEach(() => {
  process.on("unhandledRejection", onUnhandled);
  largest = 0;
  const construct = (target: typeof Uint8Array, args: [number]): Uint8Array => {
    if (typeof args[0] === "number") largest = Math.max(largest, args[0]);
    return Reflect.construct(target, args) as Uint8Array;
  };
  vi.stubGlobal("Uint8Array", new Proxy(Uint8Array, { construct }));
});

afterEach(() => {
  process.off("unhandledRejection", onUnhandled);
  vi.unstubAllGlobals();
  expect(unhandled.splice(0)).toEqual([]);
});

/** Uses one channel in every way, until the connection ends. */
async function use(connection: Connection): Promise<void> {
  const deadline = new Deadlines().start({ ms: 60_000, expired: (phase) => new Error(`still in ${phase}`) });
  const channel = await connection.openChannel();
  const message = { ...BODY, properties: {}, mandatory: true, body: Buffer.from("message") };
  const consumer = { queue: "q", consumerTag: "1", onCancel() {} };
  const results = await Promise.allSettled([
    channel.request("queue.declare", { queue: "q" }),
    channel.consume({ ...consumer, onDelivery: (delivery) => delivery.ack() }),
    channel.confirmSelect(),
    channel.publish(message),
    channel.publish(message),
    channel.publish(message),
    channel.closed,
    channel.cancel("1"),
    channel.closed.then(() => channel.whenWritable(deadline)),
  ]);
  deadline.done();
  for (const result of results) if (result.status === "rejected") expectNamed(result.reason);
  expectNamed(await connection.closed);
}

describe("with any input from the peer", { timeout: 20_000 }, () => {
  it("with any input, a connection continues or ends with a named error, every wait ends, and no array beyond the limits is allocated", async () => {
    let opened = 0;
    await fc.assert(
      fc.asyncProperty(speech, async (said) => {
        const socket = new FakeSocket();
        let handlers: SocketHandlers = { data() {}, drain() {}, close() {} };
        const dial: Dial = async (_to, dialled) => {
          handlers = dialled;
          return socket;
        };
        const options = {
          mechanism: "PLAIN",
          credentials: GUEST,
          virtualHost: "/",
          clientProperties: {},
          heartbeatMs: 60_000,
          maxMessageBytes: MAX_MESSAGE_BYTES,
          onFrame: (described: object) => expect(JSON.stringify(described)).not.toBe(undefined),
        } as const;
        const connecting = connect(dial, TO, options, new AbortController().signal);
        const done = connecting.then((connection) => {
          opened++;
          return use(connection).catch(expectNamed);
        }, expectNamed);
        await turn();
        for (const piece of spoken(said)) {
          const startedMs = performance.now();
          handlers.data(Uint8Array.from(piece));
          await turn();
          expect(performance.now() - startedMs).toBeLessThan(LONGEST_BLOCK_MS);
        }
        handlers.close(new Error("hung up"));
        await done;
        expect(largest).toBeLessThanOrEqual(MAX_ALLOCATED_BYTES);
      }),
      LIMITS,
    );
    expect(opened).toBeGreaterThan(0);
  });

  it("any frame is described without an error", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 3, 8),
        fc.nat(2),
        fc.uint8Array({ maxLength: 80 }),
        (type, channel, payload) => {
          const described = describeFrame("in", frame(type, channel, payload));
          expect(described).toMatchObject({ direction: "in", channel, bytes: payload.length + 8 });
          expect(JSON.parse(JSON.stringify(described))).toMatchObject({ performative: described.performative });
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
