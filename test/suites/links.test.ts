import { expect } from "vitest";
import { AMQP_1_0, overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { notifierOf, recorder, type Seen } from "@/test/fixtures/stages/notification-endpoints.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

const ONE = { amqp: { rpcServerCredit: 1, notifyServerCredit: 1, replyLinkCredit: 1 } };

overEveryBed(
  "Links with a credit of 1",
  (bed) => {
    const test = withStage(bed);

    test("links with a credit of 1 carry 50 concurrent calls in order", { tags: ["link:credit:minimal"] }, async ({
      stage,
    }) => {
      const held = new BlockingEndpoint();
      await stage.serve("a", [held], { transport: stage.rpcTransport(ONE) });
      const client = await stage.client({ transport: stage.rpcTransport(ONE), target: { server: "a" } });
      const args = Array.from({ length: 50 }, (_, index) => `${index}`);
      const calls = args.map((arg) => client.call({}, "hold", { arg }));
      await held.begun("0");
      held.release();
      expect(await Promise.all(calls)).toEqual(args);
      expect(held.calls).toEqual(args);
    });

    test("links with a credit of 1 carry 50 concurrent notifications in order", async ({ stage }) => {
      const seen = new Inbox<Seen>("the listener");
      await stage.listen([recorder(seen)], { transport: stage.notificationTransport(ONE) });
      const notifier = notifierOf(stage);
      const names = Array.from({ length: 50 }, (_, index) => `event ${index}`);
      await Promise.all(names.map((name) => notifier.info({}, name, {})));
      for (const name of names) expect(await seen.take(name, ({ eventType }) => eventType)).toBe(name);
    });
  },
  { plans: AMQP_1_0 },
);
