import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuiltinEndpoint } from "@/src/cli/builtin-endpoint.js";
import { getRpcClient, getRpcServer, getRpcTransport, type RPCClient, type RPCTransport } from "@/src/entry/node.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { BUSES, type Bus } from "@/test/fixtures/beds/bus-plan.js";
import { type PythonCall, PythonClient, PythonServer } from "@/test/fixtures/python/python.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const SCHEMES = ["amqp", "amqp+ws"] as const;
const JSON_VALUE = { text: "héllo", list: [1, 2.5, null, true], deep: { "": {} } };
const CONTEXT = { request_id: "req-1", user: "ü" };

for (const plan of BUSES) {
  describe.concurrent(`RPC with Python's oslo.messaging through ${plan.name}`, () => {
    const topics = { python: uniqueTopic("python"), ours: uniqueTopic("ours") };
    let bus: Bus;
    let pythonServer: PythonServer;
    let pythonClient: PythonClient;
    const transports: RPCTransport[] = [];
    /** Our clients by scheme, which is also the name of our server. */
    const clients = new Map<string, RPCClient>();
    const notes = new Map(SCHEMES.map((scheme) => [scheme, new Inbox<unknown>(`our server by ${scheme}`)]));

    beforeAll(async () => {
      bus = await plan.start();
      const url = bus.url("amqp");
      [pythonServer, pythonClient] = await Promise.all([
        PythonServer.start({ url, topic: topics.python, server: "python" }),
        PythonClient.start(url),
      ]);
      for (const scheme of SCHEMES) {
        const transport = getRpcTransport(bus.url(scheme), { logger: null });
        transports.push(transport);
        const endpoint = new BuiltinEndpoint(scheme, (note) => notes.get(scheme)?.put(note));
        await getRpcServer(transport, { topic: topics.ours, server: scheme }, [endpoint]).start();
        const client = getRpcClient(transport, { topic: topics.python, version: "1.0" });
        clients.set(scheme, client);
        await client.call({}, "ping"); // Python reports that it is ready before its links are attached
      }
    });

    afterAll(async () => {
      await Promise.all(transports.map((transport) => transport.close()));
      await Promise.all([pythonServer?.stop(), pythonClient?.stop()]);
      await bus?.close();
    });

    describe.each(SCHEMES)("a Python client and our server by %s", (scheme) => {
      const call = (method: string, args?: object, options?: Partial<PythonCall>): Promise<unknown> =>
        pythonClient.call({ target: { topic: topics.ours, server: scheme, version: "1.0" }, method, args, ...options });

      test("a Python call to one server is answered by our server, which gets the context", {
        tags: ["rpc:call:one-server", "rpc:call:context", "recipe:artemis"],
      }, async () => {
        await expect(call("whoami", {}, { context: CONTEXT })).resolves.toEqual({ server: scheme, ctxt: CONTEXT });
      });

      test("our server returns any JSON value to a Python client unchanged", { tags: ["rpc:call:reply"] }, async () => {
        await expect(call("echo", { arg: JSON_VALUE })).resolves.toEqual(JSON_VALUE);
      });

      test("a Python call of many frames is answered by our server", async () => {
        const arg = "é".repeat(150_000);
        await expect(call("echo", { arg })).resolves.toBe(arg);
      });

      test("a Python cast to one server reaches our server", { tags: ["rpc:cast:one-server"] }, async () => {
        const target = { topic: topics.ours, server: scheme };
        await pythonClient.cast({ target, method: "note", args: { arg: "cast" } });
        await notedBy(scheme, "cast");
      });

      test("a Python client raises our error with its type and message", {
        tags: ["rpc:call:remote-error"],
      }, async () => {
        await expect(call("fail", { kind: "value" })).rejects.toMatchObject({
          type: "RemoteError",
          excType: "ValueError",
          value: "bad value é",
        });
        await expect(call("fail", { kind: "custom" })).rejects.toMatchObject({
          type: "RemoteError",
          excType: "PeerError",
          value: "custom trouble",
        });
      });

      test("a Python call of a missing method raises NoSuchMethod", {
        tags: ["rpc:dispatch:no-such-method"],
      }, async () => {
        await expect(call("no_such_method")).rejects.toMatchObject({
          type: "RemoteError",
          excType: "NoSuchMethod",
          value: "Endpoint does not support RPC method no_such_method",
        });
      });

      test("a Python call of an unsupported version raises UnsupportedVersion", {
        tags: ["rpc:dispatch:versions"],
      }, async () => {
        const target = { topic: topics.ours, server: scheme, version: "2.0" };
        await expect(pythonClient.call({ target, method: "ping" })).rejects.toMatchObject({
          excType: "UnsupportedVersion",
        });
      });

      test("a Python call to our slow method times out", async () => {
        await expect(call("slow", { secs: 4 }, { timeout: 1 })).rejects.toMatchObject({ type: "MessagingTimeout" });
      });

      test("our heartbeats keep a monitored Python call alive beyond the monitor timeout", {
        tags: ["rpc:monitor:good"],
      }, async () => {
        await expect(call("slow", { secs: 4 }, { callMonitorTimeout: 2 })).resolves.toBe("slept 4");
      });
    });

    test("a Python call to any server is answered by one of our servers", async () => {
      const answer = await pythonClient.call({ target: { topic: topics.ours }, method: "ping" });
      expect(SCHEMES.map((scheme) => `pong from ${scheme}`)).toContain(answer);
    });

    test("a Python fanout reaches all our servers", { tags: ["rpc:cast:fanout"] }, async () => {
      await pythonClient.cast({
        target: { topic: topics.ours, fanout: true },
        method: "note",
        args: { arg: "fanout" },
      });
      await Promise.all(SCHEMES.map((scheme) => notedBy(scheme, "fanout")));
    });

    describe.each(SCHEMES)("our client by %s and a Python server", (scheme) => {
      const client = (): RPCClient => {
        const client = clients.get(scheme);
        if (client === undefined) throw new Error(`no client by ${scheme}`);
        return client;
      };

      test("a Python server returns any JSON value to our client unchanged", async () => {
        await expect(client().call({}, "echo", { arg: JSON_VALUE })).resolves.toEqual(JSON_VALUE);
      });

      test("our call to one server is answered by the Python server, which gets the context", {
        tags: ["rpc:call:one-server", "rpc:call:context", "recipe:artemis"],
      }, async () => {
        const answer = client().prepare({ server: "python" }).call(CONTEXT, "whoami");
        await expect(answer).resolves.toEqual({ server: "python", ctxt: CONTEXT });
      });

      test("our call of a megabyte is answered by a Python server", async () => {
        const arg = "é".repeat(500_000);
        await expect(client().call({}, "echo", { arg })).resolves.toBe(arg);
      });

      test("our casts to any server, to one and to all reach a Python server", {
        tags: ["rpc:cast:any-server", "rpc:cast:one-server", "rpc:cast:fanout"],
      }, async () => {
        await client().cast({}, "note", { arg: `any by ${scheme}` });
        await client()
          .prepare({ server: "python" })
          .cast({}, "note", { arg: `one by ${scheme}` });
        await client()
          .prepare({ fanout: true })
          .cast({}, "note", { arg: `all by ${scheme}` });
        await Promise.all(["any", "one", "all"].map((whom) => pythonServer.noted(`${whom} by ${scheme}`)));
      });

      test("our client rejects with type, module and message of a Python error", {
        tags: ["rpc:call:remote-error"],
      }, async () => {
        await expect(client().call({}, "fail", { kind: "value" })).rejects.toMatchObject({
          name: "RemoteError",
          excType: "ValueError",
          module: "builtins",
          value: "bad value é",
          message: "ValueError: bad value é",
          remoteText: expect.stringMatching(/^Remote error: ValueError bad value é\nTraceback [\s\S]*\n\.$/),
        });
        await expect(client().call({}, "fail", { kind: "custom" })).rejects.toMatchObject({
          name: "RemoteError",
          excType: "PeerError",
          module: "peers_exc",
          value: "custom trouble",
        });
        await expect(client().call({}, "fail_expected")).rejects.toMatchObject({ excType: "KeyError" });
      });

      test("our call of a missing Python method rejects with NoSuchMethod", {
        tags: ["rpc:dispatch:no-such-method"],
      }, async () => {
        await expect(client().call({}, "no_such_method")).rejects.toMatchObject({
          name: "RemoteError",
          excType: "NoSuchMethod",
          module: "oslo_messaging.rpc.dispatcher",
          value: "Endpoint does not support RPC method no_such_method",
        });
      });

      test("our call to a slow Python method times out in the phase reply", async () => {
        await expect(client().call({}, "slow", { secs: 3 }, { timeoutMs: 1_000 })).rejects.toMatchObject({
          name: "MessagingTimeout",
          phase: "reply",
        });
      });

      test("Python's heartbeats keep our monitored call alive beyond the monitor timeout", {
        tags: ["rpc:monitor:good"],
      }, async () => {
        const answer = client().call({}, "slow", { secs: 4 }, { callMonitorTimeoutMs: 2_000 });
        await expect(answer).resolves.toBe("slept 4");
      });
    });

    async function notedBy(scheme: (typeof SCHEMES)[number], arg: string): Promise<void> {
      await notes.get(scheme)?.take(`the note ${arg}`, (note) => (note === arg ? true : undefined));
    }
  });
}
