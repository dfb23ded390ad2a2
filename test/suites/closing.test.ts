import { expect, test } from "vitest";
import { getRpcClient, getRpcServer, getRpcTransport } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

const CLOSED = "the transport is closed";

overEveryBed("Closing a transport", (bed) => {
  const test = withStage(bed);

  test("closing a transport fails calls that wait for a reply, and later calls", async ({ stage, served }) => {
    const transport = stage.rpcTransport();
    const client = await stage.client({ transport });
    const ended = expect(client.call({}, "hold", { arg: "x" })).rejects.toMatchObject({
      name: "MessageDeliveryFailure",
      outcome: "unknown",
      phase: "reply",
      message: expect.stringContaining("the transport was closed"),
    });
    await served.begun("x");
    await client.call({}, "echo"); // behind the acknowledgement of the first
    await transport.close();
    await ended;
    await expect(client.call({}, "echo")).rejects.toThrow(CLOSED);
    await expect(client.cast({}, "echo")).rejects.toThrow(CLOSED);
    await expect(transport.connect()).rejects.toThrow(CLOSED);
    await transport.close();
  });

  test("closing a transport with a grace lets calls finish, and rejects new ones", async ({ stage, served }) => {
    const transport = stage.rpcTransport();
    const client = await stage.client({ transport });
    const call = client.call({}, "hold", { arg: "in time" });
    await served.begun("in time");
    const closed = transport.close({ graceMs: 20_000 });
    await expect(client.call({}, "echo")).rejects.toThrow(CLOSED);
    served.release();
    expect(await call).toBe("in time");
    await closed;
    expect(transport.state).toEqual({ type: "closed" });
  });
});

test("closing a transport that is connecting fails connect, start and calls", async () => {
  /** Never connects, and rejects when it is aborted. */
  const dial = (_to: unknown, _on: unknown, signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const transport = getRpcTransport("amqp+slow://somewhere/", { logger: null, dialers: { "amqp+slow": dial } });
  const client = getRpcClient(transport, { topic: "t" });
  const connecting = expect(transport.connect()).rejects.toThrow(CLOSED);
  const server = getRpcServer(transport, { topic: "t", server: "s" }, [{}]);
  const starting = expect(server.start()).rejects.toThrow(CLOSED);
  const calling = expect(client.call({}, "m")).rejects.toMatchObject({
    name: "MessageDeliveryFailure",
    outcome: "unsent",
    phase: "connecting",
    host: "somewhere:5672",
    message: expect.stringContaining("the transport was closed"),
  });
  expect(transport.state).toEqual({ type: "connecting", host: "somewhere:5672", attempt: 1 });
  await transport.close();
  await Promise.all([connecting, starting, calling]);
  expect(transport.state).toEqual({ type: "closed" });
});
