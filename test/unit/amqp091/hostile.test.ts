import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "@/src/amqp091/connection.js";
import { consumerWith, publisherWith } from "@/test/fixtures/beds/raw-broker-bed.js";
import {
  connectTo,
  frame,
  headerFrame,
  methodFrame,
  RawBroker,
  rawHeaderFrame,
  START,
  TUNE,
} from "@/test/fixtures/peers/raw-broker.js";
import { turn } from "@/test/fixtures/stages/turn.js";

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

beforeEach(() => void process.on("unhandledRejection", onUnhandled));
afterEach(() => {
  process.off("unhandledRejection", onUnhandled);
  expect(unhandled.splice(0)).toEqual([]);
});

const DELIVER = { consumerTag: "1", deliveryTag: 1, exchange: "x", routingKey: "k" };
const deliver = methodFrame(1, "basic.deliver", DELIVER);

/** A table of `levels` tables in each other. */
function nestedTable(levels: number): Buffer {
  const prefixes = Array.from({ length: levels }, (_, level) => {
    const prefix = Buffer.from("\0\0\0\0\x01aF");
    prefix.writeUInt32BE(7 * (levels - level - 1) + 3 + 4);
    return prefix;
  });
  return Buffer.concat([...prefixes, Buffer.alloc(4)]);
}

function start(serverProperties: Buffer, mechanisms = Buffer.from("PLAIN")): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(mechanisms.length);
  const head = Buffer.from("000a000a0009", "hex");
  return frame(1, 0, Buffer.concat([head, serverProperties, size, mechanisms, Buffer.alloc(4)]));
}

/** Input in the place of connection.start, with the error of the client. */
const INSTEAD_OF_START: readonly [string, Uint8Array | string, string][] = [
  ["an AMQP 1.0 peer", "AMQP\0\x01\0\0", "the peer speaks AMQP 1.0, not AMQP 0-9-1 (540)"],
  [
    "an AMQP 1.0 peer that requires SASL",
    "AMQP\x03\x01\0\0",
    "the peer speaks AMQP 1.0 with SASL, not AMQP 0-9-1: use amqp:// or amqp+ws:// (540)",
  ],
  ["an AMQP 0-10 peer", "AMQP\x01\x01\0\x0a", "the peer speaks AMQP 0-10, not AMQP 0-9-1 (540)"],
  ["a web server", "HTTP/1.1 400 Bad Request\r\n\r\n", "the peer speaks HTTP, not AMQP 0-9-1 (540)"],
  [
    "seven bytes with a size of 4 GiB",
    Buffer.from("010000fffffff8", "hex"),
    "FRAME_ERROR - frame of 4294967296 bytes, at most 131072 (501)",
  ],
  ["a frame of zeros", Buffer.alloc(8), "the peer speaks an unknown protocol (0x00000000000000), not AMQP 0-9-1 (540)"],
  [
    "version 0-8",
    methodFrame(0, "connection.start", { ...START, versionMinor: 8 }),
    "NOT_IMPLEMENTED - the peer speaks AMQP 0-8, not AMQP 0-9 (540)",
  ],
  ["properties nested 10,000 deep", start(nestedTable(10_000)), "SYNTAX_ERROR - table nested more than 16 deep (502)"],
  [
    "properties of an unknown type",
    start(Buffer.from("\0\0\0\x04\x01a?\0")),
    "SYNTAX_ERROR - unknown field type 0x3f (502)",
  ],
  [
    "properties beyond the frame",
    start(Buffer.from("7fffffff", "hex")),
    "SYNTAX_ERROR - 2147483647 bytes needed, 13 left (502)",
  ],
  ["a method of two bytes", frame(1, 0, Buffer.of(0, 10)), "SYNTAX_ERROR - 2 bytes needed, 0 left (502)"],
  ["an unknown method", frame(1, 0, Buffer.of(0, 99, 0, 1)), "NOT_IMPLEMENTED - unknown method 1 of class 99 (540)"],
  [
    "connection.tune",
    methodFrame(0, "connection.tune", TUNE),
    "COMMAND_INVALID - connection.tune where connection.start was expected (503)",
  ],
  ["content on channel 0", frame(3, 0, Buffer.of(1)), "UNEXPECTED_FRAME - content on channel 0 (505)"],
  ["a method on channel 1", deliver, "CHANNEL_ERROR - channel 1 is not open (504)"],
];

/** Input on an open connection with a consumer on channel 1, with the error of the client. */
const WHILE_OPEN: readonly [string, Uint8Array, string][] = [
  [
    "a wrong frame end",
    Buffer.concat([deliver.subarray(0, -1), Buffer.of(0)]),
    "FRAME_ERROR - frame of type 1 ends with 0x00, not 0xce (501)",
  ],
  [
    "an unknown frame type",
    frame(7, 1, Buffer.of(1)),
    "the peer speaks an unknown protocol (0x07000100000001), not AMQP 0-9-1 (540)",
  ],
  [
    "a protocol header",
    Buffer.from("AMQP\0\0\x09\x01"),
    "UNEXPECTED_FRAME - the peer answers with a protocol header (505)",
  ],
  [
    "a frame beyond frame-max",
    frame(3, 1, Buffer.alloc(131_065)),
    "FRAME_ERROR - frame of 131073 bytes, at most 131072 (501)",
  ],
  [
    "a body alone",
    frame(3, 1, Buffer.of(1)),
    "UNEXPECTED_FRAME - content body without the frame that precedes it (505)",
  ],
  [
    "a content header alone",
    headerFrame(1, 1),
    "UNEXPECTED_FRAME - content header without the frame that precedes it (505)",
  ],
  [
    "a body before its header",
    Buffer.concat([deliver, frame(3, 1, Buffer.of(1))]),
    "UNEXPECTED_FRAME - content body without the frame that precedes it (505)",
  ],
  [
    "two content headers",
    Buffer.concat([deliver, headerFrame(1, 1), headerFrame(1, 1)]),
    "UNEXPECTED_FRAME - content header without the frame that precedes it (505)",
  ],
  [
    "a method in the place of a header",
    Buffer.concat([deliver, deliver]),
    "UNEXPECTED_FRAME - method where content was expected (505)",
  ],
  [
    "a method in the place of a body",
    Buffer.concat([deliver, headerFrame(1, 5), deliver]),
    "UNEXPECTED_FRAME - method where content was expected (505)",
  ],
  [
    "a body that is too long",
    Buffer.concat([deliver, headerFrame(1, 2), frame(3, 1, Buffer.alloc(3))]),
    "FRAME_ERROR - body of 3 bytes, 2 announced (501)",
  ],
  [
    "a body of a tebibyte",
    Buffer.concat([deliver, headerFrame(1, 2 ** 40)]),
    "FRAME_ERROR - body of 1099511627776 bytes announced (501)",
  ],
  [
    "a body of 2^64-1 bytes",
    Buffer.concat([deliver, rawHeaderFrame(1, 2n ** 64n - 1n, Buffer.alloc(2))]),
    "SYNTAX_ERROR - integer above 2^53: 18446744073709552000 (502)",
  ],
  [
    "a content header of another class",
    Buffer.concat([deliver, frame(2, 1, Buffer.alloc(14))]),
    "FRAME_ERROR - content header of class 0, not 60 (501)",
  ],
  ["a short deliver", frame(1, 1, Buffer.from("003c003c", "hex")), "SYNTAX_ERROR - 1 bytes needed, 0 left (502)"],
  ["a short ack", frame(1, 1, Buffer.from("003c00500000", "hex")), "SYNTAX_ERROR - 4 bytes needed, 2 left (502)"],
  [
    "a delivery tag beyond 2^53",
    frame(1, 1, Buffer.from("003c003c0131ffffffffffffffff000000", "hex")),
    "SYNTAX_ERROR - integer above 2^53: 18446744073709552000 (502)",
  ],
  [
    "an answer that was not asked for",
    methodFrame(1, "queue.declare-ok"),
    "COMMAND_INVALID - queue.declare-ok where no answer was expected (503)",
  ],
  ["a method of a client", methodFrame(1, "queue.declare"), "COMMAND_INVALID - unexpected queue.declare (503)"],
  [
    "channel.close-ok without a close",
    methodFrame(1, "channel.close-ok"),
    "COMMAND_INVALID - unexpected channel.close-ok (503)",
  ],
  [
    "connection.open-ok again",
    methodFrame(0, "connection.open-ok"),
    "COMMAND_INVALID - unexpected connection.open-ok on channel 0 (503)",
  ],
  ["a method of a channel on channel 0", deliverOn(0), "COMMAND_INVALID - unexpected basic.deliver on channel 0 (503)"],
  ["a frame of a channel that is not open", deliverOn(2), "CHANNEL_ERROR - channel 2 is not open (504)"],
  [
    "connection.close with a reply text beyond the frame",
    frame(1, 0, Buffer.from("000a003200c8ff61", "hex")),
    "SYNTAX_ERROR - 255 bytes needed, 1 left (502)",
  ],
];

function deliverOn(channel: number): Uint8Array {
  return methodFrame(channel, "basic.deliver", DELIVER);
}

/** The bytes whole, and one by one. */
const CUTS = [Number.POSITIVE_INFINITY, 1];

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  if (size >= bytes.length) return [bytes];
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

async function expectEnd(connection: Connection, broker: RawBroker, message: string): Promise<void> {
  const error = await connection.closed;
  expect(error).toMatchObject({ name: "Amqp091Error", message });
  await broker.closed;
}

describe("a peer that is no broker of AMQP 0-9-1", () => {
  it.each(INSTEAD_OF_START)(
    "%s in the place of connection.start is an error of connect that says so",
    async (_, said, message) => {
      for (const cut of CUTS) {
        const broker = new RawBroker();
        const connecting = connectTo(broker);
        const failed = expect(connecting).rejects.toMatchObject({ name: "Amqp091Error", message });
        await broker.next("header");
        for (const piece of pieces(Buffer.from(said as string, "latin1"), cut)) broker.sendBytes(piece);
        await failed;
        await broker.closed;
        expect(broker.received.unread).toEqual([]);
      }
    },
  );

  it("a peer that closes the stream at once is an error of connect", async () => {
    const broker = new RawBroker();
    const failed = expect(connectTo(broker)).rejects.toThrow("closed by the peer before the connection was open");
    await broker.next("header");
    broker.hangUp();
    await failed;
  });

  it("connection.secure is an error of connect", async () => {
    const broker = new RawBroker();
    const failed = expect(connectTo(broker)).rejects.toThrow("COMMAND_INVALID - PLAIN has no challenge (503)");
    await broker.next("header");
    broker.send(0, "connection.start", START);
    await broker.next("connection.start-ok");
    broker.send(0, "connection.secure", { challenge: Buffer.from("?") });
    await failed;
  });
});

describe("a peer that violates the protocol", () => {
  it.each(WHILE_OPEN)("%s ends the connection with an error that the peer is told", async (_, said, message) => {
    for (const cut of CUTS) {
      const { broker, connection, channel, deliveries } = await consumerWith();
      const waiting = channel.closed;
      for (const piece of pieces(said, cut)) broker.sendBytes(piece);
      await expectEnd(connection, broker, message);
      expect(await waiting).toMatchObject({ message });
      expect((await broker.next("connection.close")).fields).toMatchObject({
        replyCode: Number(message.slice(-4, -1)),
        replyText: message.slice(0, -6),
      });
      expect(deliveries).toEqual([]);
    }
  });

  it("every promise settles", async () => {
    const { broker, connection, channel } = await publisherWith();
    const settled = Promise.allSettled([
      channel.request("queue.declare", { queue: "q" }),
      channel.consume({ queue: "q", consumerTag: "1", onDelivery() {}, onCancel() {} }),
      channel.cancel("2"),
      channel.confirmSelect(),
      channel.publish({ exchange: "", routingKey: "q", properties: {}, body: Buffer.from("m") }),
      channel.closed,
      connection.openChannel(),
      connection.updateSecret("s", "r"),
      connection.closed,
    ]);
    await broker.next("queue.declare");
    broker.sendBytes(frame(3, 1, Buffer.of(1)));
    const states = (await settled).map(({ status }) => status);
    expect(states.filter((status) => status === "rejected")).toHaveLength(6);
    await channel.close();
    await connection.close();
  });

  it("frames after the end of the connection are ignored", async () => {
    const { broker, connection, deliveries } = await consumerWith();
    broker.sendBytes(Buffer.concat([frame(3, 1, Buffer.of(1)), deliver, headerFrame(1, 0)]));
    broker.sendBytes(Buffer.concat([deliver, headerFrame(1, 0)]));
    await connection.closed;
    await turn();
    expect(deliveries).toEqual([]);
  });
});

describe("unusual frames", () => {
  it.each([
    ["a heartbeat on another channel with a payload", frame(8, 9, Buffer.of(1, 2))],
    ["an ack of a message that was not published", methodFrame(1, "basic.ack", { deliveryTag: 77, multiple: true })],
    ["a cancel of an unknown consumer", methodFrame(1, "basic.cancel", { consumerTag: "x", noWait: true })],
    [
      "headers nested 15,000 deep",
      Buffer.concat([deliver, rawHeaderFrame(1, 0, Buffer.concat([Buffer.of(0x20, 0), nestedTable(15_000)]))]),
    ],
    [
      "headers of an unknown type",
      Buffer.concat([deliver, rawHeaderFrame(1, 0, Buffer.from("\x20\0\0\0\0\x04\x01a?\0"))]),
    ],
    [
      "empty body frames",
      Buffer.concat([deliver, headerFrame(1, 1), frame(3, 1, Buffer.alloc(0)), frame(3, 1, Buffer.of(1))]),
    ],
  ])("%s does not end the connection", async (_, said) => {
    const { broker, connection, channel } = await consumerWith();
    broker.sendBytes(said);
    const purged = channel.request("queue.purge", { queue: "q" });
    await broker.next("queue.purge");
    broker.send(1, "queue.purge-ok", { messageCount: 1 });
    expect(await purged).toEqual({ messageCount: 1 });
    expect(connection.isOpen).toBe(true);
  });
});
