import { describe, expect, test } from "vitest";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { listen, notifierOf, recorder, type Seen } from "@/test/fixtures/stages/notification-endpoints.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

/** Long enough for a router to give credit that it has. */
const SHORT_MS = 2_000;

// Each is about topics of its own, and some wait for time.
describe.concurrent("Listeners", () => {
  overEveryBed("of topics", (bed) => {
    test("hear the priorities of their topic that they have methods for, in both versions, and nothing else", {
      tags: ["notify:topic-and-priority", "notify:envelope"],
    }, async () => {
      await using stage = new Stage(bed, "heard");
      const [one, two, none] = ["one", "two", "none"].map((name) => `${stage.topic}-${name}`) as Three;
      const seen = new Inbox<Seen>("the listeners");
      const { info, error, debug } = recorder(seen);
      await stage.listen([{ info, error }], { topics: [one] });
      await stage.listen([{ debug }], { topics: [two] });
      for (const driver of ["messaging", "messagingv2"] as const) {
        const notifier = (topic: string) => notifierOf(stage, { drivers: [driver], topics: [topic], retry: 0 });
        await notifier(one).info({}, `${driver} one info`, {});
        await notifier(one).error({}, `${driver} one error`, {});
        await notifier(two).debug({}, `${driver} two debug`, {});
        const unheard = [
          notifier(one).warn({}, `${driver} one warn`, {}, { timeoutMs: SHORT_MS }),
          notifier(none).debug({}, `${driver} none debug`, {}, { timeoutMs: SHORT_MS }),
        ];
        const statuses = (await Promise.allSettled(unheard)).map(({ status }) => status);
        const expected = bed.storesMessages ? "fulfilled" : "rejected";
        expect(statuses).toEqual([expected, expected]);
        for (const event of ["one info", "one error", "two debug"]) {
          await seen.take(event, ({ eventType }) => eventType === `${driver} ${event}` || undefined);
        }
      }
      expect(seen.unread).toEqual([]);
    });

    test("of different topics hear their own, side by side", { tags: ["notify:topics:independent"] }, async () => {
      await using stage = new Stage(bed, "independent");
      const topics = ["1", "2"].map((name) => `${stage.topic}-${name}`);
      await Promise.all(
        topics.map(async (topic, index) => {
          const inbox = new Inbox<Seen>(topic);
          await stage.listen([recorder(inbox)], { topics: [topic] });
          const publisherId = `publisher ${index}`;
          const notifier = notifierOf(stage, { topics: [topic], publisherId });
          const events = Array.from({ length: 8 }, (_, number) => `${topic} event ${number}`);
          for (const event of events) await notifier.info({}, event, { payload: event });
          for (const event of events) {
            const seen = await inbox.take(event, (each) => (each.eventType === event ? each : undefined));
            expect(seen).toMatchObject({ priority: "info", publisherId, payload: { payload: event } });
          }
          expect(inbox.unread).toEqual([]);
        }),
      );
    });

    test("of two topics hear each from its own publisher", { tags: ["notify:topics"] }, async () => {
      await using stage = new Stage(bed, "publishers");
      const topics = ["a", "b"].map((name) => `${stage.topic}-${name}`);
      const seen = await listen(stage, topics);
      for (const topic of topics) {
        await notifierOf(stage, { topics: [topic], publisherId: `of ${topic}` }).info({}, topic, topic);
      }
      for (const topic of topics) {
        expect(await seen(topic)).toMatchObject({ publisherId: `of ${topic}`, payload: topic });
      }
    });
  });
});

type Three = [string, string, string];
