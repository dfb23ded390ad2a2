import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  getBatchNotificationListener,
  getNotificationListener,
  getNotificationTransport,
  type ListenerOptions,
  type NotificationDriver,
  type NotificationTransport,
  Notifier,
} from "@/src/entry/node.js";
import { RABBITMQ_WAYS, type RabbitMqBed, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import {
  PYTHON_VERSIONS,
  PythonBatchListener,
  PythonListener,
  type PythonNotification,
  PythonNotifier,
} from "@/test/fixtures/python/python.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { PRIORITIES, recorder, requeuingRecorder, type Seen } from "@/test/fixtures/stages/notification-endpoints.js";
import { uniqueTopic } from "@/test/fixtures/stages/unique-topic.js";

const PEERS = RABBITMQ_WAYS.flatMap((way) => PYTHON_VERSIONS.map((python) => ({ ...way, python })));
const DRIVERS = ["messaging", "messagingv2"] as const;
/** Topics of the Python listeners. */
const TOPIC = "python";
const POOLED = "pooled";
const BATCHES = "batches";
const POOL = "pool-of-python";
const EVENTS = Array.from({ length: 7 }, (_, index) => `event ${index}`);
const CONTEXT = { request_id: "req-1" };
const PAYLOAD = { text: "héllo", list: [1, null, { a: true }] };
/** Timestamps of Python and of this library. */
const TIMESTAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?$/;

describe.each(PEERS)(
  "notifications by $scheme:// through RabbitMQ $broker with Python's oslo.messaging $python",
  ({ broker, scheme, python: version }) => {
    const logger = new RecordingLogger();
    let bed: RabbitMqBed;
    let transport: NotificationTransport;
    let pythonNotifier: PythonNotifier;
    let pythonListener: PythonListener;
    let pythonPool: PythonListener;
    let pythonBatches: PythonBatchListener;

    beforeAll(async () => {
      bed = await rabbitMqBed(broker, scheme);
      const { url, pythonUrl } = bed;
      transport = getNotificationTransport(url, { logger });
      await notifier().info(CONTEXT, "before a listener", PAYLOAD);
      [pythonNotifier, pythonListener, pythonPool, pythonBatches] = await Promise.all([
        PythonNotifier.start(pythonUrl, { version }),
        PythonListener.start(pythonUrl, TOPIC, { version }),
        PythonListener.start(pythonUrl, POOLED, { version, pool: POOL }),
        PythonBatchListener.start(pythonUrl, BATCHES, { version, batchSize: 3, batchTimeout: 2 }),
      ]);
    });

    afterAll(async () => {
      const peers = [pythonNotifier, pythonListener, pythonPool, pythonBatches];
      await Promise.all([transport?.close(), ...peers.map((peer) => peer?.stop())]);
    });

    describe.concurrent("a Python notifier and our listener", () => {
      test.each(DRIVERS)(
        "our listener reads a Python notification of the driver %s",
        { tags: ["notify:envelope"] },
        async (driver) => {
          const { topic, saw } = await listening();
          await notify({ topic, driver, context: CONTEXT });
          await expect(saw("event")).resolves.toEqual({
            priority: "info",
            context: CONTEXT,
            publisherId: "python.host1",
            eventType: "event",
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
        const { topic, saw } = await listening();
        for (const priority of PRIORITIES) {
          await notify({ topic, priority, eventType: priority });
          await expect(saw(priority)).resolves.toMatchObject({ priority });
        }
      });

      test("a Python notification that was sent before any listener started reaches ours", async () => {
        const topic = uniqueTopic("ours");
        await notify({ topic, eventType: "early" });
        const { saw } = await listening({}, topic);
        await expect(saw("early")).resolves.toMatchObject({ payload: PAYLOAD });
      });

      test("a Python notification that our endpoint requeues is delivered again unchanged", {
        tags: ["notify:requeue"],
      }, async () => {
        const { topic, saw } = await listening({ allowRequeue: true });
        await notify({ topic, payload: { requeue: true } });
        const first = await saw("event");
        await expect(saw("event")).resolves.toEqual(first);
      });

      test("each of our pools gets all Python notifications, and its members share them", async () => {
        const topic = uniqueTopic("ours");
        const pool = `pool-of-${topic}`;
        const [one, two, other] = [
          await listening({ pool }, topic),
          await listening({ pool }, topic),
          await listening({ pool: `other-${pool}` }, topic),
        ];
        for (const eventType of EVENTS) await notify({ topic, eventType });
        for (const eventType of EVENTS) await other.saw(eventType);
        const shared = [...one.inbox.unread, ...two.inbox.unread].map(({ eventType }) => eventType);
        expect(shared.sort()).toEqual(EVENTS);
        expect(one.inbox.unread.length).toBeGreaterThan(0);
        expect(two.inbox.unread.length).toBeGreaterThan(0);
      });

      test("a Python notifier fills batches of our listener, and the last one is closed by its timeout", {
        tags: ["notify:batch"],
      }, async () => {
        const topic = uniqueTopic("ours");
        const batches = new Inbox<readonly string[]>("our batch listener");
        const info = (batch: readonly { eventType: string }[]) => batches.put(batch.map(({ eventType }) => eventType));
        const limits = { batchSize: 5, batchTimeoutMs: 2_000 };
        await getBatchNotificationListener(transport, [{ topic }], [{ info }], limits).start();
        for (const eventType of EVENTS) await notify({ topic, eventType });
        const next = (): Promise<readonly string[]> => batches.take("a batch", (batch) => batch);
        expect([await next(), await next()]).toEqual([EVENTS.slice(0, 5), EVENTS.slice(5)]);
      });

      /** Listens, by default to a topic of its own. */
      async function listening(options: ListenerOptions = {}, topic = uniqueTopic("ours")) {
        const inbox = new Inbox<Seen>("our listener");
        const endpoint = options.allowRequeue ? requeuingRecorder(inbox) : recorder(inbox);
        await getNotificationListener(transport, [{ topic }], [endpoint], options).start();
        const saw = (eventType: string): Promise<Seen> =>
          inbox.take(eventType, (seen) => (seen.eventType === eventType ? seen : undefined));
        return { topic, inbox, saw };
      }

      async function notify(notification: Partial<PythonNotification>): Promise<void> {
        await pythonNotifier.notify({
          driver: "messagingv2",
          topic: "",
          priority: "info",
          publisherId: "python.host1",
          eventType: "event",
          payload: PAYLOAD,
          ...notification,
        });
      }
    });

    describe.concurrent("our notifier and a Python listener", () => {
      test.each(DRIVERS)(
        "a Python listener reads our notification of the driver %s",
        { tags: ["notify:envelope"] },
        async (driver) => {
          await notifier({ driver }).info(CONTEXT, driver, PAYLOAD);
          await expect(pythonListener.saw(driver)).resolves.toEqual({
            priority: "info",
            // The rabbit driver of Python adds `client_timeout`.
            context: expect.objectContaining(CONTEXT),
            publisherId: "ours.host1",
            eventType: driver,
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
          await notifier()[priority]({}, `a ${priority} one`, PAYLOAD);
          await expect(pythonListener.saw(`a ${priority} one`)).resolves.toMatchObject({ priority });
        }
      });

      test("our notification that was sent before any listener started reaches Python's", async () => {
        await expect(pythonListener.saw("before a listener")).resolves.toMatchObject({ payload: PAYLOAD });
      });

      test("our notification that a Python endpoint requeues is delivered again unchanged", {
        tags: ["notify:requeue"],
      }, async () => {
        await notifier().info({}, "requeued", { requeue: true });
        const first = await pythonListener.saw("requeued");
        await expect(pythonListener.saw("requeued")).resolves.toEqual(first);
      });

      test("a pool of Python and one of ours get our notification; a member of ours shares with Python's", async () => {
        const inboxes = [new Inbox<Seen>("our pool"), new Inbox<Seen>("our member of Python's pool")] as const;
        const [ours, shared] = inboxes;
        const listen = async (pool: string, inbox: Inbox<Seen>): Promise<void> =>
          await getNotificationListener(transport, [{ topic: POOLED }], [recorder(inbox)], { pool }).start();
        await listen("our-pool", ours);
        await notifier({ topic: POOLED }).info({}, "for both pools", PAYLOAD);
        await ours.take("for both pools", (seen) => seen);
        await expect(pythonPool.saw("for both pools")).resolves.toMatchObject({ payload: PAYLOAD });

        await listen(POOL, shared);
        for (const eventType of EVENTS) await notifier({ topic: POOLED }).info({}, eventType, PAYLOAD);
        const here = [1, 2, 3].map(() => shared.take("a notification of the pool", ({ eventType }) => eventType));
        const taken = await Promise.all(here);
        const others = EVENTS.filter((eventType) => !taken.includes(eventType) && !unread(shared).includes(eventType));
        expect(others.length).toBeGreaterThan(0);
        for (const eventType of others) await pythonPool.saw(eventType);
      });

      test("our notifier fills batches of a Python listener", { tags: ["notify:batch"] }, async () => {
        await Promise.all(EVENTS.map((eventType) => notifier({ topic: BATCHES }).info({}, eventType, PAYLOAD)));
        const batches: (readonly string[])[] = [];
        while (batches.flat().length < EVENTS.length) batches.push((await pythonBatches.next()).events);
        expect(batches.flat()).toEqual(EVENTS);
        expect(Math.max(...batches.map(({ length }) => length))).toBe(3);
      });
    });

    test("our driver has warned of nothing", () => {
      expect([...logger.of("error"), ...logger.of("warn")]).toEqual([]);
    });

    function notifier({ driver = "messagingv2", topic = TOPIC }: { driver?: NotificationDriver; topic?: string } = {}) {
      return new Notifier(transport, {
        publisherId: "ours.host1",
        topics: [topic],
        drivers: [driver],
        sanitizeContext: (context) => context,
      });
    }
  },
);

function unread(inbox: Inbox<Seen>): readonly string[] {
  return inbox.unread.map(({ eventType }) => eventType);
}
