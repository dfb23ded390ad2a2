import { describe, expect, test } from "vitest";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Frames } from "@/test/fixtures/stages/frame-recorder.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

// Some wait for time.
describe.concurrent("Links", () => {
  overEveryBed("of clients and servers", (bed) => {
    test("with a credit of 1, for requests and for replies, carry all calls, one after the other", {
      tags: ["link:credit:minimal"],
    }, async () => {
      await using stage = new Stage(bed, "minimal");
      const held = new BlockingEndpoint();
      const serving = stage.rpcTransport({ amqp: { rpcServerCredit: 1 } });
      await stage.serve("a", [held], { transport: serving });
      const calling = stage.rpcTransport({ amqp: { replyLinkCredit: 1 } });
      const client = await stage.client({ transport: calling, target: { server: "a" } });
      const args = ["1", "2", "3", "4", "5", "6"];
      const calls = args.map((arg) => client.call({}, "hold", { arg }));
      await held.begun("1");
      held.release();
      expect(await Promise.all(calls)).toEqual(args);
      expect(held.calls).toEqual(args);
    });

    test("that nothing is sent by for default_sender_link_timeout are detached, and made anew", {
      tags: ["link:sender:idle"],
    }, async () => {
      await using stage = new Stage(bed, "idle");
      const held = new BlockingEndpoint();
      await stage.serve("a", [held]);
      const frames = new Frames();
      const amqp = { defaultSenderLinkTimeoutMs: 1_000 };
      const client = await stage.client({ transport: stage.rpcTransport({ amqp, onFrame: frames.onFrame }) });
      const names = new Set<unknown>();
      for (const arg of ["first", "second"]) {
        await client.cast({}, "hold", { arg });
        await held.begun(arg);
        const { fields } = await frames.passed("out", "attach", stage.topic);
        names.add(Reflect.get(fields, "name"));
        await frames.passed("out", "detach");
        await frames.passed("in", "detach");
      }
      expect(names.size).toBe(2);
      expect(stage.logger.of("warn")).toEqual([]);
      held.release();
    });
  });
});
