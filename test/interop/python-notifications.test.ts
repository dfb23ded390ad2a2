import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  getNotificationListener,
  getNotificationTransport,
  type NotificationTransport,
  Notifier,
} from "@/src/entry/node.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { BUSES, type Bus } from "@/test/fixtures/beds/bus-plan.js";
import { PythonListener, type PythonNotification, PythonNotifier } from "@/test/fixtures/python/python.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { PRIORITIES, requeuingRecorder, type Seen } from "@/test/fixtures/stages/notification-endpoints.js";

const SCHEMES = ["amqp", "amqp+ws"] as const;
const DRIVERS = ["messaging", "messagingv2"] as const;
const PAYLOAD = { text: "héllo", list: [1, null, { a: true }] };
/** Timestamps of Python and of this library. */
const TIMESTAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?$/;

/** A notification that a router returns is sent again by its notifier after this time. */
const SOON = { link_retry_delay: "1" };

for (const plan of BUSES) {
  describe.concurrent(`notifications with Python's oslo.messaging through ${plan.name}`, () => {
    const pythonTopic = uniqueTopic("python");
    const topics = new Map(SCHEMES.map((scheme) => [scheme, uniqueTopic("ours")]));
    const inboxes = new Map(SCHEMES.map((scheme) => [scheme, new Inbox<Seen>(`our listener by ${scheme}`)]));
    const transports = new Map<string, NotificationTransport>();
    let bus: Bus;
    let pythonListener: PythonListener;
    let pythonNotifier: PythonNotifier;

    beforeAll(async () => {
      bus = await plan.start();
      [pythonListener, pythonNotifier] = await Promise.all([
        PythonListener.start(bus.url("amqp"), pythonTopic),
        PythonNotifier.start(bus.url("amqp", SOON)),
      ]);
      for (const [scheme, inbox] of inboxes) {
        const transport = getNotificationTransport(bus.url(scheme, SOON), { logger: null });
        transports.set(scheme, transport);
        const endpoint = requeuingRecorder(inbox);
        const target = { topic: topics.get(scheme) };
        await getNotificationListener(transport, [target], [endpoint], { allowRequeue: true }).start();
      }
    });

    afterAll(async () => {
      await Promise.all([...transports.values()].map((transport) => transport.close()));
      await Promise.all([pythonListener?.stop(), pythonNotifier?.stop()]);
      await bus?.close();
    });

    describe.each(SCHEMES)("a Python notifier and our listener by %s", (scheme) => {
      const notify = (notification: Partial<PythonNotification>): Promise<void> =>
        pythonNotifier.notify({
          driver: "messagingv2",
          topic: topics.get(scheme) ?? "",
          priority: "info",
          publisherId: "python.host1",
          eventType: "event",
          payload: PAYLOAD,
          ...notification,
        });
      const saw = async (eventType: string): Promise<Seen | undefined> =>
        await inboxes.get(scheme)?.take(eventType, (seen) => (seen.eventType === eventType ? seen : undefined));

      test.each(DRIVERS)(
        "our listener reads a Python notification of the driver %s",
        { tags: ["notify:envelope"] },
        async (driver) => {
          await notify({ driver, eventType: driver, context: { request_id: "req-1" } });
          await expect(saw(driver)).resolves.toEqual({
            priority: "info",
            context: { request_id: "req-1" },
            publisherId: "python.host1",
            eventType: driver,
            payload: PAYLOAD,
            metadata: {
              messageId: expect.stringMatching(/^[-0-9a-f]{36}$/),
              timestamp: expect.stringMatching(TIMESTAMP),
            },
          });
        },
      );

      test("Python notifications of every priority reach our method of that name", {
        tags: ["notify:priorities"],
      }, async () => {
        for (const priority of PRIORITIES) {
          await notify({ priority, eventType: `a ${priority} one` });
          await expect(saw(`a ${priority} one`)).resolves.toMatchObject({ priority });
        }
      });

      test("a Python notification that our endpoint requeues is delivered again unchanged", {
        tags: ["notify:requeue"],
      }, async () => {
        const sent = notify({ eventType: "requeued", payload: { requeue: true } });
        const [first, second] = await Promise.all([saw("requeued"), saw("requeued"), sent]);
        expect(second).toEqual(first);
      });
    });

    describe.each(SCHEMES)("our notifier by %s and a Python listener", (scheme) => {
      const notifier = (driver: (typeof DRIVERS)[number] = "messagingv2"): Notifier => {
        const transport = transports.get(scheme);
        if (transport === undefined) throw new Error(`no transport by ${scheme}`);
        return new Notifier(transport, {
          publisherId: "ours.host1",
          topics: [pythonTopic],
          drivers: [driver],
          sanitizeContext: (context) => context,
        });
      };

      test.each(DRIVERS)(
        "a Python listener reads our notification of the driver %s",
        { tags: ["notify:envelope"] },
        async (driver) => {
          const eventType = `${driver} by ${scheme}`;
          await notifier(driver).info({ request_id: "req-1" }, eventType, PAYLOAD);
          await expect(pythonListener.saw(eventType)).resolves.toEqual({
            priority: "info",
            context: { request_id: "req-1" },
            publisherId: "ours.host1",
            eventType,
            payload: PAYLOAD,
            metadata: {
              message_id: expect.stringMatching(/^[-0-9a-f]{36}$/),
              timestamp: expect.stringMatching(TIMESTAMP),
            },
          });
        },
      );

      test("our notifications of every priority reach Python's method of that name", {
        tags: ["notify:priorities"],
      }, async () => {
        for (const priority of PRIORITIES) {
          const eventType = `a ${priority} one by ${scheme}`;
          await notifier()[priority]({}, eventType, PAYLOAD);
          await expect(pythonListener.saw(eventType)).resolves.toMatchObject({ priority });
        }
      });

      test("our notification that a Python endpoint requeues is delivered again unchanged", {
        tags: ["notify:requeue"],
      }, async () => {
        const eventType = `requeued by ${scheme}`;
        const sent = notifier().info({}, eventType, { requeue: true });
        const [first, second] = await Promise.all([pythonListener.saw(eventType), pythonListener.saw(eventType), sent]);
        expect(second).toEqual(first);
      });
    });
  });
}
