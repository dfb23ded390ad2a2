import { afterAll, beforeAll, expect, test } from "vitest";
import type { Delivery } from "@/src/core/links/delivery.js";
import type { Message, MessageId } from "@/src/core/messages/message.js";
import { Uuid } from "@/src/core/types/uuid.js";
import type { RPCClient } from "@/src/entry/node.js";
import { AMQP_1_0, overEveryBed } from "@/test/fixtures/beds/bed.js";
import { RABBITMQ, RABBITMQ_4 } from "@/test/fixtures/beds/bus-plan.js";
import { AmqpRawClient } from "@/test/fixtures/peers/amqp-raw-client.js";
import { BAD_BODIES, BAD_CONTENTS, textMessage } from "@/test/fixtures/peers/malformed-messages.js";
import { RabbitRawClient, type RabbitRequest, textContent } from "@/test/fixtures/peers/rabbit-raw-client.js";
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

overEveryBed(
  "A server that gets unusual requests",
  (bed) => {
    let stage: Stage;
    let rawClient: AmqpRawClient;
    let mailbox: { address: string; inbox: Inbox<Delivery> };
    let client: RPCClient;

    beforeAll(async () => {
      stage = new Stage(bed, "bad");
      rawClient = await AmqpRawClient.enter(bed);
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
  },
  { plans: AMQP_1_0 },
);

overEveryBed(
  "A client that gets unusual replies",
  (bed) => {
    const test = withStage(bed);

    test("a client discards malformed and unexpected replies, and its call gets the genuine one", async ({
      stage,
      client,
    }) => {
      await using rawClient = await AmqpRawClient.enter(bed);
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
  },
  { plans: AMQP_1_0 },
);

overEveryBed(
  "A server at RabbitMQ that gets unusual requests",
  (bed) => {
    let stage: Stage;
    let rawClient: RabbitRawClient;
    let mailbox: { queue: string; inbox: Inbox<RabbitRequest> };
    let client: RPCClient;

    beforeAll(async () => {
      stage = new Stage(bed, "bad");
      rawClient = await RabbitRawClient.enter(bed);
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
      const { failure, ...rest } = await answerTo({ _msg_id: "x" });
      expect(rest).toEqual({
        result: null,
        ending: true,
        _msg_id: "x",
        _unique_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
      expect(JSON.parse(String(failure))).toMatchObject({
        module: "oslo_messaging.rpc.dispatcher",
        class: "RPCDispatcherError",
        message: "A request must name its method",
        tb: [],
      });
    });

    test.each(["an id", "0", "constructor", "__proto__", "\ud800", "x".repeat(10_000)])(
      "a reply has the message id of its request: %s",
      async (id) => {
        expect(await answerTo({ method: "echo", args: { arg: 1 }, _msg_id: id })).toMatchObject({
          result: 1,
          _msg_id: id,
        });
      },
    );

    test("a server treats arguments and a context with the names of object prototypes as data", async () => {
      const text =
        '{"method":"echo","args":{"__proto__":{"arg":1},"arg":{"__proto__":2}},"__proto__":{"_context_x":3}}';
      const { result } = await answerTo({ ...JSON.parse(text), _msg_id: "x" });
      expect(Reflect.get({}, "arg")).toBeUndefined();
      expect(result).toEqual(JSON.parse('{"__proto__":2}'));
    });

    test.each<[what: string, members: object]>([
      ["an id that is no text", { _msg_id: 5 }],
      ["an empty id", { _msg_id: "" }],
      ["a list for a reply queue", { _msg_id: "x", _reply_q: ["reply_1"] }],
      ["a context that is no text", { _context_user: [{}] }],
      ["a monitor timeout that is no number", { _msg_id: "x", _timeout: { soon: true } }],
    ])("a server goes on serving after a request with %s", async (_what, members) => {
      await request({ method: "echo", args: {}, ...members });
      expect(await client.call({}, "echo", { arg: "served" })).toBe("served");
    });

    test("a server goes on serving when there is no queue for a reply, or it is not one for replies", {
      tags: ["rpc:server:reply-not-taken"],
    }, async () => {
      for (const _reply_q of ["reply_gone", stage.topic, "", "x".repeat(1_000)]) {
        await request({ method: "echo", _msg_id: "x", _reply_q });
      }
      expect(await client.call({}, "echo", { arg: "served" })).toBe("served");
    });

    async function answerTo(members: object): Promise<Record<string, unknown>> {
      await request(members);
      return await mailbox.inbox.take("a reply", (reply) => {
        reply.accept();
        return JSON.parse(JSON.parse(Buffer.from(reply.delivery.body).toString())["oslo.message"]);
      });
    }

    async function request(members: object): Promise<void> {
      const body = { _reply_q: mailbox.queue, _unique_id: crypto.randomUUID(), ...members };
      await rawClient.send({ topic: stage.topic }, textContent(JSON.stringify(body)));
    }
  },
  { plans: [RABBITMQ, RABBITMQ_4] },
);

overEveryBed(
  "A client at RabbitMQ that gets unusual replies",
  (bed) => {
    const test = withStage(bed);

    test("a client discards malformed and unexpected replies, and its call gets the genuine one", async ({
      stage,
      client,
    }) => {
      await using rawClient = await RabbitRawClient.enter(bed);
      const requests = await rawClient.listen({ topic: stage.topic });
      const call = client.call({}, "m");
      const received = await requests.take("a request", (request) => request);
      received.accept();
      const { _reply_q: queue } = JSON.parse(
        JSON.parse(Buffer.from(received.delivery.body).toString())["oslo.message"],
      );
      for (const [, content] of BAD_CONTENTS) await rawClient.sendTo(queue, content);
      for (const id of [undefined, "", 0, "constructor", "__proto__", [1]]) {
        await rawClient.sendTo(queue, textContent(JSON.stringify({ result: "forged", ending: true, _msg_id: id })));
      }
      await rawClient.answer(received, "genuine");
      expect(await call).toBe("genuine");
      expect(stage.logger.of("warn").filter((line) => line.includes("matches no call"))).not.toEqual([]);
    });
  },
  { plans: [RABBITMQ, RABBITMQ_4] },
);

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
