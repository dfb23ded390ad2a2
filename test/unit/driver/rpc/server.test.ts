import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Deferred } from "@/src/core/deferred.js";
import { InvalidTarget, RemoteError, type RemoteFailure } from "@/src/driver/exceptions.js";
import { accessPolicies, expose } from "@/src/driver/rpc/access-policy.js";
import type { CallInfo } from "@/src/driver/rpc/dispatcher.js";
import { expectedExceptions } from "@/src/driver/rpc/expected-exceptions.js";
import { getRpcServer, type RPCServer, type RPCServerOptions } from "@/src/driver/rpc/server.js";
import { Target } from "@/src/driver/target.js";
import { FakeDriver, FakeIncoming, type IncomingInit } from "@/test/fixtures/fakes/fake-driver.js";

const TARGET = { topic: "calc", server: "host-a" };
let driver: FakeDriver;
beforeEach(() => {
  driver = new FakeDriver();
});

async function serve(endpoints: readonly object[], options: RPCServerOptions = {}): Promise<RPCServer> {
  const server = getRpcServer(driver.rpcTransport, TARGET, endpoints, options);
  await server.start();
  return server;
}

function deliver(
  method: unknown,
  args: unknown = {},
  init: IncomingInit & { version?: unknown; namespace?: unknown } = {},
) {
  const { version, namespace, ...rest } = init;
  return driver.listener.deliver({ body: { method, args, version, namespace }, ...rest });
}

async function resultOf(message: FakeIncoming): Promise<unknown> {
  const answer = await message.answered;
  if ("failure" in answer) throw new Error(`a failure: ${answer.failure.excType} ${answer.failure.message}`);
  return answer.value;
}

async function failureOf(message: FakeIncoming): Promise<RemoteFailure> {
  const answer = await message.answered;
  if ("value" in answer) throw new Error(`a value: ${answer.value}`);
  return answer.failure;
}

describe("a request", () => {
  it("a request runs its method with context, arguments and call, and is answered with the result", async () => {
    const seen: unknown[] = [];
    class Endpoint {
      readonly name = "me";
      add(context: object, args: { a: number; b: number }, call: CallInfo) {
        seen.push(context, args, call.messageId, call.signal.aborted, String(call.target));
        return { name: this.name, sum: args.a + args.b };
      }
    }
    await serve([new Endpoint()]);
    const message = deliver("add", { a: 1, b: 2 }, { context: { user: "u" }, messageId: "m7" });
    expect(await resultOf(message)).toEqual({ name: "me", sum: 3 });
    expect(seen).toEqual([
      { user: "u" },
      { a: 1, b: 2 },
      "m7",
      false,
      "<Target topic=calc, version=1.0, server=host-a>",
    ]);
  });

  it("a request is acknowledged before its method runs", { tags: ["rpc:server:acknowledged-first"] }, async () => {
    const events: string[] = [];
    await serve([
      {
        hello() {
          events.push(...message.events);
        },
      },
    ]);
    const message = new FakeIncoming({ body: { method: "hello" } });
    driver.listener.deliverMessage(message);
    expect(await resultOf(message)).toBeUndefined();
    expect(events).toEqual(["acknowledge"]);
    expect(message.events).toEqual(["acknowledge", "reply"]);
  });

  it("a waiting request whose link is lost is not run: it is delivered again", async () => {
    const held = new Deferred();
    const run: string[] = [];
    const server = await serve(
      [
        {
          async note(_context: object, { name }: { name: string }) {
            run.push(name);
            await held.promise;
          },
        },
      ],
      { concurrency: 1 },
    );
    const [first, call, cast, last] = [true, true, false, false].map((wantsReply, index) =>
      driver.listener.deliver({ body: { method: "note", args: { name: `${index}` } }, wantsReply }),
    );
    for (const message of [call, cast]) if (message !== undefined) message.linkLost = true;
    held.resolve();
    await server.stop();
    await server.wait();
    expect(run).toEqual(["0", "3"]);
    expect([first, call, cast, last].map((message) => message?.events[0])).toEqual([
      "acknowledge",
      undefined,
      undefined,
      "acknowledge",
    ]);
  });

  it("a request that cannot be acknowledged is not run", { tags: ["rpc:server:acknowledged-first"] }, async () => {
    const hello = vi.fn();
    const server = await serve([{ hello }]);
    const message = new FakeIncoming({ body: { method: "hello" } });
    vi.spyOn(message, "acknowledge").mockImplementation(() => {
      throw new Error("gone");
    });
    driver.listener.deliverMessage(message);
    await server.stop();
    await server.wait();
    expect(hello).not.toHaveBeenCalled();
    expect(driver.logger.of("error")).toEqual([expect.stringContaining("gone")]);
  });

  describe("that is repeated", () => {
    async function noting(options: RPCServerOptions = {}) {
      const notes: unknown[] = [];
      const held = new Deferred();
      const server = await serve(
        [
          {
            async note(_context: object, { arg }: { arg: unknown }) {
              notes.push(arg);
              await held.promise;
            },
          },
        ],
        options,
      );
      const note = (arg: unknown, identity: string | undefined) => deliver("note", { arg }, { identity });
      return { server, notes, held, note };
    }

    it("a repeated request is acknowledged and not run, with one warning for all", {
      tags: ["rpc:server:repeat"],
    }, async () => {
      const { server, notes, held, note } = await noting();
      const messages = [note(1, "back id-1"), note(2, "back id-1"), note(3, "back id-1"), note(4, "back id-2")];
      held.resolve();
      await server.stop();
      await server.wait();
      expect(notes).toEqual([1, 4]);
      expect(messages.map(({ events }) => events)).toEqual([
        ["acknowledge", "reply"],
        ["acknowledge"],
        ["acknowledge"],
        ["acknowledge", "reply"],
      ]);
      expect(driver.logger.lines).toMatchObject([
        {
          level: "warn",
          message: "discarded a repeated request: it was dispatched before",
          fields: { messageId: "m1" },
        },
      ]);
    });

    it("requests without identity are no repeats", { tags: ["rpc:server:repeat"] }, async () => {
      const { server, notes, held, note } = await noting();
      held.resolve();
      for (const arg of [1, 2]) note(arg, undefined);
      await server.stop();
      await server.wait();
      expect(notes).toEqual([1, 2]);
    });

    it("a request that was lost before it was dispatched is run when it is delivered again", {
      tags: ["rpc:server:repeat"],
    }, async () => {
      const { server, notes, held, note } = await noting({ concurrency: 1 });
      note("first", "back id-1");
      const lost = note("lost", "back id-2");
      lost.linkLost = true;
      note("again", "back id-2");
      held.resolve();
      await server.stop();
      await server.wait();
      expect(notes).toEqual(["first", "again"]);
    });

    it("a server that was started again still knows the requests of its last run", {
      tags: ["rpc:server:repeat"],
    }, async () => {
      const { server, notes, held, note } = await noting();
      held.resolve();
      note("first", "back id-1");
      await server.stop();
      await server.start();
      note("repeat", "back id-1");
      await server.stop();
      await server.wait();
      expect(notes).toEqual(["first"]);
    });
  });

  it("a cast gets no reply, for a result, an error or a missing method", {
    tags: ["rpc:cast:failing-method"],
  }, async () => {
    const server = await serve([
      {
        hello: () => "x",
        fail() {
          throw new Error("no");
        },
      },
    ]);
    const messages = ["hello", "fail", "absent"].map((method) => deliver(method, {}, { wantsReply: false }));
    await server.stop();
    await server.wait();
    expect(messages.map(({ events }) => events)).toEqual([["acknowledge"], ["acknowledge"], ["acknowledge"]]);
    expect(driver.logger.of("error")).toEqual([expect.stringContaining("Error: no")]);
  });

  it("a request may omit args, namespace and version, or send null", async () => {
    await serve([{ echo: (_context: object, args: object) => args }]);
    expect(await resultOf(driver.listener.deliver({ body: { method: "echo" } }))).toEqual({});
    expect(
      await resultOf(driver.listener.deliver({ body: { method: "echo", args: null, namespace: null, version: null } })),
    ).toEqual({});
  });

  it("the signal of a method is aborted when the connection is lost", async () => {
    const called = new Deferred<AbortSignal>();
    await serve([
      {
        wait: (_context: object, _args: object, { signal }: CallInfo) => {
          called.resolve(signal);
          return new Promise(() => {});
        },
      },
    ]);
    const message = deliver("wait");
    const signal = await called.promise;
    message.connection.abort();
    expect(signal.aborted).toBe(true);
  });
});

describe("an error of a method", () => {
  class Custom extends Error {
    override name = "PeerError";
  }
  const endpoint = {
    sync() {
      throw new RangeError("sync");
    },
    async async() {
      throw new Custom("async");
    },
    text() {
      throw "just text";
    },
    nothing() {
      throw undefined;
    },
    bare() {
      throw Object.create(null);
    },
    rejected: () => Promise.reject(new Error("rejected")),
    thenable: () =>
      new Proxy(
        {},
        {
          get() {
            throw new Error("then");
          },
        },
      ),
    remote() {
      throw new RemoteError({
        excType: "ValueError",
        module: "builtins",
        message: "far",
        traceback: ["tb"],
        args: ["far"],
        kwargs: {},
      });
    },
  };

  it.each([
    ["sync", "RangeError", "sync"],
    ["async", "PeerError", "async"],
    ["text", "Error", "just text"],
    ["nothing", "Error", "undefined"],
    ["rejected", "Error", "rejected"],
    ["thenable", "Error", "then"],
    ["remote", "ValueError", "far"],
    ["bare", "Error", "{}"],
  ])("an error thrown as %s is sent as a failure, and logged once", async (method, excType, message) => {
    const server = await serve([endpoint]);
    expect(await failureOf(deliver(method))).toMatchObject({ excType, message, traceback: [] });
    await server.stop();
    await server.wait();
    expect(driver.logger.lines).toMatchObject([{ level: "error", fields: { messageId: "m1", method } }]);
  });

  it("an error is logged with its stack and its cause", async () => {
    await serve([
      {
        fail() {
          throw new Error("above", { cause: new Error("below") });
        },
      },
    ]);
    await failureOf(deliver("fail"));
    expect(driver.logger.of("error")).toEqual([
      expect.stringMatching(/Error: above\n +at .*\ncaused by: Error: below\n +at /s),
    ]);
  });

  it("the stack of an error is sent only with sendTraceback", async () => {
    await serve([endpoint], { sendTraceback: true });
    const { traceback } = await failureOf(deliver("sync"));
    expect(traceback.join("")).toContain("RangeError: sync\n    at ");
  });
});

describe("an expected error of a method", () => {
  class NotFound extends Error {
    override name = "NotFound";
  }
  class Endpoint {
    readonly known = "a";
    sync(_context: object, { id }: { id: string }): string {
      if (id === this.known) return id;
      throw new NotFound(id);
    }
    async async(): Promise<never> {
      await Promise.resolve();
      throw new NotFound("later");
    }
    other(): never {
      throw new RangeError("a fault");
    }
  }
  const { sync, async, other } = Endpoint.prototype;
  for (const method of [sync, async, other]) expectedExceptions(NotFound)(method);

  it.each([
    ["sync", "b"],
    ["async", "later"],
  ])(
    "an expected error of a method (%s) is sent as a failure, and logged at the level debug",
    { tags: ["rpc:server:expected-exceptions"] },
    async (method, message) => {
      await serve([new Endpoint()], { sendTraceback: true });
      const failure = await failureOf(deliver(method, { id: "b" }));
      expect(failure).toMatchObject({ excType: "NotFound", module: "javascript", message, args: [message] });
      expect(failure.traceback.join("")).toContain(`NotFound: ${message}\n    at `);
      expect(driver.logger.lines).toMatchObject([{ level: "debug", fields: { messageId: "m1", method } }]);
    },
  );

  it("a method with expected errors that does not throw logs nothing", async () => {
    await serve([new Endpoint()]);
    expect(await resultOf(deliver("sync", { id: "a" }))).toBe("a");
    expect(driver.logger.lines).toEqual([]);
  });

  it("an unexpected error is logged as an error", async () => {
    await serve([new Endpoint()]);
    expect(await failureOf(deliver("other"))).toMatchObject({ excType: "RangeError" });
    expect(driver.logger.of("error")).toEqual([expect.stringContaining("RangeError: a fault")]);
  });

  it("an expected RemoteError keeps its module", async () => {
    const forward = expectedExceptions(RemoteError)(() => {
      throw new RemoteError({
        excType: "NotFound",
        module: "nova.exception",
        message: "x",
        traceback: [],
        args: [1],
        kwargs: {},
      });
    });
    await serve([{ forward }]);
    expect(await failureOf(deliver("forward"))).toMatchObject({
      excType: "NotFound",
      module: "nova.exception",
      args: [1],
    });
    expect(driver.logger.lines).toMatchObject([{ level: "debug" }]);
  });
});

describe("a reply is sent", () => {
  const fail = () => new Error("trap");
  const hostile = new Proxy(new Error("x"), {
    getPrototypeOf() {
      throw fail();
    },
    get() {
      throw fail();
    },
    getOwnPropertyDescriptor() {
      throw fail();
    },
  });
  const endpoint = {
    hostile() {
      throw hostile;
    },
    expected: expectedExceptions(RangeError)(() => {
      throw hostile;
    }),
    known: expectedExceptions(RangeError)(() => {
      throw new RangeError("known");
    }),
  };

  it.each(["hostile", "expected"])("a reply is sent when reading the thrown value throws: %s", async (method) => {
    await serve([endpoint]);
    expect(await failureOf(deliver(method))).toMatchObject({
      excType: "Error",
      message: "something that cannot be read",
    });
    expect(driver.logger.of("error")).toEqual(["an RPC method failed: something that cannot be turned into text"]);
  });

  it.each([
    ["hostile", "something that cannot be read"],
    ["known", "known"],
    ["absent", "Endpoint does not support RPC method absent"],
  ])("a reply is sent when the logger throws: %s", async (method, message) => {
    const server = await serve([endpoint]);
    const broken = (level: "debug" | "warn" | "error") =>
      vi.spyOn(driver.logger, level).mockImplementationOnce(() => {
        throw new Error("disk full");
      });
    for (const level of ["debug", "warn", "error"] as const) broken(level);
    expect(await failureOf(deliver(method))).toMatchObject({ message });
    vi.restoreAllMocks();
    await server.stop();
    await server.wait();
  });

  it("a failure is sent when the logger throws before the method runs", async () => {
    await serve([endpoint]);
    vi.spyOn(driver.logger, "warn").mockImplementationOnce(() => {
      throw new Error("disk full");
    });
    expect(await failureOf(deliver("known", {}, { callMonitorTimeoutMs: 1_000 }))).toMatchObject({
      message: "disk full",
    });
    vi.restoreAllMocks();
  });

  it("a failure is logged before the next request begins", async () => {
    let logged: readonly string[] = [];
    const next = (): void => {
      logged = driver.logger.of("error");
    };
    await serve([{ ...endpoint, next }], { concurrency: 1 });
    const failing = deliver("hostile");
    const message = deliver("next");
    await failureOf(failing);
    await resultOf(message);
    expect(logged).toHaveLength(1);
  });
});

describe("a result that cannot be encoded", () => {
  it("a result that cannot be encoded is sent as a failure", async () => {
    await serve([{ hello: () => 5 }]);
    const message = deliver("hello");
    message.encode = () => {
      throw new TypeError("a value contains itself");
    };
    expect(await failureOf(message)).toMatchObject({ excType: "TypeError", message: "a value contains itself" });
    expect(message.events).toEqual(["acknowledge", "failure"]);
  });
});

describe("a body that is no request", () => {
  it.each([
    [null, "A request must be an object"],
    ["text", "A request must be an object"],
    [5, "A request must be an object"],
    [[], "A request must be an object"],
    [{}, "A request must name its method"],
    [{ method: 5 }, "A request must name its method"],
    [{ method: null }, "A request must name its method"],
    [{ method: "echo", args: [1] }, "The args of RPC method echo must be an object"],
    [{ method: "echo", args: "x" }, "The args of RPC method echo must be an object"],
    [{ method: "echo", namespace: 5 }, "The namespace of RPC method echo must be a string"],
    [{ method: "echo", version: 1.0 }, "The version of RPC method echo must be a string"],
  ])("the malformed request %j is answered with %j", { tags: ["rpc:dispatch:bad-request"] }, async (body, message) => {
    const echo = vi.fn();
    await serve([{ echo }]);
    expect(await failureOf(driver.listener.deliver({ body }))).toMatchObject({
      excType: "RPCDispatcherError",
      module: "oslo_messaging.rpc.dispatcher",
      message,
    });
    expect(echo).not.toHaveBeenCalled();
    expect(driver.logger.lines).toMatchObject([{ level: "warn" }]);
  });

  it.each(["1", "one", "", "1.x"])(
    "a request for the invalid version %j fails with UnsupportedVersion",
    async (version) => {
      await serve([{ echo() {} }]);
      expect(await failureOf(deliver("echo", {}, { version }))).toMatchObject({ excType: "UnsupportedVersion" });
    },
  );
});

describe("a missing method", () => {
  it.each(["constructor", "__proto__", "toString", "hasOwnProperty", "target", "_private", "getter", "absent", ""])(
    "a call of %j fails with NoSuchMethod, as in oslo",
    { tags: ["rpc:dispatch:no-such-method"] },
    async (method) => {
      let reads = 0;
      await serve([
        {
          target: new Target(),
          _private: () => "x",
          get getter() {
            reads += 1;
            return () => "x";
          },
        },
      ]);
      expect(await failureOf(deliver(method))).toEqual({
        excType: "NoSuchMethod",
        module: "oslo_messaging.rpc.dispatcher",
        message: `Endpoint does not support RPC method ${method}`,
        traceback: [],
        args: [`Endpoint does not support RPC method ${method}`],
        kwargs: {},
      });
      expect(reads).toBe(0);
      expect(driver.logger.lines).toMatchObject([{ level: "warn" }]);
    },
  );

  it("requests for many missing methods are logged once", async () => {
    await serve([{}]);
    for (const method of ["a", "b", "c"]) await failureOf(deliver(method));
    expect(driver.logger.lines).toMatchObject([{ fields: { reason: "Endpoint does not support RPC method a" } }]);
  });

  it("a long method name is truncated in the log", async () => {
    await serve([{}]);
    await failureOf(deliver("x".repeat(1_000_000)));
    expect(JSON.stringify(driver.logger.lines).length).toBeLessThan(1_000);
  });

  it("a missing method whose name ends with _ignore_errors is logged at the level debug", async () => {
    await serve([{}]);
    await failureOf(deliver("poll_ignore_errors"));
    expect(driver.logger.lines).toMatchObject([{ level: "debug" }]);
  });
});

describe("namespaces and versions", () => {
  const endpoints = [
    { target: new Target({ namespace: "a", version: "1.3" }), who: () => "a 1.3" },
    { target: new Target({ namespace: "a", version: "2.0" }), who: () => "a 2.0", more: () => "more" },
    { target: new Target({ namespace: "b", legacyNamespaces: ["old"] }), who: () => "b" },
    { who: () => "none" },
    { who: () => "never", more: () => "plain more" },
  ];

  it.each([
    [undefined, undefined, "none"],
    [undefined, "1.0", "none"],
    ["a", "1.0", "a 1.3"],
    ["a", "1.3", "a 1.3"],
    ["a", "1.3.0", "a 1.3"],
    ["a", undefined, "a 1.3"],
    ["a", "2.0", "a 2.0"],
    ["b", "1.0", "b"],
    ["old", "1.0", "b"],
  ])(
    "a request for namespace %s and version %s is served by the endpoint %s",
    { tags: ["rpc:dispatch:namespaces", "rpc:dispatch:versions"] },
    async (namespace, version, expected) => {
      await serve(endpoints);
      expect(await resultOf(deliver("who", {}, { namespace, version }))).toBe(expected);
    },
  );

  it.each([
    ["a", "1.4"],
    ["a", "3.0"],
    ["", "1.0"],
    ["other", undefined],
    [undefined, "1.1"],
    ["constructor", undefined],
  ])("a request for namespace %s and version %s fails with UnsupportedVersion", async (namespace, version) => {
    await serve(endpoints);
    const message = `Endpoint does not support RPC version ${version ?? "1.0"}. Attempted method: who`;
    expect(await failureOf(deliver("who", {}, { namespace, version }))).toMatchObject({
      excType: "UnsupportedVersion",
      message,
    });
  });

  it("a method is searched in every matching endpoint", async () => {
    await serve(endpoints);
    expect(await resultOf(deliver("more"))).toBe("plain more");
    expect(await resultOf(deliver("more", {}, { namespace: "a", version: "2.0" }))).toBe("more");
    expect(await failureOf(deliver("more", {}, { namespace: "a" }))).toMatchObject({ excType: "NoSuchMethod" });
  });

  it("a method gets namespace and version of its request", async () => {
    await serve([
      {
        target: new Target({ namespace: "n", version: "1.5" }),
        who: (_c: object, _a: object, call: CallInfo) => ({ ...call.target }),
      },
    ]);
    const value = await resultOf(deliver("who", {}, { namespace: "n", version: "1.2" }));
    expect(value).toMatchObject({ topic: "calc", server: "host-a", namespace: "n", version: "1.2" });
  });
});

describe("heartbeats", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("heartbeats are sent at half the monitor timeout until the method returns", {
    tags: ["rpc:monitor:heartbeats"],
  }, async () => {
    const work = new Deferred<string>();
    await serve([{ slow: () => work.promise }]);
    const message = deliver("slow", {}, { callMonitorTimeoutMs: 5_000 });
    await vi.advanceTimersByTimeAsync(2_499);
    expect(message.heartbeats).toBe(0);
    await vi.advanceTimersByTimeAsync(7_501);
    expect(message.heartbeats).toBe(4);
    work.resolve("done");
    expect(await resultOf(message)).toBe("done");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("no heartbeat is sent while the reply waits for credit", async () => {
    const sent = new Deferred();
    await serve([{ hello: () => "x" }]);
    const message = deliver("hello", {}, { callMonitorTimeoutMs: 2_000 });
    message.encode = () => sent.promise;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(message.heartbeats).toBe(0);
    sent.resolve();
    expect(await resultOf(message)).toBe("x");
  });

  it.each(["fail", "absent"])(
    "heartbeats end when the method is %s",
    { tags: ["rpc:monitor:heartbeats"] },
    async (method) => {
      await serve([
        {
          fail() {
            throw new Error("no");
          },
        },
      ]);
      await failureOf(deliver(method, {}, { callMonitorTimeoutMs: 2_000 }));
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it.each([
    [undefined, true, 0],
    [5_000, false, 0],
    [1_999, true, 1],
    [Number.NaN, true, 1],
    [-1, true, 1],
  ])(
    "no heartbeat is sent for a monitor timeout of %s ms, reply wanted: %s (%s warnings)",
    async (callMonitorTimeoutMs, wantsReply, warnings) => {
      const work = new Deferred();
      await serve([{ slow: () => work.promise }]);
      const message = deliver("slow", {}, { callMonitorTimeoutMs, wantsReply });
      await vi.advanceTimersByTimeAsync(60_000);
      expect(message.heartbeats).toBe(0);
      expect(driver.logger.of("warn")).toHaveLength(warnings);
      work.resolve();
    },
  );

  it("a monitor timeout beyond the maximum of timers is cut to it", async () => {
    const work = new Deferred();
    await serve([{ slow: () => work.promise }]);
    const message = deliver("slow", {}, { callMonitorTimeoutMs: 1e15 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(message.heartbeats).toBe(0);
    work.resolve();
  });

  it("heartbeats stop when one cannot be sent", async () => {
    const work = new Deferred<string>();
    await serve([{ slow: () => work.promise }]);
    const message = deliver("slow", {}, { callMonitorTimeoutMs: 2_000 });
    message.onHeartbeat = () => {
      throw new Error("broken");
    };
    await vi.advanceTimersByTimeAsync(10_000);
    expect(message.heartbeats).toBe(1);
    expect(driver.logger.of("warn")).toEqual([expect.stringContaining("broken")]);
    work.resolve("x");
    expect(await resultOf(message)).toBe("x");
  });
});

describe("ping", () => {
  const PING = "oslo_rpc_server_ping";

  it("ping is answered with the option ping, for any endpoints and policy", {
    tags: ["rpc:server:ping"],
  }, async () => {
    const endpoint = { target: new Target({ namespace: "n", version: "3.0" }) };
    await serve([endpoint], { ping: true, accessPolicy: accessPolicies.explicit });
    expect(await resultOf(deliver(PING, { whatever: 1 }))).toBe("pong");
  });

  it("ping fails with NoSuchMethod by default", { tags: ["rpc:server:ping"] }, async () => {
    await serve([{}]);
    expect(await failureOf(deliver(PING))).toMatchObject({ excType: "NoSuchMethod" });
  });

  it("an endpoint with the method answers ping", async () => {
    await serve([{ [PING]: () => "mine" }, {}], { ping: true });
    expect(await resultOf(deliver(PING))).toBe("mine");
    expect(driver.logger.of("warn")).toEqual([expect.stringContaining(PING)]);
  });
});

describe("options", () => {
  it("the option accessPolicy selects the methods that can be called", {
    tags: ["rpc:dispatch:access-policy"],
  }, async () => {
    const endpoint = { _hidden: () => "x", shown: expose(() => "y") };
    await serve([endpoint], { accessPolicy: accessPolicies.legacy });
    expect(await resultOf(deliver("_hidden"))).toBe("x");
    await serve([endpoint], { accessPolicy: accessPolicies.explicit });
    expect(await resultOf(deliver("shown"))).toBe("y");
    expect(await failureOf(deliver("_hidden"))).toMatchObject({ excType: "NoSuchMethod" });
    await serve([endpoint], { accessPolicy: (async () => false) as unknown as () => boolean });
    expect(await failureOf(deliver("shown"))).toMatchObject({ excType: "NoSuchMethod" });
    await serve([endpoint], {
      accessPolicy: () => {
        throw new Error("policy");
      },
    });
    expect(await failureOf(deliver("shown"))).toMatchObject({ message: "policy" });
  });

  it("acceptReplyTo is passed to the driver", async () => {
    const acceptReplyTo = () => true;
    await serve([{}], { acceptReplyTo });
    expect(driver.listener.options.acceptReplyTo).toBe(acceptReplyTo);
    expect(driver.listener.targets.map(String)).toEqual(["<Target topic=calc, server=host-a>"]);
  });

  it.each([
    ["concurrency", 0],
    ["concurrency", 1.5],
    ["ping", 1],
    ["sendTraceback", "yes"],
    ["accessPolicy", "default"],
    ["acceptReplyTo", true],
    ["executor", "threading"],
  ])("the option %s: %s is refused by name", (key, value) => {
    expect(() => getRpcServer(driver.rpcTransport, TARGET, [{}], { [key]: value })).toThrow(
      expect.objectContaining({ key }),
    );
  });

  it("context, arguments and result pass through the serializer", { tags: ["rpc:client:serializer"] }, async () => {
    const serializer = {
      serializeEntity: (context: { user: string }, entity: unknown) => `${context.user}>${entity}`,
      deserializeEntity: (context: { user: string }, entity: unknown) => `${context.user}<${entity}`,
      serializeContext: (context: object) => context,
      deserializeContext: (context: object) => ({ user: Object.keys(context).join() }),
    };
    const server = getRpcServer(
      driver.rpcTransport,
      TARGET,
      [{ join: (context: { user: string }, { a, b }: { a: string; b: string }) => `${context.user}:${a}${b}` }],
      { serializer },
    );
    await server.start();
    expect(await resultOf(deliver("join", { a: 1, b: 2 }, { context: { me: 1 } }))).toBe("me>me:me<1me<2");
  });

  it("a request that the serializer cannot read fails", async () => {
    const fail = () => {
      throw new Error("unreadable");
    };
    const serializer = {
      serializeEntity: fail,
      deserializeEntity: fail,
      serializeContext: fail,
      deserializeContext: fail,
    };
    await serve([{ hello: () => "x" }], { serializer });
    expect(await failureOf(deliver("hello"))).toMatchObject({ message: "unreadable" });
  });
});

describe("a server", () => {
  it.each([[{}], [{ topic: "t" }], [{ server: "s" }], [{ topic: "", server: "s" }]])(
    "a server needs topic and server, not %j",
    (target) => {
      expect(() => getRpcServer(driver.rpcTransport, target, [{}])).toThrow(InvalidTarget);
    },
  );

  it.each([
    [null],
    ["x"],
    [5],
    [[]],
    [{ target: "t" }],
    [{ target: { version: "1.0" } }],
    [{ target: new Target({ version: "x" }) }],
  ])("a server refuses the endpoint %j", { tags: ["rpc:dispatch:bad-endpoint"] }, (endpoint) => {
    expect(() => getRpcServer(driver.rpcTransport, TARGET, [endpoint as object])).toThrow();
  });
});
