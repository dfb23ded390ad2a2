import { beforeEach, describe, expect, it } from "vitest";
import { InvalidTarget, MessagingException, RPCVersionCapError } from "@/src/driver/exceptions.js";
import { getRpcClient, type PrepareOverrides } from "@/src/driver/rpc/client.js";
import { Target } from "@/src/driver/target.js";
import { FakeDriver } from "@/test/fixtures/fakes/fake-driver.js";

let driver: FakeDriver;
beforeEach(() => {
  driver = new FakeDriver();
});

const clientOf = (options = {}, target = {}) =>
  getRpcClient(driver.rpcTransport, { topic: "calc", ...target }, { ...options });

describe("call", () => {
  it("a call passes its request to the driver and returns the answer", async () => {
    driver.answer = ({ body }) => Object.values(body.args).join("+");
    expect(await clientOf().call({ user: "u" }, "add", { a: 1, b: 2 })).toBe("1+2");
    const [request] = driver.calls;
    expect(request).toMatchObject({
      context: { user: "u" },
      body: { method: "add", args: { a: 1, b: 2 } },
      timeoutMs: 60_000,
    });
    expect(String(request?.target)).toBe("<Target topic=calc>");
  });

  it("a call without arguments sends an empty object", async () => {
    await clientOf().call({}, "reset");
    await clientOf().call({}, "reset", undefined, { timeoutMs: 5 });
    expect(driver.calls.map(({ body }) => body)).toEqual([
      { method: "reset", args: {} },
      { method: "reset", args: {} },
    ]);
    expect(driver.calls[1]?.timeoutMs).toBe(5);
  });

  it("a call sends namespace and version only if the target has them", async () => {
    await clientOf({}, { namespace: "ns", version: "1.2" }).call({}, "m");
    await clientOf({}, { namespace: "" }).call({}, "m");
    expect(driver.calls.map(({ body }) => body)).toEqual([
      { method: "m", args: {}, namespace: "ns", version: "1.2" },
      { method: "m", args: {}, namespace: "" },
    ]);
  });

  it("a call sends its arguments as they are at the time of the call", async () => {
    const args = { a: 1 };
    const called = clientOf().call({}, "m", args);
    args.a = 2;
    await called;
    expect(driver.calls[0]?.body.args).toEqual({ a: 1 });
  });

  it("a call sends an argument named __proto__", async () => {
    await clientOf().call({}, "m", JSON.parse('{"__proto__": {"x": 1}}'));
    expect(JSON.stringify(driver.calls[0]?.body.args)).toBe('{"__proto__":{"x":1}}');
  });

  it("a call rejects with the error of the driver", async () => {
    const error = new Error("no");
    driver.answer = () => Promise.reject(error);
    await expect(clientOf().call({}, "m")).rejects.toBe(error);
  });

  it("a call uses its own options, then the client's, then the transport's", async () => {
    const client = clientOf({ timeoutMs: 1_000, callMonitorTimeoutMs: 2_000, retry: 3 });
    const { signal } = new AbortController();
    await client.call({}, "m", {}, { timeoutMs: 10, callMonitorTimeoutMs: 20, retry: 0, signal });
    await client.call({}, "m");
    await client.call({}, "m", {}, { timeoutMs: undefined });
    await clientOf().call({}, "m");
    expect(driver.calls).toMatchObject([
      { timeoutMs: 10, callMonitorTimeoutMs: 20, retry: 0, signal },
      { timeoutMs: 1_000, callMonitorTimeoutMs: 2_000, retry: 3 },
      { timeoutMs: 1_000, callMonitorTimeoutMs: 2_000, retry: 3 },
      { timeoutMs: 60_000 },
    ]);
    expect(driver.calls[3]?.retry).toBeUndefined();
    expect(driver.calls[3]?.callMonitorTimeoutMs).toBeUndefined();
  });

  it("an infinite timeout is cut to the maximum of timers", async () => {
    await clientOf().call({}, "m", {}, { timeoutMs: Number.POSITIVE_INFINITY });
    expect(driver.calls[0]?.timeoutMs).toBe(2 ** 31 - 1);
  });

  it("a call rejects a fanout, and a target without a topic", { tags: ["rpc:call:no-fanout"] }, async () => {
    await expect(clientOf({}, { fanout: true }).call({}, "m")).rejects.toThrow("A call cannot be used with fanout");
    await expect(getRpcClient(driver.rpcTransport, {}).call({}, "m")).rejects.toThrow(InvalidTarget);
    await expect(clientOf({}, { topic: "" }).call({}, "m")).rejects.toThrow("A topic is required to send");
    expect(driver.calls).toEqual([]);
  });

  it.each([
    ["timeoutMs", 0],
    ["timeoutMs", -1],
    ["timeoutMs", Number.NaN],
    ["timeoutMs", "5"],
    ["timeoutMs", null],
    ["callMonitorTimeoutMs", 0],
    ["callMonitorTimeoutMs", -2],
    ["callMonitorTimeoutMs", Number.NaN],
    ["retry", 1.5],
    ["retry", -2],
    ["signal", {}],
    ["timeout", 5],
    ["toString", 5],
  ])("the option %s: %s is refused by name", async (key, value) => {
    const refusal = { key, message: expect.stringContaining(key) };
    await expect(clientOf().call({}, "m", {}, { [key]: value })).rejects.toMatchObject(refusal);
    if (key === "signal") return;
    expect(() => clientOf({ [key]: value })).toThrow(expect.objectContaining(refusal));
    if (value !== null) expect(() => clientOf().prepare({ [key]: value })).toThrow(expect.objectContaining(refusal));
  });

  it.each([[null], [[1]], ["x"], [5]])("a call rejects the arguments %j", async (args) => {
    await expect(clientOf().call({}, "m", args as unknown as object)).rejects.toThrow(
      "the arguments of m must be one object",
    );
  });

  it.each([[null], [undefined], ["x"], [[]]])("a call rejects the context %j", async (context) => {
    await expect(clientOf().call(context as unknown as object, "m")).rejects.toThrow(
      "the context of m must be an object",
    );
  });
});

describe("cast", () => {
  it("a cast uses its own timeout, not the client's", async () => {
    await clientOf({ retry: 0, timeoutMs: 9 }).cast({}, "note", { text: "x" });
    await clientOf().prepare({ fanout: true, timeoutMs: 9 }).cast({}, "note", { text: "x" }, { timeoutMs: 7 });
    expect(driver.casts).toMatchObject([{ body: { method: "note", args: { text: "x" } }, retry: 0 }, { timeoutMs: 7 }]);
    expect(driver.casts[0]?.timeoutMs).toBeUndefined();
    expect(driver.casts[1]?.target.fanout).toBe(true);
    expect(driver.calls).toEqual([]);
  });

  it("a cast rejects with the error of the driver, and resolves with undefined", async () => {
    expect(await clientOf().cast({}, "m")).toBeUndefined();
    driver.take = () => {
      throw new Error("no");
    };
    await expect(clientOf().cast({}, "m")).rejects.toThrow("no");
  });
});

describe("prepare", () => {
  it("prepare inherits omitted values and clears those that are null", { tags: ["rpc:client:prepare"] }, async () => {
    const options = { timeoutMs: 1_000, callMonitorTimeoutMs: 2_000, retry: 2, versionCap: "1.5" };
    const target = { exchange: "e", topic: "t", namespace: "n", version: "1.1", server: "s" };
    const client = getRpcClient(driver.rpcTransport, target, options);
    await client.prepare({}).call({}, "m");
    await client.prepare({ timeoutMs: undefined, server: undefined }).call({}, "m");
    const cleared: PrepareOverrides = {
      exchange: null,
      namespace: null,
      version: null,
      server: null,
      fanout: null,
      timeoutMs: null,
      callMonitorTimeoutMs: null,
      retry: null,
      versionCap: null,
    };
    await client.prepare(cleared).call({}, "m");
    await client.prepare({ server: "s2", timeoutMs: 5, retry: 0 }).prepare({ topic: "t2" }).call({}, "m");
    const [same, undefineds, none, other] = driver.calls;
    const wanted = {
      timeoutMs: 1_000,
      callMonitorTimeoutMs: 2_000,
      retry: 2,
      body: { namespace: "n", version: "1.1" },
    };
    expect(same).toMatchObject(wanted);
    expect(undefineds).toMatchObject(wanted);
    expect(String(undefineds?.target)).toBe("<Target exchange=e, topic=t, namespace=n, version=1.1, server=s>");
    expect(none?.body).toEqual({ method: "m", args: {} });
    expect(String(none?.target)).toBe("<Target topic=t>");
    expect([none?.timeoutMs, none?.callMonitorTimeoutMs, none?.retry]).toEqual([60_000, undefined, undefined]);
    expect(other).toMatchObject({ timeoutMs: 5, retry: 0, callMonitorTimeoutMs: 2_000 });
    expect(other?.target).toMatchObject({ topic: "t2", server: "s2", exchange: "e" });
  });

  it("prepare does not change its client", async () => {
    const client = clientOf();
    client.prepare({ topic: "other", timeoutMs: 1 });
    await client.call({}, "m");
    expect(driver.calls[0]).toMatchObject({ timeoutMs: 60_000, target: { topic: "calc" } });
  });

  it("prepare refuses unknown keys, even with null", () => {
    expect(() => clientOf().prepare({ serializer: null } as PrepareOverrides)).toThrow("serializer");
  });

  it.each(["1", "1.x", "", "one.two"])("the invalid version %j is refused", (version) => {
    const text = `Version must contain a major and minor integer. Got ${version}`;
    expect(() => clientOf().prepare({ version })).toThrow(text);
    expect(() => clientOf().prepare({ versionCap: version })).toThrow(text);
    expect(() => clientOf({ versionCap: version })).toThrow(text);
    expect(() => clientOf({}, { version })).toThrow(MessagingException);
    expect(() => clientOf().canSendVersion(version)).toThrow(text);
  });
});

describe("a version cap", () => {
  it.each([
    ["1.5", "1.5", true],
    ["1.5", "1.4", true],
    ["1.5", "1.6", false],
    ["1.5", "2.0", false],
    ["1.5", undefined, false],
    [undefined, "9.9", true],
    [undefined, undefined, true],
  ])(
    "a version cap of %s allows a request for %s: %s",
    { tags: ["rpc:client:version-cap", "rpc:client:can-send-version"] },
    async (versionCap, version, through) => {
      const client = clientOf({ versionCap }, { version });
      expect(client.canSendVersion()).toBe(through);
      if (version !== undefined) expect(clientOf({ versionCap }).canSendVersion(version)).toBe(through);
      const sent = [client.call({}, "m"), client.cast({}, "m")];
      if (through) await Promise.all(sent);
      else for (const promise of sent) await expect(promise).rejects.toThrow(RPCVersionCapError);
      expect(driver.calls.length + driver.casts.length).toBe(through ? 2 : 0);
    },
  );
});

it("arguments, context and result of a call pass through the serializer", {
  tags: ["rpc:client:serializer"],
}, async () => {
  class Who {
    readonly user: string;
    constructor(user: string) {
      this.user = user;
    }
  }
  const serializer = {
    serializeEntity: (context: Who, entity: unknown) => `${context.user}>${entity}`,
    deserializeEntity: (context: Who, entity: unknown) => `${context.user}<${entity}`,
    serializeContext: ({ user }: Who) => ({ user }),
    deserializeContext: () => new Who("nobody"),
  };
  driver.answer = () => "answer";
  const client = getRpcClient(driver.rpcTransport, new Target({ topic: "t" }), { serializer });
  expect(await client.call(new Who("me"), "m", { a: 1, b: "x" })).toBe("me<answer");
  expect(await client.prepare({ server: "s" }).call(new Who("you"), "m")).toBe("you<answer");
  expect(driver.calls[0]).toMatchObject({ body: { args: { a: "me>1", b: "me>x" } } });
  expect(driver.calls[0]?.context).toStrictEqual({ user: "me" });
});

it("an incomplete serializer is refused", () => {
  expect(() => clientOf({ serializer: { serializeEntity() {} } })).toThrow("serializer");
});
