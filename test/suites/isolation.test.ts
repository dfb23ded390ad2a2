import { expect, test } from "vitest";
import { overEveryBed, uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

const MANY = 1_000;

overEveryBed("Isolation", (bed) => {
  test("calls to a live topic are answered while 1,000 wait for a dead one, which all get their turn in the end", {
    tags: ["link:sender:blocked"],
  }, async () => {
    await using stage = new Stage(bed, "live");
    const topic = uniqueTopic("dead");
    await stage.serve("a", [new BlockingEndpoint()]);
    const client = await stage.client();
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

  test("calls to a free server are answered while 1,000 wait for a busy one on the same two connections", async () => {
    await using stage = new Stage(bed, "free");
    const topic = uniqueTopic("busy");
    const busy = new BlockingEndpoint();
    const transport = stage.rpcTransport({ amqp: { rpcServerCredit: 1 } });
    await stage.serve("busy", [busy], { topic, transport, concurrency: 1 });
    await stage.serve("free", [new BlockingEndpoint()], { transport });
    const client = await stage.client();
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
