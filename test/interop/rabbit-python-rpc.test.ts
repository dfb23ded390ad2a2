import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuiltinEndpoint } from "@/src/cli/builtin-endpoint.js";
import {
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  type RPCClient,
  type RPCTransport,
  Target,
} from "@/src/entry/node.js";
import { RABBITMQ_WAYS, rabbitMqBed } from "@/test/fixtures/beds/rabbitmq-bed.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { PYTHON_VERSIONS, type PythonCall, PythonClient, PythonServer } from "@/test/fixtures/python/python.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const PEERS = RABBITMQ_WAYS.flatMap((way) => PYTHON_VERSIONS.map((python) => ({ ...way, python })));
const TOPICS = { python: "python", ours: "ours" };
const JSON_VALUE = { text: "héllo", list: [1, 2.5, null, true], deep: { "": {} } };
const CONTEXT = { request_id: "req-1", user: "ü" };

describe.each(PEERS)("RPC by $scheme:// through RabbitMQ $broker with Python's oslo.messaging $python", (peers) => {
  const { broker, scheme, python } = peers;
  const logger = new RecordingLogger();
  const notes = new Inbox<{ server: string; arg: unknown }>("our servers");
  const transports: RPCTransport[] = [];
  let client: RPCClient;
  let pythonServer: PythonServer;
  let pythonClient: PythonClient;

  beforeAll(async () => {
    const { url, pythonUrl } = await rabbitMqBed(broker, scheme);
    const transport = (): RPCTransport => {
      transports.push(getRpcTransport(url, { logger }));
      return transports[transports.length - 1] as RPCTransport;
    };
    for (const server of ["one", "two"]) {
      const endpoint = new BuiltinEndpoint(server, (arg) => notes.put({ server, arg }));
      const target = { topic: TOPICS.ours, server };
      await getRpcServer(transport(), target, [endpoint, new Namespaced()], { ping: true }).start();
    }
    client = getRpcClient(transport(), { topic: TOPICS.python, version: "1.0" });
    [pythonServer, pythonClient] = await Promise.all([
      PythonServer.start({ url: pythonUrl, topic: TOPICS.python, server: "python", version: python }),
      PythonClient.start(pythonUrl, { version: python }),
    ]);
  });

  afterAll(async () => {
    await Promise.all([pythonServer?.stop(), pythonClient?.stop()]);
    await Promise.all(transports.map((transport) => transport.close()));
  });

  describe("a Python client and our servers", () => {
    const toOne = { topic: TOPICS.ours, server: "one", version: "1.0" };

    test("a Python call to any server is answered by one of ours with any JSON value", {
      tags: ["rpc:call:reply"],
    }, async () => {
      await expect(call("echo", { arg: JSON_VALUE })).resolves.toEqual(JSON_VALUE);
    });

    test("a Python call to one server is answered by that one, which gets the context", {
      tags: ["rpc:call:one-server", "rpc:call:context"],
    }, async () => {
      for (const _ of [1, 2, 3]) {
        const answer = call("whoami", {}, { target: toOne, context: CONTEXT });
        await expect(answer).resolves.toEqual({ server: "one", ctxt: CONTEXT });
      }
    });

    test("a Python call of many frames is answered by our server", async () => {
      const arg = "é".repeat(150_000);
      await expect(call("echo", { arg })).resolves.toBe(arg);
    });

    test("Python casts to any server, to one and to all reach our servers", {
      tags: ["rpc:cast:any-server", "rpc:cast:one-server", "rpc:cast:fanout"],
    }, async () => {
      const cast = (target: object, arg: string): Promise<void> =>
        pythonClient.cast({ target: { topic: TOPICS.ours, ...target }, method: "note", args: { arg } });
      await cast({}, "any");
      await cast({ server: "two" }, "one");
      await cast({ fanout: true }, "all");
      await notedBy(/one|two/, "any");
      await notedBy(/two/, "one");
      await Promise.all([notedBy(/one/, "all"), notedBy(/two/, "all")]);
    });

    test("a Python client raises our error with its type and message", {
      tags: ["rpc:call:remote-error"],
    }, async () => {
      const errors = [
        ["value", "ValueError", "bad value é"],
        ["custom", "PeerError", "custom trouble"],
      ] as const;
      for (const [kind, excType, value] of errors) {
        await expect(call("fail", { kind })).rejects.toMatchObject({ type: "RemoteError", excType, value });
      }
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

    test("a Python call by namespace and version reaches our endpoint, another version raises UnsupportedVersion", {
      tags: ["rpc:dispatch:versions"],
    }, async () => {
      const target = { topic: TOPICS.ours, namespace: "admin" };
      await expect(call("where", {}, { target: { ...target, version: "2.0" } })).resolves.toBe("admin");
      await expect(call("where", {}, { target: { ...target, version: "2.2" } })).rejects.toMatchObject({
        excType: "UnsupportedVersion",
      });
    });

    test("our server answers the ping of a Python client", async () => {
      await expect(call("oslo_rpc_server_ping", {}, { target: toOne })).resolves.toBe("pong");
    });
  });

  describe("our client and a Python server", () => {
    test("a Python server returns any JSON value to our client unchanged", { tags: ["rpc:call:reply"] }, async () => {
      await expect(client.call({}, "echo", { arg: JSON_VALUE })).resolves.toEqual(JSON_VALUE);
    });

    test("our call to one server is answered by the Python server, which gets the context", {
      tags: ["rpc:call:one-server", "rpc:call:context"],
    }, async () => {
      const answer = client.prepare({ server: "python" }).call(CONTEXT, "whoami");
      // The rabbit driver of Python adds `client_timeout` to the context of what it receives.
      await expect(answer).resolves.toMatchObject({ server: "python", ctxt: CONTEXT });
    });

    test("our call of a megabyte is answered by a Python server", async () => {
      const arg = "é".repeat(500_000);
      await expect(client.call({}, "echo", { arg })).resolves.toBe(arg);
    });

    test("a hundred calls of ours at once get their own replies", async () => {
      const args = Array.from({ length: 100 }, (_, arg) => arg);
      await expect(Promise.all(args.map((arg) => client.call({}, "echo", { arg })))).resolves.toEqual(args);
    });

    test("our casts to any server, to one and to all reach a Python server", {
      tags: ["rpc:cast:any-server", "rpc:cast:one-server", "rpc:cast:fanout"],
    }, async () => {
      await client.cast({}, "note", { arg: "any" });
      await client.prepare({ server: "python" }).cast({}, "note", { arg: "one" });
      await client.prepare({ fanout: true }).cast({}, "note", { arg: "all" });
      await Promise.all(["any", "one", "all"].map((arg) => pythonServer.noted(arg)));
    });

    test("our client rejects with type, module and message of a Python error", {
      tags: ["rpc:call:remote-error"],
    }, async () => {
      const errors = [
        ["value", "builtins", "ValueError", "bad value é"],
        ["custom", "peers_exc", "PeerError", "custom trouble"],
      ] as const;
      for (const [kind, module, excType, value] of errors) {
        const error = { name: "RemoteError", module, excType, value, message: `${excType}: ${value}` };
        await expect(client.call({}, "fail", { kind })).rejects.toMatchObject(error);
      }
    });

    test("our call of a missing Python method rejects with NoSuchMethod", {
      tags: ["rpc:dispatch:no-such-method"],
    }, async () => {
      await expect(client.call({}, "no_such_method")).rejects.toMatchObject({
        name: "RemoteError",
        excType: "NoSuchMethod",
        module: "oslo_messaging.rpc.dispatcher",
        value: "Endpoint does not support RPC method no_such_method",
      });
    });

    test("our call by namespace and version reaches a Python endpoint, another version rejects", {
      tags: ["rpc:dispatch:versions"],
    }, async () => {
      const admin = client.prepare({ namespace: "admin", version: "2.0" });
      await expect(admin.call({}, "where")).resolves.toBe("admin");
      const newer = admin.prepare({ version: "2.2" });
      await expect(newer.call({}, "where")).rejects.toMatchObject({ excType: "UnsupportedVersion" });
    });

    test("a Python server answers our ping", async () => {
      await expect(client.prepare({ server: "python" }).call({}, "oslo_rpc_server_ping")).resolves.toBe("pong");
    });
  });

  describe.concurrent("slow methods", () => {
    test("a Python call to our slow method times out", async () => {
      await expect(call("slow", { secs: 4 }, { timeout: 2 })).rejects.toMatchObject({ type: "MessagingTimeout" });
    });

    test("our heartbeats keep a monitored Python call alive beyond the monitor timeout", {
      tags: ["rpc:monitor:good"],
    }, async () => {
      await expect(call("slow", { secs: 4 }, { callMonitorTimeout: 3 })).resolves.toBe("slept 4");
    });

    test("our call to a slow Python method times out in the phase reply", async () => {
      await expect(client.call({}, "slow", { secs: 4 }, { timeoutMs: 2_000 })).rejects.toMatchObject({
        name: "MessagingTimeout",
        phase: "reply",
      });
    });

    test("Python's heartbeats keep our monitored call alive beyond the monitor timeout", {
      tags: ["rpc:monitor:good"],
    }, async () => {
      const answer = client.call({}, "slow", { secs: 4 }, { callMonitorTimeoutMs: 3_000 });
      await expect(answer).resolves.toBe("slept 4");
    });
  });

  test("our driver has warned of nothing but refused requests, errors of methods and a late reply", () => {
    const expected =
      /^(refused a request|an RPC method failed: (ValueError|PeerError):)|a reply \(\d+ bytes\) that matches no call/;
    const unexpected = [...logger.of("error"), ...logger.of("warn")].filter((line) => !expected.test(line));
    expect(unexpected).toEqual([]);
  });

  function call(method: string, args?: object, options?: Partial<PythonCall>): Promise<unknown> {
    return pythonClient.call({ target: { topic: TOPICS.ours, version: "1.0" }, method, args, ...options });
  }

  async function notedBy(servers: RegExp, arg: string): Promise<void> {
    await notes.take(`the note ${arg}`, (note) => (note.arg === arg && servers.test(note.server) ? true : undefined));
  }
});

class Namespaced {
  readonly target = new Target({ namespace: "admin", version: "2.1" });

  where(): string {
    return "admin";
  }
}
