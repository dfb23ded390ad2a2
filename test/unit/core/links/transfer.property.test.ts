import fc from "fast-check";
import { expect, it } from "vitest";
import type { Accept, Dial } from "@/src/core/byte-stream.js";
import type { Connection } from "@/src/core/connection/connection.js";
import { accept, connect } from "@/src/core/connection/handshake.js";
import type { Delivery } from "@/src/core/links/delivery.js";
import type { DeliveryState } from "@/src/core/messages/outcome.js";
import { Authenticator } from "@/src/core/sasl/server/authenticator.js";
import { memoryDial } from "@/src/transports/memory.js";

const TO = { scheme: "amqp+memory", hostname: "shredder", port: 0 };

/** Outcomes with which the receiver settles messages; `state` is an index. */
const STATES: readonly DeliveryState[] = [
  { type: "accepted" },
  { type: "released" },
  { type: "modified", deliveryFailed: true, undeliverableHere: false },
  { type: "modified", deliveryFailed: false, undeliverableHere: true },
  { type: "rejected", error: { condition: "test:no", description: "no" } },
];

interface Traffic {
  /** Sizes of the pieces in which bytes arrive, repeated. */
  cuts: readonly number[];
  credit: number;
  /** For each message: its link, its size, whether it is sent settled, its outcome, and the deliveries to hold it for. */
  messages: readonly { link: number; bytes: number; settled: boolean; state: number; hold: number }[];
}

const traffic = fc.record<Traffic>({
  cuts: fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }),
  credit: fc.integer({ min: 1, max: 20 }),
  messages: fc.array(
    fc.record({
      link: fc.integer({ min: 0, max: 2 }),
      bytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 60_000, max: 200_000 })),
      settled: fc.boolean(),
      state: fc.integer({ min: 0, max: STATES.length - 1 }),
      hold: fc.integer({ min: 0, max: 5 }),
    }),
    { minLength: 1, maxLength: 60 },
  ),
});

it("every message is delivered whole, in order on its link, with its own outcome, for any fragmentation of the bytes", async () => {
  await fc.assert(fc.asyncProperty(traffic, run), { numRuns: 60 });
});

async function run({ cuts, credit, messages }: Traffic): Promise<void> {
  const delivered: number[][] = [[], [], []];
  const held: (() => void)[] = [];
  const onDelivery = (link: number, delivery: Delivery): void => {
    const number = numberOf(delivery.payload);
    delivered[link]?.push(number);
    const message = messages[number];
    expect(delivery.payload.length).toBe(4 + (message?.bytes ?? 0));
    expect(delivery.payload.subarray(4).every((byte) => byte === number % 251)).toBe(true);
    expect(delivery.settled).toBe(message?.settled);
    const answer = (): void => delivery.settle(STATES[message?.state ?? 0] ?? { type: "accepted" });
    // Settled out of order, some deliveries later, but before the credit runs out for good.
    held.push(answer);
    if (held.length > Math.min(message?.hold ?? 0, credit - 1)) for (const settle of held.splice(0).reverse()) settle();
  };
  const { connection, serverClosed } = await connected(cuts, (socket, onServer) =>
    accept(socket, {
      containerId: "server",
      sasl: new Authenticator(),
      onFailure: (error) => expect.fail(error.message),
      onOpen: onServer,
      onLink: (request) => {
        const link = Number(request.name);
        request.acceptReceiver({
          source: {},
          target: request.target ?? {},
          credit,
          onDelivery: (delivery) => onDelivery(link, delivery),
        });
      },
    }),
  );
  const senders = await Promise.all(
    ["0", "1", "2"].map((name) => connection.openSender({ name, source: {}, target: { address: "q" } })),
  );
  const sent = messages.map(({ link, bytes, settled }, number) =>
    senders[link]?.send(payload(number, bytes), { settled }),
  );
  const settling = flushHeld(held, sent);
  const outcomes = await Promise.all(sent);
  await settling;
  expect(outcomes).toEqual(messages.map(({ settled, state }) => (settled ? STATES[0] : STATES[state])));
  await connection.close();
  expect(await serverClosed).toBeDefined();
  for (const [link, numbers] of delivered.entries()) {
    expect(numbers).toEqual(messages.flatMap((message, number) => (message.link === link ? [number] : [])));
  }
}

/** Settles the held deliveries until every outcome is known. */
async function flushHeld(held: (() => void)[], sent: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  let open = sent.length;
  for (const outcome of sent) void outcome?.finally(() => open--);
  while (open > 0) {
    await new Promise((resolve) => setImmediate(resolve));
    for (const settle of held.splice(0)) settle();
  }
}

function payload(number: number, bytes: number): Uint8Array {
  const whole = new Uint8Array(4 + bytes).fill(number % 251);
  new DataView(whole.buffer).setUint32(0, number);
  return whole;
}

function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

/** A connection whose bytes arrive, in both directions, in pieces of the given sizes. */
async function connected(
  cuts: readonly number[],
  serve: (socket: Parameters<Accept>[0], onServer: (connection: Connection) => void) => ReturnType<Accept>,
) {
  let server: Connection | undefined;
  const cutDial: Dial = (to, on, signal) => {
    const inner = memoryDial((socket) =>
      shredded(
        serve(socket, (connection) => {
          server = connection;
        }),
        cuts,
      ),
    );
    return inner(to, shredded(on, cuts), signal);
  };
  const options = { containerId: "client", sasl: { credentials: undefined } };
  const connection = await connect(cutDial, TO, options, new AbortController().signal);
  return { connection, serverClosed: server?.closed };
}

function shredded(on: ReturnType<Accept>, cuts: readonly number[]): ReturnType<Accept> {
  let turn = 0;
  return {
    data(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const length = cuts[turn++ % cuts.length] ?? 1;
        on.data(bytes.subarray(at, at + length));
        at += length;
      }
    },
    drain: () => on.drain(),
    close: (error) => on.close(error),
  };
}
