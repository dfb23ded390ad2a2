import { describe, expect, test } from "vitest";
import type { Delivery } from "@/src/core/links/delivery.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { textMessage } from "@/test/fixtures/peers/malformed-messages.js";
import { RawClient } from "@/test/fixtures/peers/raw-client.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import type { Inbox } from "@/test/fixtures/stages/inbox.js";
import { notifierOf } from "@/test/fixtures/stages/notification-endpoints.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

/** Long enough to come to the phase that a test is about, on a busy machine. */
const SHORT_MS = 3_000;

/** What is given back through a router is sent again after this time. */
const SOON = { linkRetryDelayMs: 1_000 };

const UNSETTLED = { preSettled: [], defaultSendTimeoutMs: 5_000, defaultNotifyTimeoutMs: 5_000 };

const FAILED = { deliveryFailed: true, undeliverableHere: false };
const NOT_FAILED = { deliveryFailed: false, undeliverableHere: false };
const FULL = { condition: "amqp:resource-limit-exceeded", description: "no room" };

// Each is about a topic of its own, and some wait for time.
describe.concurrent("What becomes of", () => {
  overEveryBed("messages", (bed) => {
    test.for<[what: string, refuse: (delivery: Delivery) => void]>([
      ["released", (delivery: Delivery) => delivery.release()],
      ["modified", (delivery: Delivery) => delivery.modify(NOT_FAILED)],
    ])(
      "that are %s: they come again, and their call is answered",
      { tags: ["send:released", "send:modified"] },
      async ([_, refuse], context) => {
        bed.needs("requeues", context);
        await using stage = new Stage(bed, "again");
        await using stranger = await RawClient.enter(bed);
        const requests = await stranger.listen({ topic: stage.topic });
        const client = await stage.client({ transport: stage.rpcTransport({ amqp: SOON }) });
        const call = client.call({}, "m");
        refuse(await next(requests));
        refuse(await next(requests));
        const { messageId: correlationId, replyTo = "" } = accepted(await next(requests));
        await stranger.sendTo(replyTo, textMessage('{"response": "at last"}', { correlationId }));
        expect(await call).toBe("at last");
      },
    );

    test("that are taken and never answered: their call times out in the phase reply", {
      tags: ["rpc:call:missing-reply"],
    }, async () => {
      await using stage = new Stage(bed, "no reply");
      await using stranger = await RawClient.enter(bed);
      const requests = await stranger.listen({ topic: stage.topic });
      const client = await stage.client();
      const ended = expect(client.call({}, "m", {}, { timeoutMs: SHORT_MS })).rejects.toMatchObject({
        name: "MessagingTimeout",
        phase: "reply",
      });
      accepted(await next(requests));
      await ended;
    });

    test("that nobody settles: those that are pre-settled are done all the same", {
      tags: ["send:pre-settled", "notify:pre-settled"],
    }, async () => {
      await using stage = new Stage(bed, "pre-settled");
      await using stranger = await RawClient.enter(bed);
      const requests = await stranger.listen({ topic: stage.topic });
      const notifications = await stranger.listen({ topic: `${stage.topic}.info` }, "notify");
      const client = await stage.client();
      const notifier = notifierOf(stage, {}, { amqp: { preSettled: ["rpc-cast", "notify"] } });
      await client.cast({}, "m");
      await notifier.info({}, "event", {});
      await Promise.all([next(requests), next(notifications)]);
    });

    if (bed.acknowledgesEndToEnd) {
      test("that nobody settles: they fail after their time, or the default one, in the phase acknowledgement", {
        tags: ["send:not-acknowledged", "notify:not-acknowledged"],
      }, async () => {
        await using stage = new Stage(bed, "not settled");
        await using stranger = await RawClient.enter(bed);
        const requests = await stranger.listen({ topic: stage.topic });
        const notifications = await stranger.listen({ topic: `${stage.topic}.info` }, "notify");
        const client = await stage.client({ transport: stage.rpcTransport({ amqp: UNSETTLED }) });
        const notifier = notifierOf(stage, {}, { amqp: UNSETTLED });
        const phase = "acknowledgement";
        const failure = { name: "MessageDeliveryFailure", outcome: "unknown", phase };
        await Promise.all([
          expect(client.call({}, "m", {}, { timeoutMs: SHORT_MS })).rejects.toMatchObject({
            name: "MessagingTimeout",
            phase,
          }),
          expect(client.cast({}, "m")).rejects.toMatchObject(failure),
          expect(notifier.info({}, "event", {})).rejects.toMatchObject(failure),
          next(requests),
          next(requests),
          next(notifications),
        ]);
      });

      test("that are released and may not be sent again: they fail at once", {
        tags: ["rpc:call:released", "notify:released"],
      }, async () => {
        await using stage = new Stage(bed, "released");
        await using stranger = await RawClient.enter(bed);
        const requests = await stranger.listen({ topic: stage.topic });
        const notifications = await stranger.listen({ topic: `${stage.topic}.info` }, "notify");
        const client = await stage.client({ retry: 0 });
        const failure = { name: "MessageDeliveryFailure", outcome: "released", phase: "acknowledgement" };
        const ended = Promise.all([
          expect(client.call({}, "m")).rejects.toMatchObject(failure),
          expect(notifierOf(stage, { retry: 0 }).info({}, "event", {})).rejects.toMatchObject(failure),
        ]);
        (await next(requests)).release();
        (await next(notifications)).release();
        await ended;
      });

      test("that are modified as failed: they fail at once", { tags: ["send:modified-failed"] }, async () => {
        await using stage = new Stage(bed, "modified");
        await using stranger = await RawClient.enter(bed);
        const requests = await stranger.listen({ topic: stage.topic });
        const client = await stage.client();
        const failure = { name: "MessageDeliveryFailure", outcome: "modified", phase: "acknowledgement" };
        const ended = expect(client.call({}, "m")).rejects.toMatchObject(failure);
        (await next(requests)).modify(FAILED);
        await ended;
      });

      test("that are rejected: they fail at once, with the words of who rejected them", {
        tags: ["send:rejected"],
      }, async () => {
        await using stage = new Stage(bed, "rejected");
        await using stranger = await RawClient.enter(bed);
        const requests = await stranger.listen({ topic: stage.topic });
        const client = await stage.client();
        const ended = expect(client.call({}, "m")).rejects.toMatchObject({
          name: "MessageDeliveryFailure",
          outcome: "rejected",
          phase: "acknowledgement",
          message: expect.stringContaining("amqp:resource-limit-exceeded: no room"),
        });
        (await next(requests)).reject(FULL);
        await ended;
      });
    } else {
      test("that are rejected: the broker had taken them, so that their call waits for a reply in vain", {
        tags: ["rpc:call:missing-reply"],
      }, async () => {
        await using stage = new Stage(bed, "rejected");
        await using stranger = await RawClient.enter(bed);
        const requests = await stranger.listen({ topic: stage.topic });
        const client = await stage.client();
        const ended = expect(client.call({}, "m", {}, { timeoutMs: SHORT_MS })).rejects.toMatchObject({
          name: "MessagingTimeout",
          phase: "reply",
        });
        (await next(requests)).reject(FULL);
        await ended;
      });

      test("that are given back by a server that goes: another one gets them, though they may not be sent again", {
        tags: ["send:released"],
      }, async () => {
        await using stage = new Stage(bed, "handed on");
        const client = await stage.client({ retry: 0 });
        const stranger = await RawClient.enter(bed);
        const requests = await stranger.listen({ topic: stage.topic });
        const call = client.call({}, "echo", { arg: "handed on" });
        await next(requests);
        await stranger[Symbol.asyncDispose]();
        await stage.serve("a", [new BlockingEndpoint()]);
        expect(await call).toBe("handed on");
      });
    }
  });
});

function next(inbox: Inbox<Delivery>): Promise<Delivery> {
  return inbox.take("a message", (delivery) => delivery);
}

function accepted(delivery: Delivery): Delivery["message"] {
  delivery.accept();
  return delivery.message;
}
