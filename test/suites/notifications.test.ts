import { describe, expect, test } from "vitest";
import { NotificationFilter } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { listen, notifierOf, PRIORITIES, recorder, type Seen } from "@/test/fixtures/stages/notification-endpoints.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

const DRIVERS = ["messaging", "messagingv2"] as const;
const PAYLOAD = { text: "héllo", list: [1, null, { deep: true }], big: 2n ** 60n };

// Each is about a topic of its own.
describe.concurrent("A topic's", () => {
  overEveryBed("notifications", (bed) => {
    test.each(DRIVERS)(
      "arrive with all that they say, written by the driver %s",
      { tags: ["notify:event", "notify:envelope"] },
      async (driver) => {
        await using stage = new Stage(bed, driver);
        const seen = await listen(stage);
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
      },
    );

    test("come by their priority, all seven of them", { tags: ["notify:priorities"] }, async () => {
      await using stage = new Stage(bed, "priorities");
      const seen = await listen(stage);
      const notifier = notifierOf(stage);
      await Promise.all(PRIORITIES.map((priority) => notifier[priority]({}, `event ${priority}`, {})));
      for (const priority of PRIORITIES) {
        expect(await seen(`event ${priority}`)).toMatchObject({ priority });
      }
    });

    test("carry of the context what is chosen, and nothing else", { tags: ["notify:context"] }, async () => {
      await using stage = new Stage(bed, "context");
      const seen = await listen(stage);
      const sanitizeContext = (context: object): object => ({ user: Reflect.get(context, "user") });
      await notifierOf(stage, { sanitizeContext }).info({ user: "u", token: "t" }, "event", {});
      expect(await seen("event")).toMatchObject({ context: { user: "u" } });
    });

    test("go to every topic of the notifier, and one listener can listen to several", {
      tags: ["notify:topics"],
    }, async () => {
      await using stage = new Stage(bed, "topics");
      const topics = [stage.topic, `${stage.topic}-other`];
      const [both, ...each] = await Promise.all([
        listen(stage, topics),
        ...topics.map((topic) => listen(stage, [`${topic}-own`])),
      ]);
      const own = topics.map((topic) => `${topic}-own`);
      await notifierOf(stage, { topics: [...topics, ...own] }).info({}, "event", {});
      await Promise.all([both("event"), both("event"), ...each.map((seen) => seen("event"))]);
    });

    test("of one topic are shared by its listeners: each goes to one, and every listener gets some", {
      tags: ["notify:listeners-share"],
    }, async () => {
      await using stage = new Stage(bed, "shared");
      const seen = new Inbox<Seen & { by: string }>("the listeners");
      for (const by of ["a", "b"]) {
        const own = recorder({ put: (one: Seen) => seen.put({ ...one, by }) });
        await stage.listen([own]);
      }
      const notifier = notifierOf(stage);
      const events = Array.from({ length: 20 }, (_, index) => `event ${index}`);
      await Promise.all(events.map((event) => notifier.info({}, event, {})));
      const by = new Set<string>();
      for (const event of events)
        by.add(await seen.take(event, (one) => (one.eventType === event ? one.by : undefined)));
      expect(seen.unread).toEqual([]);
      expect([...by].sort()).toEqual(["a", "b"]);
    });

    test("are apart from those of another topic", async () => {
      await using stage = new Stage(bed, "apart");
      const topics = ["one", "two"].map((name) => `${stage.topic}-${name}`);
      const inboxes = topics.map((topic) => new Inbox<Seen>(topic));
      for (const [index, inbox] of inboxes.entries()) {
        await stage.listen([recorder(inbox)], { topics: topics.slice(index, index + 1) });
      }
      await Promise.all(
        topics.map(async (topic) => {
          const notifier = notifierOf(stage, { topics: [topic], publisherId: topic });
          for (const event of "abcdefgh") await notifier.info({}, event, {});
        }),
      );
      for (const [index, inbox] of inboxes.entries()) {
        const seen = await Promise.all([..."abcdefgh"].map(() => inbox.take("another one", (one) => one)));
        expect(
          seen
            .map(({ eventType }) => eventType)
            .sort()
            .join(""),
        ).toBe("abcdefgh");
        expect(new Set(seen.map(({ publisherId }) => publisherId))).toEqual(new Set([topics[index]]));
        expect(inbox.unread).toEqual([]);
      }
    });

    test("go to every endpoint whose filter lets them pass", { tags: ["notify:filter"] }, async () => {
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
      // They are handled side by side: in which order they come to an endpoint depends on the ones before it.
      expect(await next(4, all)).toEqual(["compute.large", "compute.small", "network.compute", "network.large"]);
      expect(await next(2, compute)).toEqual(["compute.large", "compute.small"]);
      expect(await next(2, large)).toEqual(["compute.large", "network.large"]);
      expect([...all.unread, ...compute.unread, ...large.unread]).toEqual([]);
    });

    test("that their endpoint fails on are logged, and the listener goes on", async () => {
      await using stage = new Stage(bed, "failing");
      const seen = await listen(stage, undefined, [{ info: fails }]);
      await notifierOf(stage).info({}, "first", {});
      await notifierOf(stage).warn({}, "second", {});
      expect(await seen("second")).toMatchObject({ priority: "warn" });
      expect(stage.logger.of("error")).toContainEqual(expect.stringMatching(/endpoint failed: Error: out of paper/));
    });
  });
});

type Inboxes = [Inbox<Seen>, Inbox<Seen>, Inbox<Seen>];

/** The event types of the next so many, sorted. */
async function next(count: number, inbox: Inbox<Seen>): Promise<string[]> {
  const events = Array.from({ length: count }, () => inbox.take("another one", ({ eventType }) => eventType));
  return (await Promise.all(events)).sort();
}

function fails(): never {
  throw new Error("out of paper");
}
