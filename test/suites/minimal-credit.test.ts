import { expect, test } from "vitest";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { notifierOf, recorder, type Seen } from "@/test/fixtures/stages/notification-endpoints.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

const ONE = { amqp: { rpcServerCredit: 1, notifyServerCredit: 1, replyLinkCredit: 1 } };

overEveryBed("With a credit of 1", (bed) => {
  test("many calls at once are all answered", { tags: ["link:credit:minimal"] }, async () => {
    await using stage = new Stage(bed, "minimal");
    await stage.serve("a", [new BlockingEndpoint()], { transport: stage.rpcTransport(ONE) });
    const client = await stage.client({ transport: stage.rpcTransport(ONE) });
    const args = Array.from({ length: 50 }, (_, arg) => arg);
    const targets = [client, client.prepare({ server: "a" })];
    const answers = targets.map((to) => Promise.all(args.map((arg) => to.call({}, "echo", { arg }))));
    expect(await Promise.all(answers)).toEqual([args, args]);
  });

  test("many notifications all arrive, in order", async () => {
    await using stage = new Stage(bed, "minimal");
    const seen = new Inbox<Seen>("the listener");
    await stage.listen([recorder(seen)], { transport: stage.notificationTransport(ONE) });
    const notifier = notifierOf(stage);
    const names = Array.from({ length: 50 }, (_, index) => `event ${index}`);
    await Promise.all(names.map((name) => notifier.info({}, name, {})));
    for (const name of names) expect(await seen.take(name, ({ eventType }) => eventType)).toBe(name);
  });
});
