import { describe, expect } from "vitest";
import { type Notification, NotificationResult, type Notifier } from "@/src/entry/node.js";
import { type Bed, overEveryBed } from "@/test/fixtures/beds/bed.js";
import type { Frames } from "@/test/fixtures/stages/frame-recorder.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { notifierOf, type Seen, recorder as singles } from "@/test/fixtures/stages/notification-endpoints.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

/** A notification that a router returns is sent again by its notifier after this time. */
const SOON = { amqp: { linkRetryDelayMs: 1_000 } };

interface Batch {
  priority: string;
  events: readonly string[];
}

// Each test has a topic of its own, and some wait for time.
describe.concurrent("Batches", () => {
  overEveryBed("of notifications", (bed) => {
    const test = withStage(bed).extend("batches", () => new Inbox<Batch>("the listener"));

    test("a batch is handled when it is full or its time is up, and holds each notification once, in order", {
      tags: ["notify:batch"],
    }, async ({ stage, batches }) => {
      await stage.listenInBatches([recorder(batches)], { batchSize: 100, batchTimeoutMs: 2_000 });
      const events = named(205);
      await notifyAll(notifierOf(stage), events);
      const all = [await next(batches), await next(batches), await next(batches)];
      expect(all.map((batch) => batch.events.length)).toEqual([100, 100, 5]);
      expect(all.flatMap((batch) => batch.events)).toEqual(events);
    });

    test("a batch fills although its size exceeds the credit of the options, from several links", {
      tags: ["notify:batch:credit"],
    }, async ({ stage, batches }) => {
      const transport = stage.notificationTransport({ amqp: { notifyServerCredit: 5 } });
      await stage.listenInBatches([recorder(batches)], { transport, batchSize: 20 });
      const notifier = notifierOf(stage);
      // After a batch of both links, either link can fill the next one.
      const sent = [notifyAll(notifier, named(12)), notifyAll(notifier, named(8), "error")];
      const first = [await next(batches), await next(batches)];
      expect(first.map(({ priority, events }) => [priority, events.length])).toEqual([
        ["error", 8],
        ["info", 12],
      ]);
      sent.push(notifyAll(notifier, named(20), "error"));
      expect(await next(batches)).toEqual({ priority: "error", events: named(20) });
      sent.push(notifyAll(notifier, named(20)));
      expect(await next(batches)).toEqual({ priority: "info", events: named(20) });
      await Promise.all(sent);
    });

    test("the notifications of a priority whose endpoint requeues them are delivered again", async ({
      stage,
      batches,
    }) => {
      let refused = false;
      const { info: record, error } = recorder(batches);
      const info: typeof record = (notifications) => {
        record(notifications);
        if (refused) return undefined;
        refused = true;
        return NotificationResult.REQUEUE;
      };
      await stage.listenInBatches([{ info, error }], { batchSize: 3, batchTimeoutMs: 2_000, allowRequeue: true });
      const notifier = notifierOf(stage, {}, SOON);
      const sent = [notifyAll(notifier, ["a", "b"]), notifyAll(notifier, ["c"], "error")];
      const before = [await next(batches), await next(batches)];
      expect(before).toContainEqual({ priority: "error", events: ["c"] });
      expect(before).toContainEqual({ priority: "info", events: ["a", "b"] });
      const again: string[] = [];
      while (again.length < 2) again.push(...(await next(batches)).events);
      expect(again.sort()).toEqual(["a", "b"]);
      await Promise.all(sent);
    });

    test("the open batch of a listener that is stopped is handled and acknowledged", async ({
      stage,
      batches,
      frames,
    }) => {
      const notifier = notifierOf(stage);
      const transport = stage.notificationTransport({ onFrame: frames.onFrame });
      const listener = await stage.listenInBatches([recorder(batches)], { transport, batchSize: 100 });
      const sent = notifyAll(notifier, named(3));
      await received(bed, frames, 3);
      await listener.stop();
      await listener.wait();
      expect(batches.unread).toEqual([{ priority: "info", events: named(3) }]);
      await sent;
      const rest = new Inbox<Seen>("the next listener");
      await stage.listen([singles(rest)]);
      await notifier.info({}, "after", {});
      // No notification of the batch is delivered again.
      expect(await rest.take("one", (seen) => seen)).toMatchObject({ eventType: "after" });
    });

    if (bed.storesMessages) {
      test("the open batch of a listener whose connection is lost is delivered to the next listener", async ({
        stage,
        batches,
        frames,
      }) => {
        const lost = new Inbox<Batch>("the first listener");
        const transport = stage.notificationTransport({ onFrame: frames.onFrame });
        await stage.listenInBatches([recorder(lost)], { transport, batchSize: 3 });
        await notifyAll(notifierOf(stage), ["a", "b"]);
        await received(bed, frames, 2);
        await transport.close();
        await stage.listenInBatches([recorder(batches)], { batchSize: 2 });
        expect([...(await next(batches)).events].sort()).toEqual(["a", "b"]);
        expect(lost.unread).toEqual([]);
      });
    }
  });
});

/** Resolves when this many more notifications have been received. */
async function received({ frameNames }: Bed, frames: Frames, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await frames.passed("in", frameNames.delivery, frameNames.deliveryAbout);
}

function recorder(inbox: Inbox<Batch>) {
  const keep =
    (priority: string) =>
    (notifications: readonly Notification[]): NotificationResult | undefined => {
      inbox.put({ priority, events: notifications.map(({ eventType }) => eventType) });
      return undefined;
    };
  return { info: keep("info"), error: keep("error") };
}

function next(batches: Inbox<Batch>): Promise<Batch> {
  return batches.take("a batch", (batch) => batch);
}

function named(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `e${index}`);
}

async function notifyAll(
  notifier: Notifier,
  events: readonly string[],
  priority: "info" | "error" = "info",
): Promise<void> {
  await Promise.all(events.map((event) => notifier[priority]({}, event, {})));
}
