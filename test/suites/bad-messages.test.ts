import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeMessage, type Message } from "@/src/core/messages/message.js";
import { Writer } from "@/src/core/types/writer.js";
import type { RPCClient } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BAD_BODIES, BAD_SECTIONS, textMessage } from "@/test/fixtures/peers/malformed-messages.js";
import { RawClient } from "@/test/fixtures/peers/raw-client.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

/** Requests whose body can be decoded, and is none: and what the server says of it. */
const NO_REQUESTS: readonly [what: string, message: Message, told: RegExp][] = [
  [
    "text that is not JSON",
    textMessage('{"request": '),
    /The body of a request is not JSON: 12 characters that cannot/,
  ],
  ["JSON that is a list", textMessage("[1]"), /The body of a request is not a JSON object but a list/],
  ["JSON of Python's", textMessage('{"request": NaN}'), /NaN at character 12 is Python's, not JSON's/],
  [
    "JSON that is nested too deeply",
    textMessage(`{"request":${"[".repeat(100_000)}`),
    /The body of a request is not JSON/,
  ],
  ["a megabyte of nonsense", textMessage("x".repeat(1024 * 1024)), /1048576 characters that cannot be parsed/],
  ["an object without a request", textMessage('{"context": {}}'), /The body of a request has no "request"/],
  [
    "a context that is a list",
    textMessage('{"request": {}, "context": []}'),
    /The context of a request is not an object/,
  ],
  ["no body", {}, /The body of a request is missing/],
  ["a body that is null", { body: { type: "value", value: null } }, /The body of a request is missing/],
  [
    "bytes that are not text",
    { body: { type: "data", bytes: Uint8Array.of(0xff) } },
    /1 bytes that are not UTF-8 text/,
  ],
  ["an envelope of version 3.0", enveloped("3.0", "{}"), /RPC envelope version, 3\.0, not supported by this endpoint/],
  ["an envelope of version 2.1", enveloped("2.1", "{}"), /RPC envelope version, 2\.1, not supported by this endpoint/],
  ["an envelope without a version", enveloped(7, "{}"), /RPC envelope version, a number, not supported/],
  ["an envelope of what is not JSON", enveloped("2.0", "{"), /"oslo\.message" is not JSON/],
  ["an envelope of what is not text", enveloped("2.0", {}), /"oslo\.message" is not JSON text but an object/],
];

overEveryBed("A live server", (bed) => {
  let stage: Stage;
  let stranger: RawClient;
  let client: RPCClient;

  beforeAll(async () => {
    stage = new Stage(bed, "bad");
    stranger = await RawClient.enter(bed);
    await stage.serve("a", [{ echo: (_context: object, { arg }: { arg: unknown }) => arg }]);
    client = await stage.client();
  });

  afterAll(async () => {
    await stranger[Symbol.asyncDispose]();
    await stage[Symbol.asyncDispose]();
  });

  describe("rejects and logs, by its size and what is wrong with it, and serves on after", () => {
    test.each(NO_REQUESTS)("%s", (_what, message, told) => expectRejected(encoded(message), told));

    test.each(bed.embedded ? [...BAD_BODIES, ...BAD_SECTIONS] : BAD_BODIES)("%s", (_what, payload, told) =>
      expectRejected(payload, told),
    );
  });

  async function expectRejected(payload: Uint8Array, told: RegExp): Promise<void> {
    const before = stage.logger.lines.length;
    const outcome = await stranger.send({ topic: stage.topic }, payload);
    if (bed.acknowledgesEndToEnd) {
      const error = { condition: "amqp:decode-error", description: expect.stringMatching(told) };
      expect(outcome).toEqual({ type: "rejected", error });
    } else {
      expect(outcome).toEqual({ type: "accepted" });
    }
    expect(await client.call({}, "echo", { arg: "served on" })).toBe("served on");
    const logged = stage.logger.lines.slice(before);
    // A broker that is not ours may add to it on the way.
    const size = bed.embedded ? payload.length : "\\d+";
    expect(logged).toEqual([
      {
        level: "warn",
        message: expect.stringMatching(`^rejected a message of ${size} bytes on \\S+${stage.topic}: .*${told.source}`),
        fields: undefined,
      },
    ]);
  }
});

overEveryBed("A live listener", (bed) => {
  test("outlives notifications that are none, and lets go of them", {
    tags: ["rpc:server:unreadable-request"],
  }, async () => {
    await using stage = new Stage(bed, "bad notifications");
    await using stranger = await RawClient.enter(bed);
    const seen = new Inbox<string>("the listener");
    const info = (_context: object, _publisherId: string, eventType: string): void => seen.put(eventType);
    await stage.listen([{ info }], { allowRequeue: true });
    const target = { topic: `${stage.topic}.info` };
    const rejected = [
      ...NO_REQUESTS.map(([, message]) => encoded(message)),
      ...BAD_BODIES.map(([, payload]) => payload),
    ];
    for (const payload of rejected) await stranger.send(target, payload, "notify");
    const dropped = [[1], null, {}, { priority: 1 }, { priority: "constructor" }, { priority: "urgent" }];
    for (const request of dropped) {
      expect(await stranger.send(target, textMessage(JSON.stringify({ request })), "notify")).toEqual({
        type: "accepted",
      });
    }
    const last = { request: { priority: "INFO", event_type: "a good one" } };
    await stranger.send(target, textMessage(JSON.stringify(last)), "notify");
    await seen.take("a good one", (eventType) => eventType === "a good one" || undefined);
    expect(seen.unread).toEqual([]);
    const warnings = stage.logger.of("warn");
    expect(warnings.filter((line) => /^rejected a message of \d+ bytes/.test(line))).toHaveLength(rejected.length);
    expect(warnings.filter((line) => /^discarded a notification/.test(line))).toHaveLength(dropped.length);
  });
});

function enveloped(version: unknown, message: unknown): Message {
  return textMessage(JSON.stringify({ request: { "oslo.version": version, "oslo.message": message }, context: {} }));
}

function encoded(message: Message): Uint8Array {
  const writer = new Writer();
  encodeMessage(writer, message);
  return writer.take();
}
