import { afterAll, beforeAll, expect, test } from "vitest";
import type { Delivery } from "@/src/core/links/delivery.js";
import type { Message, MessageId } from "@/src/core/messages/message.js";
import { Uuid } from "@/src/core/types/uuid.js";
import type { RPCClient } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BAD_BODIES, textMessage } from "@/test/fixtures/peers/malformed-messages.js";
import { RawClient } from "@/test/fixtures/peers/raw-client.js";
import type { Inbox } from "@/test/fixtures/stages/inbox.js";
import { Stage } from "@/test/fixtures/stages/stage.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

const IDS: readonly [what: string, id: MessageId | undefined][] = [
  ["text", "an id"],
  ["empty text", ""],
  ["a number", 2n ** 64n - 1n],
  ["the number 0", 0n],
  ["a UUID", new Uuid(Uint8Array.from({ length: 16 }, (_, index) => index))],
  ["bytes", Uint8Array.of(0, 255, 1)],
  ["none", undefined],
];

overEveryBed("A server that gets unusual requests", (bed) => {
  let stage: Stage;
  let rawClient: RawClient;
  let mailbox: { address: string; inbox: Inbox<Delivery> };
  let client: RPCClient;

  beforeAll(async () => {
    stage = new Stage(bed, "bad");
    rawClient = await RawClient.enter(bed);
    mailbox = await rawClient.openMailbox();
    await stage.serve("a", [{ echo: (_context: object, { arg }: { arg: unknown }) => arg ?? null }]);
    client = await stage.client();
  });

  afterAll(async () => {
    await rawClient[Symbol.asyncDispose]();
    await stage[Symbol.asyncDispose]();
  });

  test("a server answers a request without a method with an RPCDispatcherError", {
    tags: ["rpc:dispatch:bad-request"],
  }, async () => {
    const reply = await answerTo(requestOf({}, { messageId: "x" }));
    expect(reply.correlationId).toBe("x");
    const { failure, ...rest } = bodyOf(reply);
    expect(rest).toEqual({});
    expect(JSON.parse(String(failure))).toMatchObject({
      module: "oslo_messaging.rpc.dispatcher",
      class: "RPCDispatcherError",
      message: "A request must name its method",
      tb: [],
    });
  });

  test.each(IDS)("a reply has the message id of its request as its correlation id: %s", async (_what, messageId) => {
    const reply = await answerTo(requestOf({ method: "echo", args: { arg: 1 } }, { messageId }));
    expect(reply.correlationId).toEqual(messageId);
    expect(bodyOf(reply)).toEqual({ response: 1 });
  });

  test("a server treats arguments and a context with the names of object prototypes as data", async () => {
    const text =
      '{"request":{"method":"echo","args":{"__proto__":{"arg":1},"arg":{"__proto__":2}}},"context":{"__proto__":3}}';
    const reply = await answerTo(textMessage(text));
    expect(Reflect.get({}, "arg")).toBeUndefined();
    expect(bodyOf(reply)).toEqual({ response: JSON.parse('{"__proto__":2}') });
  });

  test("a server goes on serving when there is no receiver at the address for a reply", {
    tags: ["rpc:server:reply-not-taken"],
  }, async () => {
    for (const replyTo of ["no-receiver", stage.topic, "$dynamic/gone"]) {
      await rawClient.send({ topic: stage.topic }, requestOf({ method: "echo" }, { replyTo }));
    }
    expect(await client.call({}, "echo", { arg: "served" })).toBe("served");
  });

  async function answerTo(request: Message): Promise<Message> {
    const outcome = await rawClient.send({ topic: stage.topic }, { replyTo: mailbox.address, ...request });
    expect(outcome).toEqual({ type: "accepted" });
    return await mailbox.inbox.take("a reply", (delivery) => {
      delivery.accept();
      return delivery.message;
    });
  }
});

overEveryBed("A client that gets unusual replies", (bed) => {
  const test = withStage(bed);

  test("a client discards malformed and unexpected replies, and its call gets the genuine one", async ({
    stage,
    client,
    rawClient,
  }) => {
    const requests = await rawClient.listen({ topic: stage.topic });
    const call = client.call({}, "m");
    const { messageId: correlationId, replyTo } = await request(requests);
    for (const [, payload] of BAD_BODIES) await rawClient.sendTo(replyTo, payload);
    for (const id of [undefined, "", 0n, "constructor", "__proto__", Uint8Array.of(1)]) {
      await rawClient.sendTo(replyTo, textMessage('{"response": "forged"}', { correlationId: id }));
    }
    await rawClient.sendTo(replyTo, textMessage('{"response": "genuine"}', { correlationId }));
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
