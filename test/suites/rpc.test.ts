import { expect } from "vitest";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { withStage } from "@/test/fixtures/stages/suite-test.js";

const JSON_VALUES = {
  nothing: null,
  booleans: [true, false],
  numbers: [0, -1, 1.5, 1e300, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER],
  "integers that a number cannot hold": [2n ** 53n, -(2n ** 64n) - 1n],
  "empty texts, lists and objects": ["", [], {}, { "": "" }],
  text: 'quotes " and \\, lines\r\n, tab\t, null \u0000, delete \u007f',
  unicode: "é ß 漢字 العربية 👩‍👩‍👧 \u{10ffff} e\u0301 \ufeff",
  "half a surrogate pair": "\ud800",
  "names of the language": JSON.parse('{"__proto__": 1, "constructor": 2, "toString": {"__proto__": []}}'),
  "deep lists": Array.from({ length: 200 }).reduce((inner) => [inner], null),
};

const ENDPOINT = {
  whoami: (context: object): object => ({ context }),
  large: (): string => "x".repeat(30_000),
  fail(): never {
    throw Object.assign(new Error("out of paper"), { name: "PaperError" });
  },
};

overEveryBed("RPC", (bed) => {
  const test = withStage(bed);

  test("a call returns any JSON value unchanged", { tags: ["rpc:call:reply"] }, async ({ served: _served, client }) => {
    expect(await client.call({}, "echo", { arg: JSON_VALUES })).toEqual(JSON_VALUES);
  });

  test("a call carries its context to the method", { tags: ["rpc:call:context"] }, async ({ stage, client }) => {
    await stage.serve("a", [ENDPOINT]);
    const context = { request_id: "req-1", user: "ü", roles: ["admin"], nested: { deep: null } };
    expect(await client.call(context, "whoami")).toEqual({ context });
  });

  test("a call whose reply exceeds the caller's maxMessageBytes fails at once, and names both sizes", {
    tags: ["rpc:server:reply-rejected", "rpc:call:reply-too-large"],
  }, async ({ stage }) => {
    await stage.serve("a", [ENDPOINT]);
    const client = await stage.client({ transport: stage.rpcTransport({ maxMessageBytes: 20_000 }) });
    await expect(client.call({}, "large")).rejects.toThrow(
      /message of 30\d{3} bytes exceeds the (peer's )?limit of 20000 bytes/,
    );
    expect(await client.call({ next: 1 }, "whoami")).toEqual({ context: { next: 1 } });
  });

  test("a call carries a megabyte in both directions", async ({ served: _served, client }) => {
    const arg = "é".repeat(512 * 1024);
    expect(await client.call({}, "echo", { arg })).toBe(arg);
  });

  test("each of 256 concurrent calls gets its own answer", {
    tags: ["rpc:call:many-at-once"],
  }, async ({ served: _served, client }) => {
    const args = Array.from({ length: 256 }, (_, index) => `${index} ${"x".repeat(index * 16)}`);
    expect(await Promise.all(args.map((arg) => client.call({}, "echo", { arg })))).toEqual(args);
  });

  test("an error that a method throws reaches the caller as a RemoteError", {
    tags: ["rpc:call:remote-error", "rpc:dispatch:no-such-method"],
  }, async ({ stage, client }) => {
    await stage.serve("a", [ENDPOINT]);
    await expect(client.call({}, "fail")).rejects.toMatchObject({
      name: "RemoteError",
      module: "javascript",
      excType: "PaperError",
      value: "out of paper",
      args: ["out of paper"],
      traceback: [],
    });
    await expect(client.call({}, "constructor")).rejects.toMatchObject({
      excType: "NoSuchMethod",
      module: "oslo_messaging.rpc.dispatcher",
      value: "Endpoint does not support RPC method constructor",
    });
    expect(await client.call({}, "whoami")).toEqual({ context: {} });
  });
});
