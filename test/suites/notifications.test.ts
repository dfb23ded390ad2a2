import { describe, expect, test } from "vitest";
import {
  type NotificationEndpoint,
  NotificationFilter,
  type NotificationMetadata,
  NotificationResult,
  Notifier,
  type NotifierOptions,
  type TransportOptions,
} from "../../src/entry/node.js";
import { overEveryBed } from "../support/bed.js";
import { Deferred } from "../support/deferred.js";
import { Inbox } from "../support/inbox.js";
import { Stage } from "./stage.js";

const PRIORITIES = ["audit", "debug", "info", "warn", "error", "critical", "sample"] as const;
const DRIVERS = ["messaging", "messagingv2"] as const;
const PAYLOAD = { text: "héllo", list: [1, null, { deep: true }], big: 2n ** 60n };

/** What is given back through a router comes again from its notifier, after this time. */
const SOON: TransportOptions = { amqp: { linkRetryDelayMs: 1_000 } };

interface Seen {
  priority: string;
  context: object;
  publisherId: string;
  eventType: string;
  payload: unknown;
  metadata: NotificationMetadata;
}

overEveryBed("Notifications", (bed) => {
  // Each is about a topic of its own, and some wait for time.
  describe.concurrent("of a topic", () => {
    test.each(DRIVERS)("arrive with all that they say, written by the driver %s", async (driver) => {
      await using stage = new Stage(bed, driver);
      const seen = await listener(stage);
      const notifier = notifierOf(stage, { drivers: [driver] });
      await notifier.info({ secret: "token" }, "compute.instance.create", PAYLOAD);
      expect(await seen("compute.instance.create")).toEqual({
        priority: "info",
        context: {},
        publisherId: "test.host",
        eventType: "compute.instance.create",
        payload: PAYLOAD,
        metadata: {
          messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?$/),
        },
      });
    });

    test("come by their priority, all seven of them", async () => {
      await using stage = new Stage(bed, "priorities");
      const seen = await listener(stage);
      const notifier = notifierOf(stage);
      await Promise.all(PRIORITIES.map((priority) => notifier[priority]({}, `event ${priority}`, {})));
      for (const priority of PRIORITIES) {
        expect(await seen(`event ${priority}`)).toMatchObject({ priority });
      }
    });

    test("carry of the context what is chosen, and nothing else", async () => {
      await using stage = new Stage(bed, "context");
      const seen = await listener(stage);
      const sanitizeContext = (context: object): object => ({ user: Reflect.get(context, "user") });
      await notifierOf(stage, { sanitizeContext }).info({ user: "u", token: "t" }, "event", {});
      expect(await seen("event")).toMatchObject({ context: { user: "u" } });
    });

    test("go to every topic of the notifier, and one listener can listen to several", async () => {
      await using stage = new Stage(bed, "topics");
      const topics = [stage.topic, `${stage.topic}-other`];
      const [both, ...each] = await Promise.all([
        listener(stage, topics),
        ...topics.map((topic) => listener(stage, [`${topic}-own`])),
      ]);
      const own = topics.map((topic) => `${topic}-own`);
      await notifierOf(stage, { topics: [...topics, ...own] }).info({}, "event", {});
      await Promise.all([both("event"), both("event"), ...each.map((seen) => seen("event"))]);
    });

    test("of one topic are shared by its listeners: each goes to one", async () => {
      await using stage = new Stage(bed, "shared");
      const seen = new Inbox<Seen>("the listeners");
      await Promise.all([stage.listen([recorder(seen)]), stage.listen([recorder(seen)])]);
      const notifier = notifierOf(stage);
      const events = Array.from({ length: 10 }, (_, index) => `event ${index}`);
      await Promise.all(events.map((event) => notifier.info({}, event, {})));
      for (const event of events) await seen.take(event, ({ eventType }) => eventType === event || undefined);
      expect(seen.unread).toEqual([]);
    });

    test("go to every endpoint whose filter lets them pass", async () => {
      await using stage = new Stage(bed, "filters");
      const [compute, large, all] = [1, 2, 3].map((n) => new Inbox<Seen>(`endpoint ${n}`)) as Inboxes;
      await stage.listen([
        { ...recorder(compute), filterRule: new NotificationFilter({ eventType: "compute\\." }) },
        { ...recorder(large), filterRule: new NotificationFilter({ payload: { size: "large$" } }) },
        recorder(all),
      ]);
      const notifier = notifierOf(stage);
      await notifier.info({}, "compute.large", { size: "large" });
      await notifier.info({}, "compute.small", { size: "small" });
      await notifier.info({}, "network.large", { size: "large" });
      await notifier.info({}, "network.compute", { size: 5 });
      await all.take("the last one", ({ eventType }) => eventType === "network.compute" || undefined);
      expect(compute.unread.map(({ eventType }) => eventType)).toEqual(["compute.large", "compute.small"]);
      expect(large.unread.map(({ eventType }) => eventType)).toEqual(["compute.large", "network.large"]);
    });

    test.each([
      ["answered with requeue", () => NotificationResult.REQUEUE],
      ["that their endpoint failed on", fails],
    ])("%s come again, if the listener allows it", async (_what, refuse) => {
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
    ])("%s are done with, unless the listener allows it", async (_what, refuse) => {
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

    test("that their endpoint fails on are logged, and the listener goes on", async () => {
      await using stage = new Stage(bed, "failing");
      const seen = await listener(stage, undefined, [{ info: fails }]);
      await notifierOf(stage).info({}, "first", {});
      await notifierOf(stage).warn({}, "second", {});
      expect(await seen("second")).toMatchObject({ priority: "warn" });
      expect(stage.logger.of("error")).toContainEqual(expect.stringMatching(/endpoint failed: Error: out of paper/));
    });

    if (bed.acknowledgesEndToEnd) {
      test("that the router takes are pending until their handler is through", async () => {
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

      test("that nobody listens for fail in the phase credit, after their time or the default one", async () => {
        await using stage = new Stage(bed, "nobody");
        const notifier = notifierOf(stage, {}, { amqp: { defaultNotifyTimeoutMs: 5_000 } });
        const unheard = { phase: "credit", address: expect.stringContaining(`${stage.topic}.info`) };
        const limited = notifier.info({}, "event", {}, { timeoutMs: 500 });
        const unlimited = notifier.info({}, "event", {});
        await expect(limited).rejects.toMatchObject({ name: "MessagingTimeout", ...unheard });
        await expect(unlimited).rejects.toMatchObject({
          name: "MessageDeliveryFailure",
          outcome: "unsent",
          message: expect.stringContaining("timed out"),
          ...unheard,
        });
      });

      test("that fail are told to onFailure, if there is one, and nobody has to catch them", async () => {
        await using stage = new Stage(bed, "on failure");
        const failures: Error[] = [];
        const onFailure = (error: Error): void => void failures.push(error);
        await notifierOf(stage, { onFailure }).info({}, "event", {}, { timeoutMs: 500 });
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

      test("that nobody listens for are kept, and delivered in order when somebody does", async () => {
        await using stage = new Stage(bed, "kept");
        const notifier = notifierOf(stage);
        await notifier.info({}, "first", {});
        await notifier.info({}, "second", {});
        const seen = new Inbox<Seen>("the listener");
        await stage.listen([recorder(seen)]);
        await seen.take("the second", ({ eventType }) => eventType === "second" || undefined);
        expect(seen.unread.map(({ eventType }) => eventType)).toEqual(["first"]);
      });

      test("that a listener has not answered when it goes are delivered to the next one", async () => {
        await using stage = new Stage(bed, "handed on");
        const transport = stage.notificationTransport();
        const { handler, begun, release } = held();
        await stage.listen([{ info: handler }], { transport });
        await notifierOf(stage).info({}, "event", {});
        await begun;
        await transport.close();
        const seen = await listener(stage);
        expect(await seen("event")).toMatchObject({ eventType: "event" });
        release();
      });
    }
  });
});

type Inboxes = [Inbox<Seen>, Inbox<Seen>, Inbox<Seen>];

function notifierOf(stage: Stage, options?: Partial<NotifierOptions>, transport?: TransportOptions): Notifier {
  return new Notifier(stage.notificationTransport(transport), {
    publisherId: "test.host",
    topics: [stage.topic],
    ...options,
  });
}

/** Listens to all priorities. Gives what resolves with the next notification of an event type. */
async function listener(
  stage: Stage,
  topics?: readonly string[],
  others: readonly NotificationEndpoint[] = [],
): Promise<(eventType: string) => Promise<Seen>> {
  const inbox = new Inbox<Seen>("the listener");
  await stage.listen([...others, recorder(inbox)], { topics });
  return (eventType) => inbox.take(eventType, (seen) => (seen.eventType === eventType ? seen : undefined));
}

type Recorder = Record<
  (typeof PRIORITIES)[number],
  (context: object, publisherId: string, eventType: string, payload: unknown, metadata: NotificationMetadata) => void
>;

function recorder(inbox: Inbox<Seen>): Recorder {
  const handlers = PRIORITIES.map((priority) => [
    priority,
    (context: object, publisherId: string, eventType: string, payload: unknown, metadata: NotificationMetadata) =>
      inbox.put({ priority, context, publisherId, eventType, payload, metadata }),
  ]);
  return Object.fromEntries(handlers);
}

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
