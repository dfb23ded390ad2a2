import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeMessage, type Message } from "@/src/core/messages/message.js";
import { Writer } from "@/src/core/types/writer.js";
import { type Bed, overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BAD_BODIES, BAD_CONTENTS, BAD_SECTIONS, textMessage } from "@/test/fixtures/peers/malformed-messages.js";
import { type Content, textContent } from "@/test/fixtures/peers/rabbit-raw-client.js";
import { enterRaw, type RawClient } from "@/test/fixtures/peers/raw-client.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { Stage } from "@/test/fixtures/stages/stage.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

type Malformed = readonly [what: string, message: Uint8Array | Content, reason: RegExp];

/** Malformed requests of AMQP 1.0 that a broker may change on the way, and what the server says of them. */
const NO_REQUESTS: readonly Malformed[] = [
  ["a megabyte of nonsense", encoded(textMessage("x".repeat(1024 * 1024))), /1048576 characters that cannot be parsed/],
  ["no body", encoded({}), /The body of a request is missing/],
  [
    "bytes that are not text",
    encoded({ body: { type: "data", bytes: Uint8Array.of(0xff) } }),
    /1 bytes that are not UTF-8 text/,
  ],
  [
    "an envelope of version 3.0",
    encoded(textMessage('{"request": {"oslo.version": "3.0", "oslo.message": "{}"}, "context": {}}')),
    /RPC envelope version, 3\.0, not supported by this endpoint/,
  ],
];

/** Messages of the protocol whose bodies a server and a listener refuse. */
function malformed({ messages }: Bed): readonly Malformed[] {
  return messages === "AMQP 1.0" ? [...NO_REQUESTS, ...BAD_BODIES] : BAD_CONTENTS;
}

overEveryBed("A server that gets malformed messages", (bed) => {
  let rawClient: RawClient;

  beforeAll(async () => {
    rawClient = await enterRaw(bed);
  });

  afterAll(async () => {
    await rawClient[Symbol.asyncDispose]();
  });

  test.each([...malformed(bed), ...(bed.embedded ? BAD_SECTIONS : [])])(
    "a server rejects %s, logs its size and the reason, and goes on serving",
    expectRejected,
  );

  async function expectRejected(_what: string, message: Uint8Array | Content, reason: RegExp): Promise<void> {
    await using stage = new Stage(bed, "bad");
    await stage.serve("a", [{ echo: (_context: object, { arg }: { arg: unknown }) => arg }]);
    const outcome = await rawClient.send({ topic: stage.topic }, message);
    if (bed.acknowledgesEndToEnd) {
      const error = { condition: "amqp:decode-error", description: expect.stringMatching(reason) };
      expect(outcome).toEqual({ type: "rejected", error });
    } else {
      expect(outcome).toEqual({ type: "accepted" });
    }
    const client = await stage.client();
    expect(await client.call({}, "echo", { arg: "served" })).toBe("served");
    expect(stage.logger.lines).toEqual([
      {
        level: "warn",
        message: expect.stringMatching(
          `^rejected a message of ${sizeOf(message)} bytes (on \\S+|from queue )${stage.topic}: .*${reason.source}`,
        ),
        fields: undefined,
      },
    ]);
  }

  function sizeOf(message: Uint8Array | Content): string {
    if ("body" in message) return `${message.body.length}`;
    return bed.embedded ? `${message.length}` : "\\d+"; // another broker of AMQP 1.0 may add to the message
  }
});

overEveryBed("A listener that gets malformed messages", (bed) => {
  const test = withStage(bed);

  test("a listener rejects unreadable notifications, discards invalid ones, and handles the next one", {
    tags: ["rpc:server:unreadable-request"],
  }, async ({ stage, rawClient }) => {
    const seen = new Inbox<string>("the listener");
    const info = (_context: object, _publisherId: string, eventType: string): void => seen.put(eventType);
    await stage.listen([{ info }], { allowRequeue: true });
    const target = { topic: `${stage.topic}.info` };
    for (const [, message] of malformed(bed)) await rawClient.send(target, message, "notify");
    const unknown = [{}, { priority: 1 }, { priority: "constructor" }, { priority: "urgent" }];
    // A message of AMQP 0-9-1 is the notification itself, and unreadable when it is no object.
    const dropped = bed.messages === "AMQP 1.0" ? [[1], null, ...unknown] : unknown;
    for (const notification of dropped) {
      expect(await rawClient.send(target, messageOf(notification), "notify")).toEqual({ type: "accepted" });
    }
    await rawClient.send(target, messageOf({ priority: "INFO", event_type: "a good one" }), "notify");
    await seen.take("a good one", (eventType) => eventType === "a good one" || undefined);
    expect(seen.unread).toEqual([]);
    const warnings = stage.logger.of("warn");
    // Each kind is logged once, however many messages there are.
    expect(warnings.filter((line) => /^rejected a message of \d+ bytes/.test(line))).toHaveLength(1);
    expect(warnings.filter((line) => /^discarded a notification/.test(line))).toEqual([
      ...(bed.messages === "AMQP 1.0" ? ["discarded a notification that is not an object"] : []),
      "discarded a notification with an unknown priority",
    ]);
  });

  function messageOf(notification: unknown): Message | Content {
    return bed.messages === "AMQP 1.0"
      ? textMessage(JSON.stringify({ request: notification }))
      : textContent(JSON.stringify(notification));
  }
});

function encoded(message: Message): Uint8Array {
  const writer = new Writer();
  encodeMessage(writer, message);
  return writer.take();
}
