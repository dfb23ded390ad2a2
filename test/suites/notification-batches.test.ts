import { describe, expect, test } from "vitest";
import {
  type Notification,
  NotificationFilter,
  NotificationResult,
  type Notifier,
  type TransportOptions,
} from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { Deferred } from "@/test/fixtures/stages/deferred.js";
import { Frames } from "@/test/fixtures/stages/frame-recorder.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { notifierOf, type Seen, recorder as singles } from "@/test/fixtures/stages/notification-endpoints.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

/** What is given back through a router comes again from its notifier, after this time. */
const SOON: TransportOptions = { amqp: { linkRetryDelayMs: 1_000 } };

interface Batch {
  priority: string;
  events: readonly string[];
}

// Each is about a topic of its own, and some wait for time.
describe.concurrent("Batches of", () => {
  overEveryBed("notifications", (bed) => {
    test("a size are handled when they are full, and hold each notification once, in order", async () => {
      await using stage = new Stage(bed, "size");
      const batches = new Inbox<Batch>("the listener");
      await stage.listenInBatches([recorder(batches)], { batchSize: 100 });
      const events = named(200);
      await notifyAll(notifierOf(stage), events);
      const all = [await next(batches), await next(batches)];
      expect(all.map((batch) => batch.events.length)).toEqual([100, 100]);
      expect(all.flatMap((batch) => batch.events)).toEqual(events);
    });

    test("a size and a time are handled at what comes first", { tags: ["notify:batch"] }, async () => {
      await using stage = new Stage(bed, "size and time");
      const batches = new Inbox<Batch>("the listener");
      await stage.listenInBatches([recorder(batches)], { batchSize: 100, batchTimeoutMs: 2_000 });
      await notifyAll(notifierOf(stage), named(205));
      const sizes = [await next(batches), await next(batches), await next(batches)].map(({ events }) => events.length);
      expect(sizes).toEqual([100, 100, 5]);
    });

    test("a time alone are handled when it is up", async () => {
      await using stage = new Stage(bed, "time");
      const batches = new Inbox<Batch>("the listener");
      await stage.listenInBatches([recorder(batches)], { batchTimeoutMs: 1_000 });
      const sent = notifyAll(notifierOf(stage), named(30));
      expect((await next(batches)).events).toEqual(named(30));
      await sent;
    });

    test("a size above the credit that the options give, and over several links, fill all the same", {
      tags: ["notify:batch:credit"],
    }, async () => {
      await using stage = new Stage(bed, "credit");
      const batches = new Inbox<Batch>("the listener");
      const transport = stage.notificationTransport({ amqp: { notifyServerCredit: 5 } });
      await stage.listenInBatches([recorder(batches)], { transport, batchSize: 20 });
      const notifier = notifierOf(stage);
      // Whatever a batch takes from one link, the next one can be filled by the other.
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

    test("several priorities come to each method as far as they are its own and its filter lets them", async () => {
      await using stage = new Stage(bed, "mixed");
      const [filtered, all] = [new Inbox<Batch>("the filtered one"), new Inbox<Batch>("the other")] as const;
      const filterRule = new NotificationFilter({ eventType: "compute\\." });
      await stage.listenInBatches([{ ...recorder(filtered), filterRule }, recorder(all)], { batchSize: 4 });
      const notifier = notifierOf(stage);
      const sent = Promise.all([
        notifier.warn({}, "network.warned", {}),
        notifier.audit({}, "compute.audited", {}),
        notifier.info({}, "compute.created", {}),
        notifier.critical({}, "compute.lost", {}),
      ]);
      const seen = [];
      for (let n = 0; n < 4; n++) seen.push(await next(all));
      expect(seen).toEqual([
        { priority: "audit", events: ["compute.audited"] },
        { priority: "critical", events: ["compute.lost"] },
        { priority: "info", events: ["compute.created"] },
        { priority: "warn", events: ["network.warned"] },
      ]);
      await sent;
      expect(filtered.unread.map(({ priority }) => priority)).toEqual(["audit", "critical", "info"]);
    });

    test.each([
      ["answered with requeue", () => NotificationResult.REQUEUE],
      ["that their endpoint failed on", fails],
    ])("notifications %s come again, all of the priority, if the listener allows it", async (_what, refuse) => {
      await using stage = new Stage(bed, "requeued");
      const batches = new Inbox<Batch>("the listener");
      let refused = false;
      const { info: record, error } = recorder(batches);
      const info: typeof record = (notifications) => {
        record(notifications);
        if (refused) return undefined;
        refused = true;
        return refuse();
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

    test("a listener that is stopped are handled though they are not full, and acknowledged", async () => {
      await using stage = new Stage(bed, "stopped");
      const batches = new Inbox<Batch>("the listener");
      const notifier = notifierOf(stage);
      const frames = new Frames();
      const transport = stage.notificationTransport({ onFrame: frames.onFrame });
      const listener = await stage.listenInBatches([recorder(batches)], { transport, batchSize: 100 });
      const sent = notifyAll(notifier, named(3));
      await passed(frames, 3);
      await listener.stop();
      await listener.wait();
      expect(batches.unread).toEqual([{ priority: "info", events: named(3) }]);
      await sent;
      const rest = new Inbox<Seen>("the next listener");
      await stage.listen([singles(rest)]);
      await notifier.info({}, "after", {});
      expect(await rest.take("one", (seen) => seen)).toMatchObject({ eventType: "after" }); // nothing of the batch comes again
    });

    test("one listener are handled side by side, as many as it is told", async () => {
      await using stage = new Stage(bed, "side by side");
      const begun = new Inbox<string>("the handlers");
      const held = new Deferred();
      const info = async (notifications: readonly { eventType: string }[]): Promise<void> => {
        begun.put(notifications.map(({ eventType }) => eventType).join());
        await held.promise;
      };
      await stage.listenInBatches([{ info }], { batchSize: 2, concurrency: 2 });
      const sent = notifyAll(notifierOf(stage), named(6));
      expect([await begun.take("one", (it) => it), await begun.take("two", (it) => it)]).toEqual(["e0,e1", "e2,e3"]);
      expect(begun.unread).toEqual([]);
      held.resolve();
      expect(await begun.take("three", (it) => it)).toBe("e4,e5");
      await sent;
    });

    if (bed.acknowledgesEndToEnd) {
      test("notifications through a router are told to the operator: at the start, and when somebody waits for one", {
        tags: ["notify:batch:router", "notify:router"],
      }, async () => {
        await using stage = new Stage(bed, "told");
        const batches = new Inbox<Batch>("the listener");
        await stage.listenInBatches([recorder(batches)], { batchSize: 100, batchTimeoutMs: 1_000 });
        await notifyAll(notifierOf(stage), named(3));
        const told = stage.logger.of("warn");
        expect(
          told.filter((line) => /^notifications go through a router, oslo-messaging-router at /.test(line)),
        ).toHaveLength(2);
        expect(told.filter((line) => /when 100 have arrived or 1000 ms after the first$/.test(line))).toHaveLength(1);
        expect(told.filter((line) => /of at most 100 was closed by its timeout with 3/.test(line))).toHaveLength(1);
      });
    } else {
      test("notifications kept by a broker are told to nobody", async () => {
        await using stage = new Stage(bed, "not told");
        const batches = new Inbox<Batch>("the listener");
        await stage.listenInBatches([recorder(batches)], { batchTimeoutMs: 500 });
        await notifyAll(notifierOf(stage), named(3));
        await next(batches);
        expect(stage.logger.of("warn")).toEqual([]);
      });

      test("a listener whose connection goes before they are full come again, to the next one", async () => {
        await using stage = new Stage(bed, "lost");
        const lost = new Inbox<Batch>("the first listener");
        const frames = new Frames();
        const transport = stage.notificationTransport({ onFrame: frames.onFrame });
        await stage.listenInBatches([recorder(lost)], { transport, batchSize: 3 });
        await notifyAll(notifierOf(stage), ["a", "b"]);
        await passed(frames, 2);
        await transport.close();
        const batches = new Inbox<Batch>("the next listener");
        await stage.listenInBatches([recorder(batches)], { batchSize: 2 });
        expect([...(await next(batches)).events].sort()).toEqual(["a", "b"]);
        expect(lost.unread).toEqual([]);
      });
    }
  });
});

function recorder(inbox: Inbox<Batch>) {
  const keep =
    (priority: string) =>
    (notifications: readonly Notification[]): NotificationResult | undefined => {
      inbox.put({ priority, events: notifications.map(({ eventType }) => eventType) });
      return undefined;
    };
  const [audit, info, warn, error, critical] = [
    keep("audit"),
    keep("info"),
    keep("warn"),
    keep("error"),
    keep("critical"),
  ];
  return { audit, info, warn, error, critical };
}

function next(batches: Inbox<Batch>): Promise<Batch> {
  return batches.take("a batch", (batch) => batch);
}

async function passed(frames: Frames, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await frames.passed("in", "transfer");
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

function fails(): never {
  throw new Error("out of paper");
}
