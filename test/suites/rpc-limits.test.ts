import { describe, expect, test } from "vitest";
import { type Bed, overEveryBed } from "@/test/fixtures/beds/bed.js";
import { RawClient } from "@/test/fixtures/peers/raw-client.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Frames } from "@/test/fixtures/stages/frame-recorder.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

/** Long enough to come to the phase that a test is about, on a busy machine and a broker that has just started. */
const SHORT_MS = 3_000;

/** The shortest that oslo's servers send heartbeats for. */
const MONITOR_MS = 2_000;

// Each waits for its limit, and together they wait no longer.
describe.concurrent("Limits:", () => {
  overEveryBed("RPC", (bed) => {
    test("a call that its server takes too long for times out in the phase reply, and the late answer is nobody's", {
      tags: ["rpc:call:late-reply", "send:timeout:told"],
    }, async () => {
      await using stage = new Stage(bed, "slow");
      const held = new BlockingEndpoint();
      await stage.serve("a", [held]);
      const frames = new Frames();
      const client = await stage.client({ transport: stage.rpcTransport({ onFrame: frames.onFrame }) });
      const call = client.call({}, "hold", { arg: "late" }, { timeoutMs: SHORT_MS });
      const ended = expect(call).rejects.toMatchObject(timeoutIn("reply", stage.topic));
      await held.begun("late");
      await ended;
      held.release();
      expect(await client.call({}, "echo", { arg: "next" })).toBe("next");
      for (let replies = 0; replies < 2; replies++) await frames.passed("in", "transfer");
      expect(stage.logger.of("warn")).toContainEqual(expect.stringMatching(/reply \(\d+ bytes\) that matches no call/));
    });

    test(`a call that nobody listens for times out in the phase ${unheard(bed)}`, {
      tags: ["rpc:call:unheard"],
    }, async () => {
      await using stage = new Stage(bed, "nobody");
      const client = await stage.client();
      const call = client.call({}, "echo", {}, { timeoutMs: SHORT_MS });
      await expect(call).rejects.toMatchObject(timeoutIn(unheard(bed), stage.topic));
    });

    test("a call to a server that is not there times out, though its topic is served", async () => {
      await using stage = new Stage(bed, "elsewhere");
      await stage.serve("a", [new BlockingEndpoint()]);
      const client = await stage.client({ target: { server: "b" } });
      const call = client.call({}, "echo", {}, { timeoutMs: SHORT_MS });
      await expect(call).rejects.toMatchObject(timeoutIn(unheard(bed), stage.topic));
    });

    if (bed.storesMessages) {
      test("a cast that nobody listens for is stored, and served later", async () => {
        await using stage = new Stage(bed, "later");
        const held = new BlockingEndpoint();
        const client = await stage.client();
        await client.cast({}, "hold", { arg: "stored" });
        await stage.serve("a", [held]);
        await held.begun("stored");
      });
    } else {
      test("a cast that nobody listens for fails in the phase credit, after its time or the default one", {
        tags: ["send:timeout"],
      }, async () => {
        await using stage = new Stage(bed, "nobody");
        const transport = stage.rpcTransport({ amqp: { defaultSendTimeoutMs: 5_000 } });
        const client = await stage.client({ transport });
        const limited = timeoutIn("credit", stage.topic);
        const failure = { ...limited, name: "MessageDeliveryFailure", outcome: "unsent" };
        await Promise.all([
          expect(client.cast({}, "note", {}, { timeoutMs: SHORT_MS })).rejects.toMatchObject(limited),
          expect(client.cast({}, "note")).rejects.toMatchObject(failure),
        ]);
      });

      test("a server that is stopped does not wait long for a caller that is gone, nor leaves out one that is not", async () => {
        await using stage = new Stage(bed, "gone");
        const held = new BlockingEndpoint();
        const server = await stage.serve("a", [held]);
        const leaving = stage.rpcTransport();
        const gone = await stage.client({ transport: leaving });
        const call = expect(gone.call({}, "hold", { arg: "gone" })).rejects.toThrow("the transport was closed");
        await held.begun("gone");
        const client = await stage.client();
        const answered = client.call({}, "hold", { arg: "answered" });
        await held.begun("answered");
        await leaving.close();
        await call;
        await server.stop();
        held.release();
        await server.wait({ timeoutMs: 20_000 });
        expect(await answered).toBe("answered");
        expect(stage.logger.of("warn")).toContainEqual(
          "stopping with 1 undelivered replies: their callers may have disconnected",
        );
      });

      test("a call that its server has no room for times out in the phase acknowledgement", async () => {
        await using stage = new Stage(bed, "busy");
        const held = new BlockingEndpoint();
        await stage.serve("a", [held], { concurrency: 1 });
        const client = await stage.client();
        const first = client.call({}, "hold", { arg: "first" });
        await held.begun("first");
        const second = client.call({}, "hold", { arg: "second" }, { timeoutMs: SHORT_MS });
        await expect(second).rejects.toMatchObject(timeoutIn("acknowledgement", stage.topic));
        held.release();
        expect(await first).toBe("first");
      });
    }

    describe("a signal that is aborted ends a call with its reason", () => {
      const reason = new Error("no longer wanted");

      test("before it begins", async () => {
        await using stage = new Stage(bed, "aborted");
        const held = new BlockingEndpoint();
        await stage.serve("a", [held]);
        const client = await stage.client();
        const call = client.call({}, "hold", { arg: "never" }, { signal: AbortSignal.abort(reason) });
        await expect(call).rejects.toBe(reason);
        expect(await client.call({}, "echo", { arg: "next" })).toBe("next");
        expect(held.calls).toEqual([]);
      });

      test("while nobody listens", { tags: ["send:signal"] }, async () => {
        await using stage = new Stage(bed, "aborted");
        const frames = new Frames();
        const client = await stage.client({ transport: stage.rpcTransport({ onFrame: frames.onFrame }) });
        const controller = new AbortController();
        const call = client.call({}, "hold", { arg: "x" }, { signal: controller.signal });
        const ended = expect(call).rejects.toBe(reason);
        await frames.passed("in", "attach", stage.topic);
        if (bed.storesMessages) await frames.passed("out", "transfer");
        controller.abort(reason);
        await ended;
      });

      test("while its server has no room for it", { tags: ["send:signal"] }, async () => {
        await using stage = new Stage(bed, "aborted");
        const held = new BlockingEndpoint();
        await stage.serve("a", [held], { concurrency: 1 });
        const frames = new Frames();
        const client = await stage.client({ transport: stage.rpcTransport({ onFrame: frames.onFrame }) });
        const first = client.call({}, "hold", { arg: "first" });
        await held.begun("first");
        await frames.passed("out", "transfer");
        const controller = new AbortController();
        const second = client.call({}, "hold", { arg: "second" }, { signal: controller.signal });
        const ended = expect(second).rejects.toBe(reason);
        await frames.passed("out", "transfer");
        controller.abort(reason);
        await ended;
        held.release();
        expect(await first).toBe("first");
      });

      test.each([
        ["its method runs", {}],
        ["its method runs and is monitored", { callMonitorTimeoutMs: 60_000 }],
      ])("while %s", { tags: ["send:signal"] }, async (_when, options) => {
        await using stage = new Stage(bed, "aborted");
        const held = new BlockingEndpoint();
        await stage.serve("a", [held]);
        const client = await stage.client();
        const controller = new AbortController();
        const call = client.call({}, "hold", { arg: "x" }, { ...options, signal: controller.signal });
        const ended = expect(call).rejects.toBe(reason);
        await held.begun("x");
        controller.abort(reason);
        await ended;
        held.release();
        expect(await client.call({}, "echo", { arg: "next" })).toBe("next");
      });
    });

    test("a monitored call goes on beyond the monitor's time while its server sends heartbeats", {
      tags: ["rpc:monitor:good"],
    }, async () => {
      await using stage = new Stage(bed, "monitored");
      const held = new BlockingEndpoint();
      await stage.serve("a", [held]);
      const frames = new Frames();
      const client = await stage.client({ transport: stage.rpcTransport({ onFrame: frames.onFrame }) });
      await client.call({}, "echo"); // the links are there
      await frames.passed("in", "transfer");
      const startMs = performance.now();
      const call = client.call({}, "hold", { arg: "long" }, { callMonitorTimeoutMs: MONITOR_MS });
      // One for every half of the monitor's time.
      for (let heartbeats = 0; heartbeats < 3; heartbeats++) await frames.passed("in", "transfer");
      expect(performance.now() - startMs).toBeGreaterThan(MONITOR_MS);
      held.release();
      expect(await call).toBe("long");
    });

    test("a monitored call whose server is silent fails in the phase heartbeat", {
      tags: ["rpc:monitor:silent"],
    }, async () => {
      await using stage = new Stage(bed, "silent");
      await using stranger = await RawClient.enter(bed);
      const requests = await stranger.listen({ topic: stage.topic });
      const client = await stage.client({ callMonitorTimeoutMs: SHORT_MS });
      const ended = expect(client.call({}, "echo")).rejects.toMatchObject({
        ...timeoutIn("heartbeat", stage.topic),
        message: expect.stringContaining("call monitor timed out"),
      });
      const request = await requests.take("a request", (delivery) => delivery);
      request.accept();
      await ended;
    });

    test("a monitored call ends at its timeout too, whatever heartbeats come", {
      tags: ["rpc:monitor:slow"],
    }, async () => {
      await using stage = new Stage(bed, "monitored");
      const held = new BlockingEndpoint();
      await stage.serve("a", [held]);
      const frames = new Frames();
      const client = await stage.client({ transport: stage.rpcTransport({ onFrame: frames.onFrame }) });
      const options = { callMonitorTimeoutMs: 2 * MONITOR_MS, timeoutMs: 2 * MONITOR_MS + 1_000 };
      const call = client.call({}, "hold", { arg: "x" }, options);
      const ended = expect(call).rejects.toMatchObject(timeoutIn("reply", stage.topic));
      await frames.passed("in", "transfer"); // a heartbeat, without which the monitor would have ended it earlier
      await ended;
      held.release();
    });
  });
});

/** In which phase a message waits that nobody listens for. */
function unheard(bed: Bed): string {
  return bed.storesMessages ? "reply" : "credit";
}

function timeoutIn(phase: string, topic: string): object {
  return {
    name: "MessagingTimeout",
    phase,
    address: expect.stringContaining(topic),
    host: expect.stringMatching(/^\S+:\d+$/),
    elapsedMs: expect.toSatisfy((elapsedMs: number) => elapsedMs >= SHORT_MS - 10),
  };
}
