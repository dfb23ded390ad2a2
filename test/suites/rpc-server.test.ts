import { describe, expect, test } from "vitest";
import {
  accessPolicies,
  expectedExceptions,
  expose,
  jsonPayloadSerializer,
  type RemoteError,
  type RemoteFailure,
  RPCDispatcherError,
  Target,
} from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Frames } from "@/test/fixtures/stages/frame-recorder.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

overEveryBed("An RPC server", (bed) => {
  describe("chooses the endpoint", () => {
    const endpoints = [
      { target: new Target({ version: "1.3" }), which: () => "1.3" },
      { target: new Target({ version: "2.1" }), which: () => "2.1", only: () => "in 2.1" },
      { target: new Target({ namespace: "admin", version: "1.0" }), which: () => "admin" },
      { target: new Target({ namespace: "new", legacyNamespaces: ["old"] }), which: () => "new or old" },
    ];

    test("by version: the same major one, and no newer minor one than it has", {
      tags: ["rpc:dispatch:versions"],
    }, async () => {
      await using stage = new Stage(bed, "versions");
      await stage.serve("a", endpoints);
      const client = await stage.client();
      const which = (version: string | null): Promise<unknown> => client.prepare({ version }).call({}, "which");
      expect(await which(null)).toBe("1.3");
      expect(await which("1.0")).toBe("1.3");
      expect(await which("1.3")).toBe("1.3");
      expect(await which("2.0")).toBe("2.1");
      for (const version of ["1.4", "2.2", "3.0", "0.9"]) {
        await expect(which(version)).rejects.toMatchObject({
          name: "RemoteError",
          excType: "UnsupportedVersion",
          module: "oslo_messaging.rpc.dispatcher",
          value: `Endpoint does not support RPC version ${version}. Attempted method: which`,
        });
      }
    });

    test("by method, among those of a fitting version", async () => {
      await using stage = new Stage(bed, "versions");
      await stage.serve("a", endpoints);
      const client = await stage.client();
      expect(await client.prepare({ version: "2.0" }).call({}, "only")).toBe("in 2.1");
      await expect(client.prepare({ version: "1.0" }).call({}, "only")).rejects.toMatchObject({
        excType: "NoSuchMethod",
      });
    });

    test("by namespace, an old one too", { tags: ["rpc:dispatch:namespaces"] }, async () => {
      await using stage = new Stage(bed, "namespaces");
      await stage.serve("a", endpoints);
      const client = await stage.client();
      const which = (namespace: string): Promise<unknown> => client.prepare({ namespace }).call({}, "which");
      expect(await which("admin")).toBe("admin");
      expect(await which("new")).toBe("new or old");
      expect(await which("old")).toBe("new or old");
      await expect(which("nobody's")).rejects.toMatchObject({ excType: "UnsupportedVersion" });
      await expect(which("constructor")).rejects.toMatchObject({ excType: "UnsupportedVersion" });
    });
  });

  test("serves its own exchange and no other", { tags: ["rpc:exchanges"] }, async () => {
    await using stage = new Stage(bed, "exchanges");
    await stage.serve("a", [{ where: () => "in the default exchange" }]);
    await stage.serve("a", [{ where: () => "in nova" }], { exchange: "nova" });
    const client = await stage.client();
    expect(await client.call({}, "where")).toBe("in the default exchange");
    expect(await client.prepare({ exchange: "nova" }).call({}, "where")).toBe("in nova");
  });

  test("answers pings when it is asked to, and only then", { tags: ["rpc:server:ping"] }, async () => {
    await using stage = new Stage(bed, "ping");
    await stage.serve("with", [{}], { ping: true });
    await stage.serve("without", [{}]);
    const client = await stage.client();
    expect(await client.prepare({ server: "with" }).call({}, "oslo_rpc_server_ping")).toBe("pong");
    await expect(client.prepare({ server: "without" }).call({}, "oslo_rpc_server_ping")).rejects.toMatchObject({
      excType: "NoSuchMethod",
    });
  });

  test("works on as many calls at once as its concurrency says, and the others get their turn", {
    tags: ["rpc:server:concurrency"],
  }, async () => {
    await using stage = new Stage(bed, "concurrency");
    const frames = new Frames();
    const held = new BlockingEndpoint();
    await stage.serve("a", [held], { concurrency: 2, transport: stage.rpcTransport({ onFrame: frames.onFrame }) });
    const client = await stage.client();
    const args = ["1", "2", "3", "4", "5", "6"];
    const calls = args.map((arg) => client.call({}, "hold", { arg }));
    await Promise.all(args.map(() => frames.passed("in", "transfer")));
    expect(held.calls).toHaveLength(2);
    held.release();
    expect(await Promise.all(calls)).toEqual(args);
    expect(held.calls.sort()).toEqual(args);
  });

  test("that is stopped finishes what it has in hand and takes nothing new, until it is started again", {
    tags: ["rpc:server:stop"],
  }, async () => {
    await using stage = new Stage(bed, "stopping");
    const held = new BlockingEndpoint();
    const server = await stage.serve("a", [held]);
    // A router may give the second call back, which is then sent again after this time.
    const client = await stage.client({ transport: stage.rpcTransport({ amqp: { linkRetryDelayMs: 1_000 } }) });
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

  test("that is stopped leaves the calls to the others of its topic", async () => {
    await using stage = new Stage(bed, "leaving");
    const leaving = await stage.serve("a", [{ whoami: () => "a" }]);
    await stage.serve("b", [{ whoami: () => "b" }]);
    await leaving.stop();
    await leaving.wait();
    const client = await stage.client();
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.call({}, "whoami")));
    expect(new Set(answers)).toEqual(new Set(["b"]));
  });

  test("that is stopped while calls pour in loses none of them, and none is served twice", {
    tags: ["rpc:server:stop"],
  }, async () => {
    await using stage = new Stage(bed, "pouring");
    const served: number[] = [];
    const count = (_context: object, { arg }: { arg: number }): number => served.push(arg);
    const leaving = await stage.serve("a", [{ count }]);
    await stage.serve("b", [{ count }]);
    const client = await stage.client({ transport: stage.rpcTransport({ amqp: { linkRetryDelayMs: 1_000 } }) });
    await client.call({}, "count", { arg: -1 });
    const args = Array.from({ length: 300 }, (_, arg) => arg);
    const calls = args.map((arg) => client.call({}, "count", { arg }));
    await calls[0];
    await leaving.stop();
    await leaving.wait();
    await Promise.all(calls);
    expect(served.sort((a, b) => a - b)).toEqual([-1, ...args]);
  });

  test("shares its connection with a client that its own methods use", async () => {
    await using stage = new Stage(bed, "relay");
    const transport = stage.rpcTransport();
    await stage.serve("a", [{ answer: () => 42 }], { transport });
    const inner = await stage.client({ transport, target: { server: "a" } });
    await stage.serve("b", [{ ask: () => inner.call({}, "answer") }], { transport });
    const client = await stage.client({ target: { server: "b" } });
    expect(await client.call({}, "ask")).toBe(42);
  });

  test("tells its methods which call it is, and for which namespace and version", async () => {
    await using stage = new Stage(bed, "call info");
    const infos: { messageId: string | undefined; target: string }[] = [];
    const endpoint = {
      target: new Target({ namespace: "n", version: "1.5" }),
      info: (_context: object, _args: object, call: { messageId: string | undefined; target: Target }) => {
        infos.push({ messageId: call.messageId, target: String(call.target) });
      },
    };
    await stage.serve("a", [endpoint]);
    const client = await stage.client({ target: { namespace: "n", version: "1.2" } });
    await client.call({}, "info");
    const target = `<Target topic=${stage.topic}, namespace=n, version=1.2, server=a>`;
    expect(infos).toEqual([{ messageId: expect.stringMatching(/^[0-9a-f]{32}$/), target }]);
  });

  test("tells the caller of an error that its method may throw, and its log for debugging only", {
    tags: ["rpc:server:expected-exceptions"],
  }, async () => {
    await using stage = new Stage(bed, "expected");
    const show = expectedExceptions(RangeError)(async (_context: object, { id }: { id: number }) => {
      if (id < 0) throw new RangeError("no such id");
      return id;
    });
    await stage.serve("a", [{ show }]);
    const client = await stage.client();
    expect(await client.call({}, "show", { id: 1 })).toBe(1);
    await expect(client.call({}, "show", { id: -1 })).rejects.toMatchObject({
      excType: "RangeError",
      value: "no such id",
    });
    expect(stage.logger.of("error")).toEqual([]);
    expect(stage.logger.of("debug")).toContain("an RPC method threw an expected exception");
  });

  test("lets callers have the methods that its access policy allows", {
    tags: ["rpc:dispatch:access-policy"],
  }, async () => {
    await using stage = new Stage(bed, "access");
    const endpoint = { hello: () => "hello", _hidden: () => "hidden", shown: expose(() => "shown") };
    await stage.serve("legacy", [endpoint], { accessPolicy: accessPolicies.legacy });
    await stage.serve("default", [endpoint]);
    await stage.serve("explicit", [endpoint], { accessPolicy: accessPolicies.explicit });
    const client = await stage.client();
    const call = (server: string, method: string) =>
      client
        .prepare({ server })
        .call({}, method)
        .catch(({ excType }: RemoteError) => excType);
    const answers = (server: string) => Promise.all(Object.keys(endpoint).map((method) => call(server, method)));
    expect(await answers("legacy")).toEqual(["hello", "hidden", "shown"]);
    expect(await answers("default")).toEqual(["hello", "NoSuchMethod", "shown"]);
    expect(await answers("explicit")).toEqual(["NoSuchMethod", "NoSuchMethod", "shown"]);
  });

  test("gets and gives what serializers make of arguments, contexts and results", {
    tags: ["rpc:client:json-payload-serializer", "rpc:client:serializer"],
  }, async () => {
    await using stage = new Stage(bed, "serializers");
    const when = new Date(0);
    const serializer = jsonPayloadSerializer;
    await stage.serve("a", [{ echo: (context: object, args: object) => new Map([["got", [context, args]]]) }], {
      serializer,
    });
    const client = await stage.client({ serializer });
    expect(await client.call({ user: "u" }, "echo", { when, tags: new Set(["a"]) })).toEqual({
      got: [{ user: "u" }, { when: "1970-01-01T00:00:00.000000", tags: ["a"] }],
    });
  });

  test("fails with what the caller's remoteExceptions make of it", {
    tags: ["rpc:call:allowed-remote-exceptions"],
  }, async () => {
    await using stage = new Stage(bed, "remote exceptions");
    const endpoint = {
      find() {
        throw new TypeError("nothing");
      },
    };
    await stage.serve("a", [endpoint]);
    const make = ({ message }: RemoteFailure) => new SyntaxError(`made of ${message}`);
    const remoteExceptions = new Map([["javascript.TypeError", make]]);
    const client = await stage.client({ transport: stage.rpcTransport({ remoteExceptions }) });
    await expect(client.call({}, "find")).rejects.toThrow(new SyntaxError("made of nothing"));
    await expect((await stage.client()).call({}, "find")).rejects.toMatchObject({ name: "RemoteError" });
  });

  test("passes on oslo's own errors by their names", async () => {
    await using stage = new Stage(bed, "errors");
    const endpoint = {
      refuse: () => {
        throw new RPCDispatcherError("not today");
      },
    };
    await stage.serve("a", [endpoint]);
    const client = await stage.client();
    await expect(client.call({}, "refuse")).rejects.toMatchObject({
      excType: "RPCDispatcherError",
      module: "oslo_messaging.rpc.dispatcher",
      value: "not today",
    });
  });
});
