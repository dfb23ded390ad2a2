import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Delivery } from "@/src/core/links/delivery.js";
import type { Message, MessageId } from "@/src/core/messages/message.js";
import { Uuid } from "@/src/core/types/uuid.js";
import type { RPCClient } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BAD_BODIES, textMessage } from "@/test/fixtures/peers/malformed-messages.js";
import { RawClient } from "@/test/fixtures/peers/raw-client.js";
import type { Inbox } from "@/test/fixtures/stages/inbox.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

/** Requests that can be read and not be served, and what their sender is told. */
const UNSERVED: readonly [what: string, request: unknown, told: object][] = [
  ["a list", [1], { class: "RPCDispatcherError", message: "A request must be an object" }],
  ["null", null, { class: "RPCDispatcherError", message: "A request must be an object" }],
  ["no method", {}, { class: "RPCDispatcherError", message: "A request must name its method" }],
  ["a method that is a number", { method: 1 }, { class: "RPCDispatcherError" }],
  ["the method constructor", { method: "constructor" }, { class: "NoSuchMethod" }],
  ["the method __proto__", { method: "__proto__" }, { class: "NoSuchMethod" }],
  ["the method toString", { method: "toString" }, { class: "NoSuchMethod" }],
  [
    "arguments that are a list",
    { method: "echo", args: [1] },
    { class: "RPCDispatcherError", message: "The args of RPC method echo must be an object" },
  ],
  [
    "a namespace that is a number",
    { method: "echo", namespace: 1 },
    { class: "RPCDispatcherError", message: "The namespace of RPC method echo must be a string" },
  ],
  [
    "a version that is none",
    { method: "echo", version: "new" },
    { class: "UnsupportedVersion", message: "Endpoint does not support RPC version new. Attempted method: echo" },
  ],
  ["a version that is a number", { method: "echo", version: 1 }, { class: "RPCDispatcherError" }],
];

const IDS: readonly [what: string, id: MessageId | undefined][] = [
  ["text", "an id"],
  ["empty text", ""],
  ["a number", 2n ** 64n - 1n],
  ["the number 0", 0n],
  ["a UUID", new Uuid(Uint8Array.from({ length: 16 }, (_, index) => index))],
  ["bytes", Uint8Array.of(0, 255, 1)],
  ["none", undefined],
];

overEveryBed("A live server", (bed) => {
  let stage: Stage;
  let stranger: RawClient;
  let mailbox: { address: string; inbox: Inbox<Delivery> };
  let client: RPCClient;

  beforeAll(async () => {
    stage = new Stage(bed, "bad");
    stranger = await RawClient.enter(bed);
    mailbox = await stranger.openMailbox();
    await stage.serve("a", [{ echo: (_context: object, { arg }: { arg: unknown }) => arg ?? null }], {
      acceptReplyTo: (address) => !address.includes("refused"),
    });
    client = await stage.client();
  });

  afterAll(async () => {
    await stranger[Symbol.asyncDispose]();
    await stage[Symbol.asyncDispose]();
  });

  test.each(UNSERVED)(
    "answers a request that it cannot serve: %s",
    { tags: ["rpc:dispatch:bad-request"] },
    async (_what, request, told) => {
      const reply = await answerTo(requestOf(request, { messageId: "x" }));
      expect(reply.correlationId).toBe("x");
      const { failure, ...rest } = bodyOf(reply);
      expect(rest).toEqual({});
      expect(JSON.parse(String(failure))).toMatchObject({ module: "oslo_messaging.rpc.dispatcher", tb: [], ...told });
    },
  );

  test.each(IDS)("answers with the id that the request has: %s", async (_what, messageId) => {
    const reply = await answerTo(requestOf({ method: "echo", args: { arg: 1 } }, { messageId }));
    expect(reply.correlationId).toEqual(messageId);
    expect(bodyOf(reply)).toEqual({ response: 1 });
  });

  test("takes arguments and a context of hostile names for what they are: data", async () => {
    const text =
      '{"request":{"method":"echo","args":{"__proto__":{"arg":1},"arg":{"__proto__":2}}},"context":{"__proto__":3}}';
    const reply = await answerTo(textMessage(text));
    expect(Reflect.get({}, "arg")).toBeUndefined();
    expect(bodyOf(reply)).toEqual({ response: JSON.parse('{"__proto__":2}') });
  });

  test.each([
    ["is longer than any", "x".repeat(1_025), /no reply is sent to an address of 1025 characters/],
    ["its acceptReplyTo refuses", "refused", /no reply is sent to a refused address/],
  ])("does the work and sends no reply when the address for it %s", async (_what, replyTo, logged) => {
    await stranger.send({ topic: stage.topic }, requestOf({ method: "echo" }, { replyTo }));
    expect(await client.call({}, "echo", { arg: "served on" })).toBe("served on");
    expect(stage.logger.of("warn")).toContainEqual(expect.stringMatching(logged));
  });

  test("serves on when nobody is at the address for the reply", { tags: ["rpc:server:reply-not-taken"] }, async () => {
    for (const replyTo of ["nobody", stage.topic, "$dynamic/gone"]) {
      await stranger.send({ topic: stage.topic }, requestOf({ method: "echo" }, { replyTo }));
    }
    expect(await client.call({}, "echo", { arg: "served on" })).toBe("served on");
  });

  async function answerTo(request: Message): Promise<Message> {
    const outcome = await stranger.send({ topic: stage.topic }, { replyTo: mailbox.address, ...request });
    expect(outcome).toEqual({ type: "accepted" });
    return await mailbox.inbox.take("a reply", (delivery) => {
      delivery.accept();
      return delivery.message;
    });
  }
});

overEveryBed("A client", (bed) => {
  describe("is told, by what is wrong with it, of a reply that cannot be read:", () => {
    test.each<[what: string, answer: Message, told: RegExp]>([
      ["text that is not JSON", textMessage("{"), /^The body of a reply is not JSON: 1 characters/],
      ["JSON of Python's", textMessage('{"response": -Infinity}'), /-Infinity at character 13 is Python's, not JSON's/],
      ["JSON that is text", textMessage('"text"'), /^The body of a reply is not a JSON object but a string/],
      [
        "a failure that is a number",
        textMessage('{"failure": 1}'),
        /^The failure in a reply is not JSON text but number/,
      ],
      ["a failure that is not JSON", textMessage('{"failure": "{"}'), /^The failure in a reply is not JSON/],
    ])("%s", async (_what, answer, told) => {
      await using stage = new Stage(bed, "bad replies");
      await using stranger = await RawClient.enter(bed);
      const requests = await stranger.listen({ topic: stage.topic });
      const client = await stage.client();
      const ended = expect(client.call({}, "m")).rejects.toMatchObject({
        name: "MessagingException",
        message: expect.stringMatching(told),
      });
      const { messageId: correlationId, replyTo } = await request(requests);
      await stranger.sendTo(replyTo, { ...answer, correlationId });
      await ended;
      expect(stage.logger.of("warn")).toEqual([expect.stringMatching(/^rejected a reply of \d+ bytes: /)]);
    });
  });

  test("outlives replies of poison, and those that nobody asked for, and gets its own", async () => {
    await using stage = new Stage(bed, "poisoned");
    await using stranger = await RawClient.enter(bed);
    const requests = await stranger.listen({ topic: stage.topic });
    const client = await stage.client();
    const call = client.call({}, "m");
    const { messageId: correlationId, replyTo } = await request(requests);
    for (const [, payload] of BAD_BODIES) await stranger.sendTo(replyTo, payload);
    for (const id of [undefined, "", 0n, "constructor", "__proto__", Uint8Array.of(1)]) {
      await stranger.sendTo(replyTo, textMessage('{"response": "forged"}', { correlationId: id }));
    }
    await stranger.sendTo(replyTo, textMessage('{"response": "genuine"}', { correlationId }));
    expect(await call).toBe("genuine");
    expect(stage.logger.of("warn").filter((line) => line.includes("matches no call"))).not.toEqual([]);
  });
});

async function request(requests: Inbox<Delivery>): Promise<{ messageId: MessageId | undefined; replyTo: string }> {
  return await requests.take("a request", (delivery) => {
    delivery.accept();
    const { messageId, replyTo = "" } = delivery.message;
    return { messageId, replyTo };
  });
}

function requestOf(request: unknown, properties: Omit<Message, "body">): Message {
  return textMessage(JSON.stringify({ request, context: {} }), properties);
}

function bodyOf({ body }: Message): Record<string, unknown> {
  if (body?.type !== "value" || typeof body.value !== "string") throw new Error("a reply without text");
  return JSON.parse(body.value);
}
