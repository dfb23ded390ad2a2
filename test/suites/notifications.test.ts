import { describe, expect } from "vitest";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { listen, notifierOf, PRIORITIES, recorder, type Seen } from "@/test/fixtures/stages/notification-endpoints.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

const DRIVERS = ["messaging", "messagingv2"] as const;
const PAYLOAD = { text: "héllo", list: [1, null, { deep: true }], big: 2n ** 60n };

// Each test has a topic of its own.
describe.concurrent("Patterns", () => {
  overEveryBed("of notifications", (bed) => {
    const test = withStage(bed);

    test.for(DRIVERS)(
      "a notification by the driver %s arrives with all its members, and with the chosen part of its context",
      { tags: ["notify:event", "notify:envelope", "notify:context"] },
      async (driver, { stage }) => {
        const seen = await listen(stage);
        const sanitizeContext = (context: object): object => ({ user: Reflect.get(context, "user") });
        const notifier = notifierOf(stage, { drivers: [driver], sanitizeContext });
        await notifier.info({ user: "u", secret: "token" }, "compute.instance.create", PAYLOAD);
        expect(await seen("compute.instance.create")).toEqual({
          priority: "info",
          context: { user: "u" },
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

    test("a notification of each priority arrives at the method of that name", {
      tags: ["notify:priorities"],
    }, async ({ stage }) => {
      const seen = await listen(stage);
      const notifier = notifierOf(stage);
      await Promise.all(PRIORITIES.map((priority) => notifier[priority]({}, `event ${priority}`, {})));
      for (const priority of PRIORITIES) {
        expect(await seen(`event ${priority}`)).toMatchObject({ priority });
      }
    });

    test("a notifier sends to each of its topics, and a listener can listen to several", {
      tags: ["notify:topics"],
    }, async ({ stage }) => {
      const shared = [stage.topic, `${stage.topic}-other`];
      const single = shared.map((topic) => `${topic}-own`);
      const [both, ...each] = await Promise.all([
        listen(stage, shared),
        ...single.map((topic) => listen(stage, [topic])),
      ]);
      await notifierOf(stage, { topics: [...shared, ...single] }).info({}, "event", {});
      await Promise.all([both("event"), both("event"), ...each.map((seen) => seen("event"))]);
    });

    test("the notifications of a topic are shared by its listeners, each going to one", {
      tags: ["notify:listeners-share"],
    }, async ({ stage }) => {
      const seen = new Inbox<Seen & { by: string }>("the listeners");
      for (const by of ["a", "b"]) {
        await stage.listen([recorder({ put: (each: Seen) => seen.put({ ...each, by }) })]);
      }
      const notifier = notifierOf(stage);
      const events = Array.from({ length: 20 }, (_, index) => `event ${index}`);
      await Promise.all(events.map((event) => notifier.info({}, event, {})));
      const by = new Set<string>();
      for (const event of events)
        by.add(await seen.take(event, (each) => (each.eventType === event ? each.by : undefined)));
      expect(seen.unread).toEqual([]);
      expect([...by].sort()).toEqual(["a", "b"]);
    });
  });
});
