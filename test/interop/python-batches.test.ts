import { describe, expect, test } from "vitest";
import {
  getBatchNotificationListener,
  getNotificationTransport,
  type Notification,
  Notifier,
} from "@/src/entry/node.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { ARTEMIS_ROUTABLE, EMBEDDED_BROKER, EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import { type BatchSeenByPython, PythonBatchListener, PythonNotifier } from "@/test/fixtures/python/python.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const EVENTS = Array.from({ length: 7 }, (_, index) => `event ${index}`);

for (const plan of [EMBEDDED_ROUTER, EMBEDDED_BROKER, ARTEMIS_ROUTABLE]) {
  describe.concurrent(`batches of notifications through ${plan.name}`, () => {
    test("a Python notifier fills batches of our listener, and the last one is closed by its timeout", {
      tags: ["notify:batch"],
    }, async () => {
      await using bus = await plan.start();
      await using transport = getNotificationTransport(bus.url("amqp"), { logger: null });
      const topic = uniqueTopic("ours");
      const batches = new Inbox<Notification[]>("our listener");
      const endpoint = { info: (notifications: readonly Notification[]) => batches.put([...notifications]) };
      const limits = { batchSize: 5, batchTimeoutMs: 2_000 };
      await getBatchNotificationListener(transport, [{ topic }], [endpoint], limits).start();
      await using notifier = await PythonNotifier.start(bus.url("amqp"));
      const sent = EVENTS.map((eventType) =>
        notifier.notify({
          driver: "messagingv2",
          topic,
          priority: "info",
          publisherId: "python.host1",
          eventType,
          payload: { of: eventType },
          context: { request_id: "req-1" },
        }),
      );
      const seen = [await batches.take("a batch", (it) => it), await batches.take("another batch", (it) => it)];
      expect(seen.map((batch) => batch.length)).toEqual([5, 2]);
      const all = seen.flat();
      expect(all.map(({ eventType }) => eventType).sort()).toEqual(EVENTS);
      for (const { eventType, payload, context, publisherId } of all) {
        expect({ payload, context, publisherId }).toEqual({
          payload: { of: eventType },
          context: { request_id: "req-1" },
          publisherId: "python.host1",
        });
      }
      await Promise.all(sent);
    });

    test("our notifier fills batches of a Python listener", async () => {
      await using bus = await plan.start();
      await using transport = getNotificationTransport(bus.url("amqp"), { logger: null });
      const topic = uniqueTopic("python");
      await using listener = await PythonBatchListener.start(bus.url("amqp"), topic, { batchSize: 3, batchTimeout: 3 });
      const notifier = new Notifier(transport, { publisherId: "ours.host1", topics: [topic] });
      const sent = EVENTS.map((eventType) => notifier.info({}, eventType, {}));
      const seen: BatchSeenByPython[] = [];
      while (seen.flatMap(({ events }) => events).length < EVENTS.length) seen.push(await listener.next());
      expect(seen.flatMap(({ events }) => events)).toEqual(EVENTS);
      expect(Math.max(...seen.map(({ events }) => events.length))).toBe(3);
      await Promise.all(sent);
    });
  });
}
