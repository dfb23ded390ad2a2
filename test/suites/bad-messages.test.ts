import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeMessage, type Message } from "@/src/core/messages/message.js";
import { Writer } from "@/src/core/types/writer.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BAD_BODIES, BAD_SECTIONS, textMessage } from "@/test/fixtures/peers/malformed-messages.js";
import { RawClient } from "@/test/fixtures/peers/raw-client.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { Stage } from "@/test/fixtures/stages/stage.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

/** Malformed requests that a broker may change on the way, and what the server says of them. */
const NO_REQUESTS: readonly [what: string, message: Message, reason: RegExp][] = [
  ["a megabyte of nonsense", textMessage("x".repeat(1024 * 1024)), /1048576 characters that cannot be parsed/],
  ["no body", {}, /The body of a request is missing/],
  [
    "bytes that are not text",
    { body: { type: "data", bytes: Uint8Array.of(0xff) } },
    /1 bytes that are not UTF-8 text/,
  ],
  [
    "an envelope of version 3.0",
    textMessage('{"request": {"oslo.version": "3.0", "oslo.message": "{}"}, "context": {}}'),
    /RPC envelope version, 3\.0, not supported by this endpoint/,
  ],
];

overEveryBed("A server that gets malformed messages", (bed) => {
  let rawClient: RawClient;

  beforeAll(async () => {
    rawClient = await RawClient.enter(bed);
  });

  afterAll(async () => {
    await rawClient[Symbol.asyncDispose]();
  });

  test.each([
    ...NO_REQUESTS.map(([what, message, reason]) => [what, encoded(message), reason] as const),
    ...(bed.embedded ? [...BAD_BODIES, ...BAD_SECTIONS] : BAD_BODIES),
  ])("a server rejects %s, logs its size and the reason, and goes on serving", expectRejected);

  async function expectRejected(_what: string, payload: Uint8Array, reason: RegExp): Promise<void> {
    await using stage = new Stage(bed, "bad");
    await stage.serve("a", [{ echo: (_context: object, { arg }: { arg: unknown }) => arg }]);
    const outcome = await rawClient.send({ topic: stage.topic }, payload);
    if (bed.acknowledgesEndToEnd) {
      const error = { condition: "amqp:decode-error", description: expect.stringMatching(reason) };
      expect(outcome).toEqual({ type: "rejected", error });
    } else {
      expect(outcome).toEqual({ type: "accepted" });
    }
    const client = await stage.client();
    expect(await client.call({}, "echo", { arg: "served" })).toBe("served");
    // A broker of another product may add to the message.
    const size = bed.embedded ? payload.length : "\\d+";
    expect(stage.logger.lines).toEqual([
      {
        level: "warn",
        message: expect.stringMatching(
          `^rejected a message of ${size} bytes on \\S+${stage.topic}: .*${reason.source}`,
        ),
        fields: undefined,
      },
    ]);
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
    const rejected = [
      ...NO_REQUESTS.map(([, message]) => encoded(message)),
      ...BAD_BODIES.map(([, payload]) => payload),
    ];
    for (const payload of rejected) await rawClient.send(target, payload, "notify");
    const dropped = [[1], null, {}, { priority: 1 }, { priority: "constructor" }, { priority: "urgent" }];
    for (const request of dropped) {
      expect(await rawClient.send(target, textMessage(JSON.stringify({ request })), "notify")).toEqual({
        type: "accepted",
      });
    }
    const last = { request: { priority: "INFO", event_type: "a good one" } };
    await rawClient.send(target, textMessage(JSON.stringify(last)), "notify");
    await seen.take("a good one", (eventType) => eventType === "a good one" || undefined);
    expect(seen.unread).toEqual([]);
    const warnings = stage.logger.of("warn");
    // Each kind is logged once, however many messages there are.
    expect(warnings.filter((line) => /^rejected a message of \d+ bytes/.test(line))).toHaveLength(1);
    expect(warnings.filter((line) => /^discarded a notification/.test(line))).toEqual([
      "discarded a notification that is not an object",
      "discarded a notification with an unknown priority",
    ]);
  });
});

function encoded(message: Message): Uint8Array {
  const writer = new Writer();
  encodeMessage(writer, message);
  return writer.take();
}
