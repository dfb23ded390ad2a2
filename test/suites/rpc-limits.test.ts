import { describe, expect } from "vitest";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

/** Long enough to reach the phase that a test is about, on a busy machine and with a broker that has just started. */
const SHORT_MS = 3_000;

/** Shortest monitor timeout for which oslo's servers send heartbeats. */
const MONITOR_MS = 2_000;

// Each test waits for its limit; concurrent tests share the wait.
describe.concurrent("RPC limits", () => {
  overEveryBed("of a client", (bed) => {
    const test = withStage(bed);
    /** Phase of a message to an address without a listener. */
    const unheard = bed.storesMessages ? "reply" : "credit";

    test("a call to a slow method times out in the phase reply while other calls are answered, and its late reply is discarded", {
      tags: ["rpc:call:late-reply", "rpc:call:missing-reply", "rpc:call:while-another-times-out", "send:timeout:told"],
    }, async ({ stage, served, frames, watchedClient }) => {
      const call = watchedClient.call({}, "hold", { arg: "late" }, { timeoutMs: SHORT_MS });
      const ended = expect(call).rejects.toMatchObject(timeoutIn("reply", stage.topic));
      await served.begun("late");
      for (let arg = 0; arg < 10; arg++) expect(await watchedClient.call({}, "echo", { arg })).toBe(arg);
      await ended;
      served.release();
      expect(await watchedClient.call({}, "echo", { arg: "next" })).toBe("next");
      for (let replies = 0; replies < 12; replies++)
        await frames.passed("in", bed.frameNames.delivery, bed.frameNames.deliveryAbout);
      expect(stage.logger.of("warn")).toContainEqual(expect.stringMatching(/reply \(\d+ bytes\) that matches no call/));
    });

    test(`a call to a topic without a server times out in the phase ${unheard}`, {
      tags: ["rpc:call:unheard"],
    }, async ({ stage, client }) => {
      const call = client.call({}, "echo", {}, { timeoutMs: SHORT_MS });
      await expect(call).rejects.toMatchObject(timeoutIn(unheard, stage.topic));
    });

    if (!bed.plan.abilities.keepsRequests) {
      test("a cast to a topic without a server is lost, and fails with atLeastOnce", async ({ stage, client }) => {
        await client.cast({}, "hold", { arg: "lost" });
        await expect(client.cast({}, "hold", {}, { atLeastOnce: true })).rejects.toMatchObject({
          name: "MessageUndeliverable",
          exchange: "openstack",
          routingKey: stage.topic,
        });
        const served = new BlockingEndpoint();
        await stage.serve("a", [served]);
        await client.cast({}, "hold", { arg: "kept" }, { atLeastOnce: true });
        await served.begun("kept");
        expect(served.calls).toEqual(["kept"]);
        served.release();
      });
    } else if (bed.storesMessages) {
      test("a cast to a topic without a server is stored for a later server", async ({ stage, client }) => {
        await client.cast({}, "hold", { arg: "stored" });
        const served = new BlockingEndpoint();
        await stage.serve("a", [served]);
        await served.begun("stored");
        served.release();
      });
    } else {
      test("a cast to a topic without a server fails in the phase credit, after its own timeout or the default one", {
        tags: ["send:timeout"],
      }, async ({ stage }) => {
        const transport = stage.rpcTransport({ amqp: { defaultSendTimeoutMs: 5_000 } });
        const client = await stage.client({ transport });
        const limited = timeoutIn("credit", stage.topic);
        const failure = { ...limited, name: "MessageDeliveryFailure", outcome: "unsent" };
        await Promise.all([
          expect(client.cast({}, "note", {}, { timeoutMs: SHORT_MS })).rejects.toMatchObject(limited),
          expect(client.cast({}, "note")).rejects.toMatchObject(failure),
        ]);
      });
    }

    test("a fanout cast to a topic without a server resolves at once", {
      tags: ["rpc:cast:fanout-unheard"],
    }, async ({ client }) => {
      const startMs = performance.now();
      await client.prepare({ fanout: true }).cast({}, "note", { arg: "unheard" });
      expect(performance.now() - startMs).toBeLessThan(15_000); // half of default_send_timeout
    });

    test("a call whose method runs ends with the reason of its aborted signal", {
      tags: ["send:signal"],
    }, async ({ served, client }) => {
      const reason = new Error("no longer wanted");
      const controller = new AbortController();
      const call = client.call({}, "hold", { arg: "x" }, { signal: controller.signal });
      const ended = expect(call).rejects.toBe(reason);
      await served.begun("x");
      controller.abort(reason);
      await ended;
      served.release();
      expect(await client.call({}, "echo", { arg: "next" })).toBe("next");
    });

    test("a monitored call outlasts the monitor timeout while its server sends heartbeats", {
      tags: ["rpc:monitor:good"],
    }, async ({ served, frames, watchedClient }) => {
      await watchedClient.call({}, "echo"); // attaches the links
      await frames.passed("in", bed.frameNames.delivery, bed.frameNames.deliveryAbout);
      const startMs = performance.now();
      const call = watchedClient.call({}, "hold", { arg: "long" }, { callMonitorTimeoutMs: MONITOR_MS });
      // One heartbeat for every half of the monitor timeout.
      for (let heartbeats = 0; heartbeats < 3; heartbeats++)
        await frames.passed("in", bed.frameNames.delivery, bed.frameNames.deliveryAbout);
      expect(performance.now() - startMs).toBeGreaterThan(MONITOR_MS);
      served.release();
      expect(await call).toBe("long");
    });

    test("a monitored call whose server is silent fails in the phase heartbeat", {
      tags: ["rpc:monitor:silent"],
    }, async ({ stage, rawClient }) => {
      const requests = await rawClient.listen({ topic: stage.topic });
      const client = await stage.client({ callMonitorTimeoutMs: SHORT_MS });
      const ended = expect(client.call({}, "echo")).rejects.toMatchObject({
        ...timeoutIn("heartbeat", stage.topic),
        message: expect.stringContaining("call monitor timed out"),
      });
      const request = await requests.take("a request", (delivery) => delivery);
      request.accept();
      await ended;
    });
  });
});

function timeoutIn(phase: string, topic: string): object {
  return {
    name: "MessagingTimeout",
    phase,
    address: expect.stringContaining(topic),
    host: expect.stringMatching(/^\S+:\d+$/),
    elapsedMs: expect.toSatisfy((elapsedMs: number) => elapsedMs >= SHORT_MS - 10),
  };
}
