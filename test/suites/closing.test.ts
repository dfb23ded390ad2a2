import { describe, expect, test } from "vitest";
import { getRpcClient, getRpcServer, getRpcTransport, type TransportStatus } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Deferred } from "@/test/fixtures/stages/deferred.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

const CLOSED = "the transport is closed";

overEveryBed("Closing a transport", (bed) => {
  test("fails the calls that wait for a reply, and says why", async () => {
    await using stage = new Stage(bed, "closing");
    const held = new BlockingEndpoint();
    await stage.serve("a", [held]);
    const transport = stage.rpcTransport();
    const client = await stage.client({ transport });
    const ended = expect(client.call({}, "hold", { arg: "x" })).rejects.toMatchObject({
      name: "MessageDeliveryFailure",
      outcome: "unknown",
      phase: "reply",
      message: expect.stringContaining("the transport was closed"),
    });
    await held.begun("x");
    await client.call({}, "echo"); // behind the acknowledgement of the first
    await transport.close();
    await ended;
    held.release();
    await expect(client.call({}, "echo")).rejects.toThrow(CLOSED);
    await expect(client.cast({}, "echo")).rejects.toThrow(CLOSED);
    await expect(transport.connect()).rejects.toThrow(CLOSED);
    await transport.close();
  });

  test("fails what waits for somebody to listen", async () => {
    await using stage = new Stage(bed, "closing");
    const transport = stage.rpcTransport();
    const client = await stage.client({ transport });
    const calls = Promise.allSettled(Array.from({ length: 100 }, () => client.call({}, "echo")));
    await transport.close();
    for (const result of await calls) {
      expect(result).toMatchObject({ status: "rejected", reason: { name: "MessageDeliveryFailure" } });
    }
  });

  test("gives what is under way the time that it is given, and takes nothing new meanwhile", async () => {
    await using stage = new Stage(bed, "grace");
    const held = new BlockingEndpoint();
    await stage.serve("a", [held]);
    const transport = stage.rpcTransport();
    const client = await stage.client({ transport });
    const call = client.call({}, "hold", { arg: "in time" });
    await held.begun("in time");
    const closed = transport.close({ graceMs: 20_000 });
    await expect(client.call({}, "echo")).rejects.toThrow(CLOSED);
    held.release();
    expect(await call).toBe("in time");
    await closed;
    expect(transport.state).toEqual({ type: "closed" });
  });

  test("ends what is not done in that time", async () => {
    await using stage = new Stage(bed, "grace");
    const held = new BlockingEndpoint();
    await stage.serve("a", [held]);
    const transport = stage.rpcTransport();
    const client = await stage.client({ transport });
    const ended = expect(client.call({}, "hold", { arg: "too slow" })).rejects.toThrow("the transport was closed");
    await held.begun("too slow");
    await transport.close({ graceMs: 100 });
    await ended;
    held.release();
  });

  test("is the end of its status", async () => {
    await using stage = new Stage(bed, "status");
    const transport = stage.rpcTransport();
    await transport.connect();
    const types: TransportStatus["type"][] = [];
    for await (const { type } of transport.status()) {
      types.push(type);
      void transport.close();
    }
    expect(types).toEqual(["connected", "closed"]);
  });

  test("tells the methods of a server that their callers cannot be reached, and the server can still be stopped", async () => {
    await using stage = new Stage(bed, "serving");
    const transport = stage.rpcTransport();
    const begun = new Deferred();
    const aborted = new Deferred();
    const endpoint = {
      hold: async (_context: object, _args: object, { signal }: { signal: AbortSignal }) => {
        signal.addEventListener("abort", () => aborted.resolve());
        begun.resolve();
        await aborted.promise;
      },
    };
    const server = await stage.serve("a", [endpoint], { transport });
    const calling = stage.rpcTransport();
    const client = await stage.client({ transport: calling });
    const ended = expect(client.call({}, "hold")).rejects.toThrow("the transport was closed");
    await begun.promise;
    await transport.close();
    await aborted.promise;
    await server.stop();
    await server.wait();
    await calling.close();
    await ended;
  });
});

describe("Closing a transport that is connecting", () => {
  /** Nobody answers it, and it ends when it is told to. */
  const dial = (_to: unknown, _on: unknown, signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

  test("ends everybody who waits for the connection", async () => {
    const transport = getRpcTransport("amqp+slow://somewhere/", { dialers: { "amqp+slow": dial } });
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
});
