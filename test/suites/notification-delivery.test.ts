import { describe, expect, test } from "vitest";
import { NotificationResult, type TransportOptions } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { Deferred } from "@/test/fixtures/stages/deferred.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { listen, notifierOf, recorder, type Seen } from "@/test/fixtures/stages/notification-endpoints.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

/** Long enough to come to the phase that a test is about, on a busy machine. */
const SHORT_MS = 3_000;

/** What is given back through a router comes again from its notifier, after this time. */
const SOON: TransportOptions = { amqp: { linkRetryDelayMs: 1_000 } };

// Each is about a topic of its own, and some wait for time.
describe.concurrent("Delivery of", () => {
  overEveryBed("notifications", (bed) => {
    test.for<[what: string, refuse: () => NotificationResult]>([
      ["answered with requeue", () => NotificationResult.REQUEUE],
      ["that their endpoint failed on", fails],
    ])("%s come again, if the listener allows it", { tags: ["notify:requeue"] }, async ([_what, refuse], context) => {
      bed.needs("requeues", context);
      await using stage = new Stage(bed, "requeue");
      const attempts: string[] = [];
      const done = new Deferred();
      const info = (_context: object, _publisherId: string, eventType: string) => {
        attempts.push(eventType);
        if (attempts.length === 1) return refuse();
        done.resolve();
        return undefined;
      };
      await stage.listen([{ info }], { allowRequeue: true });
      await notifierOf(stage, {}, SOON).info({}, "event", {});
      await done.promise;
      expect(attempts).toEqual(["event", "event"]);
    });

    test.each([
      ["answered with requeue", () => NotificationResult.REQUEUE],
      ["that their endpoint failed on", fails],
    ])("%s are done with, unless the listener allows it", { tags: ["notify:no-requeue"] }, async (_what, refuse) => {
      await using stage = new Stage(bed, "no requeue");
      const seen = new Inbox<Seen>("the listener");
      const { info: record } = recorder(seen);
      const info: typeof record = (...args) => {
        record(...args);
        return refuse();
      };
      await stage.listen([{ info }]);
      const notifier = notifierOf(stage);
      await notifier.info({}, "first", {});
      await notifier.info({}, "second", {});
      await seen.take("the second", ({ eventType }) => eventType === "second" || undefined);
      expect(seen.unread.map(({ eventType }) => eventType)).toEqual(["first"]);
    });

    if (bed.acknowledgesEndToEnd) {
      test("that the router takes are pending until their handler is through", {
        tags: ["notify:acknowledged-after"],
      }, async () => {
        await using stage = new Stage(bed, "pending");
        const { handler, begun, release } = held();
        await stage.listen([{ info: handler, warn: () => {} }]);
        const notifier = notifierOf(stage);
        let resolved = false;
        const pending = notifier.info({}, "event", {}).then(() => {
          resolved = true;
        });
        await begun;
        await notifier.warn({}, "another one, there and back", {});
        expect(resolved).toBe(false);
        release();
        await pending;
      });

      test("that nobody listens for fail in the phase credit, after their time or the default one", {
        tags: ["notify:unheard"],
      }, async () => {
        await using stage = new Stage(bed, "nobody");
        const notifier = notifierOf(stage, {}, { amqp: { defaultNotifyTimeoutMs: 5_000 } });
        const unheard = { phase: "credit", address: expect.stringContaining(`${stage.topic}.info`) };
        const failure = {
          name: "MessageDeliveryFailure",
          outcome: "unsent",
          message: expect.stringContaining("timed out"),
        };
        await Promise.all([
          expect(notifier.info({}, "event", {}, { timeoutMs: SHORT_MS })).rejects.toMatchObject({
            name: "MessagingTimeout",
            ...unheard,
          }),
          expect(notifier.info({}, "event", {})).rejects.toMatchObject({ ...failure, ...unheard }),
        ]);
      });

      test("that fail are told to onFailure, if there is one, and nobody has to catch them", async () => {
        await using stage = new Stage(bed, "on failure");
        const failures: Error[] = [];
        const onFailure = (error: Error): void => void failures.push(error);
        await notifierOf(stage, { onFailure }).info({}, "event", {}, { timeoutMs: SHORT_MS });
        expect(failures).toEqual([expect.objectContaining({ name: "MessagingTimeout", phase: "credit" })]);
      });
    } else {
      test("that the broker takes are delivered, as far as their notifier cares, while their handler is at it", async () => {
        await using stage = new Stage(bed, "stored");
        const { handler, begun, release } = held();
        await stage.listen([{ info: handler }]);
        await notifierOf(stage).info({}, "event", {});
        await begun;
        release();
      });

      test("that nobody listens for are kept, and delivered in order when somebody does", {
        tags: ["notify:unheard"],
      }, async () => {
        await using stage = new Stage(bed, "kept");
        const notifier = notifierOf(stage);
        await notifier.info({}, "first", {});
        await notifier.info({}, "second", {});
        const seen = new Inbox<Seen>("the listener");
        await stage.listen([recorder(seen)]);
        await seen.take("the second", ({ eventType }) => eventType === "second" || undefined);
        expect(seen.unread.map(({ eventType }) => eventType)).toEqual(["first"]);
      });

      test("that a listener has not answered when it goes are delivered to the next one", {
        tags: ["notify:acknowledged-after"],
      }, async () => {
        await using stage = new Stage(bed, "handed on");
        const transport = stage.notificationTransport();
        const { handler, begun, release } = held();
        await stage.listen([{ info: handler }], { transport });
        await notifierOf(stage).info({}, "event", {});
        await begun;
        await transport.close();
        const seen = await listen(stage);
        expect(await seen("event")).toMatchObject({ eventType: "event" });
        release();
      });
    }
  });
});

/** A handler that is at it until it is released. */
function held(): { handler: () => Promise<void>; begun: Promise<void>; release: () => void } {
  const begun = new Deferred();
  const released = new Deferred();
  const handler = async (): Promise<void> => {
    begun.resolve();
    await released.promise;
  };
  return { handler, begun: begun.promise, release: () => released.resolve() };
}

function fails(): never {
  throw new Error("out of paper");
}
