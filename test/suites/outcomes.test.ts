import { describe, expect } from "vitest";
import { Delivery } from "@/src/core/links/delivery.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { enterRaw, type RawRequest } from "@/test/fixtures/peers/raw-client.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import type { Inbox } from "@/test/fixtures/stages/inbox.js";
import { notifierOf } from "@/test/fixtures/stages/notification-endpoints.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

/** Long enough to reach the phase that a test is about, on a busy machine. */
const SHORT_MS = 3_000;

/** A message that a router returns is sent again after this time. */
const SOON = { linkRetryDelayMs: 1_000 };

const FULL = { condition: "amqp:resource-limit-exceeded", description: "no room" };

type Refuse = (request: RawRequest) => void;

const RELEASE: Refuse = (request) => request.release();

function modify(deliveryFailed: boolean): Refuse {
  return (request) => deliveryOf(request).modify({ deliveryFailed, undeliverableHere: false });
}

/** The delivery of AMQP 1.0. */
function deliveryOf(request: RawRequest): Delivery {
  if (request instanceof Delivery) return request;
  throw new Error("the request did not come by AMQP 1.0");
}

// Each test has a topic of its own, and some wait for time.
describe.concurrent("Outcomes", () => {
  overEveryBed("of messages", (bed) => {
    /** A raw client takes the requests of the stage's topic. */
    const test = withStage(bed).extend("requests", ({ stage, rawClient }) => rawClient.listen({ topic: stage.topic }));

    test.for<[outcome: string, refuse: Refuse]>([
      ["released", RELEASE],
      ...(bed.messages === "AMQP 1.0" ? [["modified", modify(false)] as [string, Refuse]] : []),
    ])(
      "a request that is %s twice is delivered again, and its call is answered",
      { tags: ["send:released", "send:modified"] },
      async ([_, refuse], { stage, rawClient, requests, skip }) => {
        bed.needs("requeues", { skip });
        const client = await stage.client({ transport: stage.rpcTransport({ amqp: SOON }) });
        const call = client.call({}, "m");
        refuse(await next(requests));
        refuse(await next(requests));
        const request = await next(requests);
        request.accept();
        await rawClient.answer(request, "at last");
        expect(await call).toBe("at last");
      },
    );

    if (bed.plan.abilities.presettles) {
      test("pre-settled casts and notifications resolve although the receiver never settles", {
        tags: ["send:pre-settled", "notify:pre-settled"],
      }, async ({ stage, client, rawClient, requests }) => {
        const notifications = await rawClient.listen({ topic: `${stage.topic}.info` }, "notify");
        const notifier = notifierOf(stage, {}, { amqp: { preSettled: ["rpc-cast", "notify"] } });
        await client.cast({}, "m");
        await notifier.info({}, "event", {});
        await Promise.all([next(requests), next(notifications)]);
      });
    }

    if (bed.acknowledgesEndToEnd) {
      test.for<[outcome: string, refuse: Refuse, message: string]>([
        ["released", RELEASE, "released"],
        ["modified", modify(true), "delivery failed: true"],
        ["rejected", (request) => request.reject(FULL), "amqp:resource-limit-exceeded: no room"],
      ])(
        "a call and a notification without retries fail at once when their receiver has %s them",
        { tags: ["rpc:call:released", "notify:released", "send:modified-failed", "send:rejected"] },
        async ([outcome, refuse, message], { stage, rawClient, requests }) => {
          const notifications = await rawClient.listen({ topic: `${stage.topic}.info` }, "notify");
          const client = await stage.client({ retry: 0 });
          const failure = {
            name: "MessageDeliveryFailure",
            outcome,
            phase: "acknowledgement",
            message: expect.stringContaining(message),
          };
          const ended = Promise.all([
            expect(client.call({}, "m")).rejects.toMatchObject(failure),
            expect(notifierOf(stage, { retry: 0 }).info({}, "event", {})).rejects.toMatchObject(failure),
          ]);
          refuse(await next(requests));
          refuse(await next(notifications));
          await ended;
        },
      );
    } else {
      test("a request that is rejected after a broker has accepted it times out in the phase reply", {
        tags: ["rpc:call:missing-reply"],
      }, async ({ client, requests }) => {
        const ended = expect(client.call({}, "m", {}, { timeoutMs: SHORT_MS })).rejects.toMatchObject({
          name: "MessagingTimeout",
          phase: "reply",
        });
        (await next(requests)).reject(FULL);
        await ended;
      });

      test("a request that is unsettled when its server disconnects goes to another server, even without retries", {
        tags: ["send:released"],
      }, async ({ stage }) => {
        const client = await stage.client({ retry: 0 });
        const leaving = await enterRaw(bed);
        const requests = await leaving.listen({ topic: stage.topic });
        const call = client.call({}, "echo", { arg: "handed on" });
        await next(requests);
        await leaving[Symbol.asyncDispose]();
        await stage.serve("a", [new BlockingEndpoint()]);
        expect(await call).toBe("handed on");
      });
    }
  });
});

function next(inbox: Pick<Inbox<RawRequest>, "take">): Promise<RawRequest> {
  return inbox.take("a message", (request) => request);
}
