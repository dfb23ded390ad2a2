import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RemoteError, type RPCClient } from "@/src/entry/node.js";
import { overEveryBed } from "@/test/fixtures/beds/bed.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";
import { Stage } from "@/test/fixtures/stages/stage.js";

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

const HOSTILE_NAMES = [
  "constructor",
  "__proto__",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "__defineGetter__",
  "prototype",
  "target",
  "answer",
  "_hidden",
  "",
  "no such method",
];

/** What a method may throw, and what the caller is told of it. */
const THROWN: [what: string, thrown: unknown, told: object][] = [
  ["an Error", new Error("out of paper"), { excType: "Error", value: "out of paper", args: ["out of paper"] }],
  ["an Error of the language", new RangeError("too far"), { excType: "RangeError", value: "too far" }],
  ["an Error of its own", Object.assign(new Error("x"), { name: "PaperError" }), { excType: "PaperError", value: "x" }],
  ["an Error without a message", new Error(), { excType: "Error", value: "" }],
  ["text", "just text", { excType: "Error", value: "just text" }],
  ["nothing", undefined, { excType: "Error", value: "undefined" }],
  ["null", null, { excType: "Error", value: "null" }],
  ["a number", 42, { excType: "Error", value: "42" }],
  ["a symbol", Symbol("s"), { excType: "Error", value: "Symbol(s)" }],
  ["an object", { code: 7 }, { excType: "Error", value: '{"code":7}' }],
  ["an object without a prototype", Object.create(null), { excType: "Error" }],
  [
    "an object that cannot be read",
    new Proxy(
      {},
      {
        get() {
          throw new Error("hands off");
        },
      },
    ),
    { excType: "Error" },
  ],
  [
    "a RemoteError from elsewhere",
    new RemoteError({
      excType: "Gone",
      module: "nova.exc",
      message: "it is gone",
      traceback: ["secret"],
      args: [1],
      kwargs: {},
    }),
    { excType: "Gone", module: "nova.exc", value: "it is gone", args: [1], traceback: [] },
  ],
];

/** What JSON cannot hold, as a result. */
const UNSENDABLE: [what: string, result: unknown, named: RegExp][] = [
  ["NaN", Number.NaN, /^response is NaN or infinite/],
  ["Infinity somewhere inside", { list: [1, Number.POSITIVE_INFINITY] }, /^response\.list\[1\] is NaN or infinite/],
  ["a value that contains itself", cyclic(), /circular/i],
];

interface Noted {
  server: string;
  context: object;
  arg: unknown;
}

overEveryBed("RPC", (bed) => {
  let stage: Stage;
  let client: RPCClient;
  const notes = new Inbox<Noted>("the servers");
  const noted = (arg: string): Promise<Noted> => notes.take(arg, (note) => (note.arg === arg ? note : undefined));

  class Endpoint {
    readonly answer = 42;
    readonly #server: string;

    constructor(server: string) {
      this.#server = server;
    }

    echo(_context: object, { arg }: { arg: unknown }): unknown {
      return arg;
    }
    async whoami(context: object): Promise<object> {
      return { server: this.#server, context };
    }
    note(context: object, { arg }: { arg: unknown }): void {
      notes.put({ server: this.#server, context, arg });
    }
    fail(_context: object, { index }: { index: number }): never {
      throw THROWN[index]?.[1];
    }
    async reject(_context: object, { index }: { index: number }): Promise<never> {
      throw THROWN[index]?.[1];
    }
    unsendable(_context: object, { index }: { index: number }): unknown {
      return UNSENDABLE[index]?.[1];
    }
    nothing(): void {}
    _hidden(): string {
      return "not for you";
    }
  }

  beforeAll(async () => {
    stage = new Stage(bed, "rpc");
    client = await stage.client();
    await Promise.all(["a", "b"].map((server) => stage.serve(server, [new Endpoint(server)])));
  });

  afterAll(() => stage[Symbol.asyncDispose]());

  describe("a call", () => {
    test.each(Object.entries(JSON_VALUES))(
      "gives back what JSON can hold as it was: %s",
      { tags: ["rpc:call:reply"] },
      async (_what, arg) => {
        expect(await client.call({}, "echo", { arg })).toEqual(arg);
      },
    );

    test("of a method that returns nothing gives null", async () => {
      expect(await client.call({}, "nothing")).toBeNull();
    });

    test("brings its context along", { tags: ["rpc:call:context"] }, async () => {
      const context = { request_id: "req-1", user: "ü", roles: ["admin"], nested: { deep: null } };
      expect(await client.call(context, "whoami")).toMatchObject({ context });
    });

    test("carries a megabyte there and back", async () => {
      const arg = "é".repeat(512 * 1024);
      expect(await client.call({}, "echo", { arg })).toBe(arg);
    });

    test("is one of 256 at once, and gets its own answer", { tags: ["rpc:call:many-at-once"] }, async () => {
      const args = Array.from({ length: 256 }, (_, index) => `${index} ${"x".repeat(index * 16)}`);
      expect(await Promise.all(args.map((arg) => client.call({}, "echo", { arg })))).toEqual(args);
    });

    test("to one server is answered by that one", { tags: ["rpc:call:one-server"] }, async () => {
      for (const server of ["a", "b"]) {
        const direct = client.prepare({ server });
        expect(await Promise.all([1, 2, 3].map(() => direct.call({}, "whoami")))).toEqual(
          Array(3).fill({ server, context: {} }),
        );
      }
    });

    test("to any server goes to one and the other", { tags: ["rpc:call:any-server"] }, async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.call({}, "whoami")));
      expect(new Set(answers.map((answer) => (answer as { server: string }).server))).toEqual(new Set(["a", "b"]));
    });

    test("works on while others fail", async () => {
      const failing = Promise.allSettled(THROWN.map((_, index) => client.call({}, "fail", { index })));
      expect(await client.call({}, "echo", { arg: "still here" })).toBe("still here");
      expect(new Set((await failing).map(({ status }) => status))).toEqual(new Set(["rejected"]));
    });
  });

  describe("a cast", () => {
    test("arrives at one server, with its context", { tags: ["rpc:cast:any-server"] }, async () => {
      await client.cast({ user: "u" }, "note", { arg: "a cast" });
      expect(await noted("a cast")).toMatchObject({ context: { user: "u" } });
    });

    test("to one server arrives at that one", { tags: ["rpc:cast:one-server"] }, async () => {
      for (const server of ["a", "b"]) {
        await client.prepare({ server }).cast({}, "note", { arg: `a cast to ${server}` });
        expect(await noted(`a cast to ${server}`)).toMatchObject({ server });
      }
    });

    test("by fanout arrives at every server, once", { tags: ["rpc:cast:fanout"] }, async (context) => {
      bed.needs("multicasts", context);
      const everybody = client.prepare({ fanout: true });
      for (const arg of ["first fanout", "second fanout"]) {
        await everybody.cast({}, "note", { arg });
        const servers = [await noted(arg), await noted(arg)].map(({ server }) => server);
        expect(servers.sort()).toEqual(["a", "b"]);
      }
      expect(notes.unread).toEqual([]);
    });

    test("of a megabyte arrives", async () => {
      const arg = `a large cast ${"y".repeat(1024 * 1024)}`;
      await client.cast({}, "note", { arg });
      expect(await noted(arg)).toMatchObject({ arg });
    });

    test("whose method fails tells nobody, and the server goes on", { tags: ["rpc:cast:failing-method"] }, async () => {
      const direct = client.prepare({ server: "a" });
      await direct.cast({}, "fail", { index: 0 });
      await direct.cast({}, "no_such_method");
      await direct.cast({}, "note", { arg: "after failures" });
      expect(await noted("after failures")).toMatchObject({ server: "a" });
    });
  });

  describe("a failure reaches the caller", () => {
    test.each(THROWN.map(([what, , told], index) => [what, told, index] as const))(
      "when a method throws %s",
      { tags: ["rpc:call:remote-error"] },
      async (_what, told, index) => {
        const failure = { name: "RemoteError", module: "javascript", traceback: [], ...told };
        await expect(client.call({}, "fail", { index })).rejects.toMatchObject(failure);
        await expect(client.call({}, "reject", { index })).rejects.toMatchObject(failure);
      },
    );

    test.each(UNSENDABLE.map(([what, , named], index) => [what, named, index] as const))(
      "when a method returns what JSON cannot hold: %s",
      async (_what, named, index) => {
        await expect(client.call({}, "unsendable", { index })).rejects.toMatchObject({
          name: "RemoteError",
          excType: "TypeError",
          value: expect.stringMatching(named),
        });
      },
    );

    test.each(HOSTILE_NAMES)(
      "when there is no method %j to be called",
      { tags: ["rpc:dispatch:no-such-method"] },
      async (method) => {
        await expect(client.call({}, method)).rejects.toMatchObject({
          name: "RemoteError",
          excType: "NoSuchMethod",
          module: "oslo_messaging.rpc.dispatcher",
          value: `Endpoint does not support RPC method ${method}`,
        });
      },
    );

    test("and arguments that JSON cannot hold are refused before they are sent, by name", {
      tags: ["rpc:json:not-a-number"],
    }, async () => {
      const args = { arg: { deep: [0, Number.NaN] } };
      const named = /request\.args\.arg\.deep\[1\] is NaN/;
      await expect(client.call({}, "echo", args)).rejects.toThrow(named);
      await expect(client.cast({}, "echo", args)).rejects.toThrow(named);
    });
  });
});

function cyclic(): object {
  const value: Record<string, unknown> = {};
  value["self"] = value;
  return value;
}
