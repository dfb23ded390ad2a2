import { expect } from "vitest";
import { overEveryBed, uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

const MANY = 1_000;

overEveryBed("Isolation", (bed) => {
  const test = withStage(bed);

  test("calls to a live topic are answered while 1,000 calls wait for a server of another topic, and those are answered later", {
    tags: ["link:sender:blocked"],
  }, async ({ stage, served: _served, client }) => {
    const topic = uniqueTopic("dead");
    if (!bed.plan.abilities.keepsRequests) await stage.leaveQueue(topic);
    const dead = client.prepare({ topic });
    const settled: unknown[] = [];
    const waiting = Array.from({ length: MANY }, (_, arg) =>
      dead.call({}, "echo", { arg }).finally(() => settled.push(arg)),
    );

    for (const arg of ["one", "after", "the", "other"]) expect(await client.call({}, "echo", { arg })).toBe(arg);
    const together = Array.from({ length: 100 }, (_, arg) => client.call({}, "echo", { arg }));
    expect(await Promise.all(together)).toEqual(together.map((_, arg) => arg));
    await client.cast({}, "echo", { arg: "a cast" });
    expect(settled).toEqual([]);

    await stage.serve("late", [new BlockingEndpoint()], { topic });
    expect(await Promise.all(waiting)).toEqual(waiting.map((_, arg) => arg));
  });

  test("calls to a free server are answered while 1,000 calls wait for a busy one on the same two connections", async ({
    stage,
    client,
  }) => {
    const topic = uniqueTopic("busy");
    const busy = new BlockingEndpoint();
    const transport = stage.rpcTransport({ amqp: { rpcServerCredit: 1 } });
    await stage.serve("busy", [busy], { topic, transport, concurrency: 1 });
    await stage.serve("free", [new BlockingEndpoint()], { transport });
    const toBusy = client.prepare({ topic });
    const args = Array.from({ length: MANY }, (_, index) => `${index}`);
    let settled = 0;
    const waiting = args.map((arg) => toBusy.call({}, "hold", { arg }).finally(() => settled++));
    await busy.begun("0");

    for (const arg of ["one", "after", "the", "other"]) expect(await client.call({}, "echo", { arg })).toBe(arg);
    expect(settled).toBe(0);
    expect(busy.calls).toEqual(["0"]);

    busy.release();
    expect(await Promise.all(waiting)).toEqual(args);
  });
});
