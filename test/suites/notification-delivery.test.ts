import { describe, expect } from "vitest";
import { Deferred } from "@/src/core/deferred.js";
import { NotificationResult } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { listen, notifierOf, recorder, type Seen } from "@/test/fixtures/stages/notification-endpoints.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

/** Long enough to reach the phase that a test is about, on a busy machine. */
const SHORT_MS = 3_000;

/** A notification that a router returns is sent again by its notifier after this time. */
const SOON = { amqp: { linkRetryDelayMs: 1_000 } };

// Each test has a topic of its own, and some wait for time.
describe.concurrent("Delivery", () => {
  overEveryBed("of notifications", (bed) => {
    const test = withStage(bed).extend("handler", async () => new BlockingHandler());

    test("a requeued notification is delivered again if the listener allows it", {
      tags: ["notify:requeue"],
    }, async ({ stage, skip }) => {
      bed.needs("requeues", { skip });
      const attempts: string[] = [];
      const done = new Deferred();
      const info = (_context: object, _publisherId: string, eventType: string) => {
        attempts.push(eventType);
        if (attempts.length === 1) return NotificationResult.REQUEUE;
        done.resolve();
        return undefined;
      };
      await stage.listen([{ info }], { allowRequeue: true });
      await notifierOf(stage, {}, SOON).info({}, "event", {});
      await done.promise;
      expect(attempts).toEqual(["event", "event"]);
    });

    test("a requeued notification is settled if the listener does not allow requeueing", {
      tags: ["notify:no-requeue"],
    }, async ({ stage }) => {
      const seen = new Inbox<Seen>("the listener");
      const { info: record } = recorder(seen);
      const info: typeof record = (...args) => {
        record(...args);
        return NotificationResult.REQUEUE;
      };
      await stage.listen([{ info }]);
      const notifier = notifierOf(stage);
      await notifier.info({}, "first", {});
      await notifier.info({}, "second", {});
      await seen.take("the second", ({ eventType }) => eventType === "second" || undefined);
      expect(seen.unread.map(({ eventType }) => eventType)).toEqual(["first"]);
    });

    if (bed.acknowledgesEndToEnd) {
      test("a notification through a router is pending until its handler returns", {
        tags: ["notify:acknowledged-after"],
      }, async ({ stage, handler }) => {
        await stage.listen([{ info: handler.handle, warn: () => {} }]);
        const notifier = notifierOf(stage);
        let resolved = false;
        const pending = notifier.info({}, "event", {}).then(() => {
          resolved = true;
        });
        await handler.begun.promise;
        await notifier.warn({}, "another one, there and back", {});
        expect(resolved).toBe(false);
        handler.released.resolve();
        await pending;
      });

      test("a notification without a listener fails in the phase credit, after its own timeout or the default one", {
        tags: ["notify:unheard"],
      }, async ({ stage }) => {
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
    } else {
      test("notifications without a listener are kept by the broker, and delivered in order to a later one", {
        tags: ["notify:unheard"],
      }, async ({ stage }) => {
        const notifier = notifierOf(stage);
        await notifier.info({}, "first", {});
        await notifier.info({}, "second", {});
        const seen = new Inbox<Seen>("the listener");
        await stage.listen([recorder(seen)]);
        await seen.take("the second", ({ eventType }) => eventType === "second" || undefined);
        expect(seen.unread.map(({ eventType }) => eventType)).toEqual(["first"]);
      });

      test("a notification that is unsettled when its listener disconnects is delivered to the next listener", {
        tags: ["notify:acknowledged-after"],
      }, async ({ stage, handler }) => {
        const transport = stage.notificationTransport();
        await stage.listen([{ info: handler.handle }], { transport });
        await notifierOf(stage).info({}, "event", {});
        await handler.begun.promise;
        await transport.close();
        const seen = await listen(stage);
        expect(await seen("event")).toMatchObject({ eventType: "event" });
        handler.released.resolve();
      });
    }
  });
});

/** Its handler returns when the test releases it. */
class BlockingHandler {
  readonly begun = new Deferred();
  readonly released = new Deferred();

  readonly handle = async (): Promise<void> => {
    this.begun.resolve();
    await this.released.promise;
  };
}
