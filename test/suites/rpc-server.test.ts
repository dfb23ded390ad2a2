import { expect } from "vitest";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

/** A router may return a call to its client, which sends it again after this time. */
const SOON = { amqp: { linkRetryDelayMs: 1_000 } };

overEveryBed("An RPC server", (bed) => {
  const test = withStage(bed);

  test("a stopped RPC server finishes its calls, and takes new ones when it is started again", {
    tags: ["rpc:server:stop"],
  }, async ({ stage }) => {
    const held = new BlockingEndpoint();
    const server = await stage.serve("a", [held]);
    const client = await stage.client({ transport: stage.rpcTransport(SOON) });
    const first = client.call({}, "hold", { arg: "first" });
    await held.begun("first");
    await server.stop();
    const second = client.call({}, "hold", { arg: "second" });
    const waited = server.wait();
    await expect(server.wait({ timeoutMs: 50 })).rejects.toMatchObject({ name: "TaskTimeout" });
    held.release();
    expect(await first).toBe("first");
    await waited;
    expect(held.calls).toEqual(["first"]);
    await server.start();
    expect(await second).toBe("second");
  });

  test("an RPC server that is stopped under load loses no call, and each call is served once", {
    tags: ["rpc:server:stop"],
  }, async ({ stage }) => {
    const served: number[] = [];
    const count = (_context: object, { arg }: { arg: number }): number => served.push(arg);
    const leaving = await stage.serve("a", [{ count }]);
    await stage.serve("b", [{ count }]);
    const client = await stage.client({ transport: stage.rpcTransport(SOON) });
    await client.call({}, "count", { arg: -1 });
    const args = Array.from({ length: 300 }, (_, arg) => arg);
    const calls = args.map((arg) => client.call({}, "count", { arg }));
    await calls[0];
    await leaving.stop();
    await leaving.wait();
    await Promise.all(calls);
    expect(served.sort((a, b) => a - b)).toEqual([-1, ...args]);
  });

  test("an RPC server can share its connection with a client that its methods use", async ({ stage, client }) => {
    const transport = stage.rpcTransport();
    await stage.serve("a", [{ answer: () => 42 }], { transport });
    const inner = await stage.client({ transport, target: { server: "a" } });
    await stage.serve("b", [{ ask: () => inner.call({}, "answer") }], { transport });
    expect(await client.prepare({ server: "b" }).call({}, "ask")).toBe(42);
  });
});
