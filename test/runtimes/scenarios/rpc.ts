import { assert } from "chai";
import type { Scenario } from "@/test/fixtures/runtimes/scenario.js";
import { failureOf } from "@/test/fixtures/runtimes/scenario-stage.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { Inbox } from "@/test/fixtures/stages/inbox.js";

const CONTEXT = { request_id: "req-1", user: "ü", roles: ["admin"] };

const JSON_VALUE = {
  text: 'quotes " and \\, lines\r\n, null \u0000',
  unicode: "é ß 漢字 العربية 👩‍👩‍👧 \u{10ffff} e\u0301 \ufeff",
  "half a surrogate pair": "\ud800",
  numbers: [0, -1, 2.5, 1e300, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER],
  deep: { "": [{}, [], null, true] },
};

/** Phase of a call to a topic without a server, by the kind of the message bus. */
const UNHEARD = { router: "credit", broker: "reply" } as const;

const MONITOR_MS = 2_000;

/** Answers with the name of its server, and keeps notes. */
class Endpoint {
  readonly #server: string;
  readonly #notes: Inbox<string> | undefined;

  constructor(server: string, notes?: Inbox<string>) {
    this.#server = server;
    this.#notes = notes;
  }

  whoami(context: object): object {
    return { server: this.#server, context };
  }
  echo(_context: object, { arg }: { arg: unknown }): unknown {
    return arg;
  }
  note(_context: object, { arg }: { arg: unknown }): void {
    this.#notes?.put(`${arg} at ${this.#server}`);
  }
}

export const RPC: readonly Scenario[] = [
  {
    name: "a Python server answers a call with any JSON value, and gets its context",
    async run(stage) {
      const python = stage.python();
      assert.deepEqual(await python.call({}, "echo", { arg: JSON_VALUE }), JSON_VALUE);
      const server = python.prepare({ server: "python" });
      const ctxt = { ...CONTEXT, ...stage.setting.addedByPython };
      assert.deepEqual(await server.call(CONTEXT, "whoami"), { server: "python", ctxt });
    },
  },
  {
    name: "a server in this runtime answers a Python client with any JSON value, and gets its context",
    async run(stage) {
      await stage.serve("here", [new Endpoint("here")]);
      const target = { topic: stage.topic };
      const args = { arg: JSON_VALUE };
      assert.deepEqual(await stage.ask("pythonCall", { target, method: "echo", args }), JSON_VALUE);
      const who = { target: { ...target, server: "here" }, method: "whoami", context: CONTEXT };
      assert.deepEqual(await stage.ask("pythonCall", who), { server: "here", context: CONTEXT });
    },
  },
  {
    name: "casts to any server, to one and to all reach a Python server",
    async run(stage) {
      const python = stage.python();
      await python.cast({}, "note", { arg: `any ${stage.topic}` });
      await python.prepare({ server: "python" }).cast({}, "note", { arg: `one ${stage.topic}` });
      await python.prepare({ fanout: true }).cast({}, "note", { arg: `all ${stage.topic}` });
      for (const whom of ["any", "one", "all"]) await stage.ask("pythonNoted", { arg: `${whom} ${stage.topic}` });
    },
  },
  {
    name: "Python's casts to one server and to all reach servers in this runtime",
    async run(stage) {
      const notes = new Inbox<string>("the servers here");
      const { topic } = stage;
      for (const server of ["a", "b"]) await stage.serve(server, [new Endpoint(server, notes)]);
      const told = (note: string) => notes.take(note, (told) => (told === note ? true : undefined));
      await stage.ask("pythonCast", { target: { topic, server: "b" }, method: "note", args: { arg: "one" } });
      await told("one at b");
      await stage.ask("pythonCast", { target: { topic, fanout: true }, method: "note", args: { arg: "all" } });
      await Promise.all([told("all at a"), told("all at b")]);
      assert.isEmpty(notes.unread);
    },
  },
  {
    name: "namespace and version choose the endpoint, and a request without one fails with UnsupportedVersion",
    async run(stage) {
      const { oslo, topic } = stage;
      await stage.serve("a", [
        { target: new oslo.Target({ version: "1.3" }), which: () => "1.3" },
        { target: new oslo.Target({ version: "2.1" }), which: () => "2.1" },
        { target: new oslo.Target({ namespace: "admin", version: "1.0" }), which: () => "admin" },
      ]);
      const client = stage.client();
      assert.equal(await client.prepare({ version: "1.2" }).call({}, "which"), "1.3");
      assert.equal(await client.prepare({ version: "2.1" }).call({}, "which"), "2.1");
      assert.equal(await client.prepare({ namespace: "admin" }).call({}, "which"), "admin");
      const raised = await stage.ask("pythonRaises", { target: { topic, version: "1.4" }, method: "which" });
      assert.deepInclude(raised, { type: "RemoteError", excType: "UnsupportedVersion" });
      const refused = await failureOf(stage.python().prepare({ version: "2.0" }).call({}, "ping"), oslo.RemoteError);
      assert.deepInclude(refused, { excType: "UnsupportedVersion", module: "oslo_messaging.rpc.dispatcher" });
    },
  },
  {
    name: "a Python exception becomes a RemoteError with its type, module, message and traceback",
    async run(stage) {
      const python = stage.python();
      const { RemoteError } = stage.oslo;
      const error = await failureOf(python.call({}, "fail", { kind: "value" }), RemoteError);
      assert.deepInclude(error, {
        name: "RemoteError",
        excType: "ValueError",
        module: "builtins",
        value: "bad value é",
        message: "ValueError: bad value é",
      });
      assert.match(error.traceback.join(""), /^Traceback [\s\S]*ValueError: bad value é\n$/);
      const expected = await failureOf(python.call({}, "fail_expected"), RemoteError);
      assert.deepInclude(expected, { excType: "KeyError", args: ["expected-key"] });
      const missing = await failureOf(python.call({}, "no_such_method"), RemoteError);
      assert.deepInclude(missing, { excType: "NoSuchMethod", module: "oslo_messaging.rpc.dispatcher" });
    },
  },
  {
    name: "an error thrown in this runtime is raised in Python as a RemoteError with its name and message",
    async run(stage) {
      const logged: string[] = [];
      const silent = () => {};
      const logger = { debug: silent, info: silent, warn: silent, error: (line: string) => logged.push(line) };
      const show = stage.oslo.expectedExceptions(RangeError)((_context: object, { id }: { id: string }) => {
        throw id === "none" ? new RangeError("no ü") : new TypeError("a fault");
      });
      await stage.serve("a", [{ show }], { transport: stage.rpcTransport({ logger }) });
      const raised = (id: string) =>
        stage.ask("pythonRaises", { target: { topic: stage.topic }, method: "show", args: { id } });
      assert.deepInclude(await raised("none"), { type: "RemoteError", excType: "RangeError", value: "no ü" });
      assert.isEmpty(logged, "an expected exception is not logged as an error");
      assert.deepInclude(await raised("other"), { type: "RemoteError", excType: "TypeError", value: "a fault" });
      assert.lengthOf(logged, 1);
    },
  },
  {
    name: "a call to a topic without a server times out with its phase",
    async run(stage) {
      const transport = stage.rpcTransport();
      await transport.connect();
      const client = stage.client({ transport });
      const { topic, setting, oslo } = stage;
      const error = await failureOf(client.call({}, "echo", {}, { timeoutMs: 500 }), oslo.MessagingTimeout);
      assert.deepInclude(error, { name: "MessagingTimeout", phase: UNHEARD[setting.kind] });
      assert.include(error.address, topic);
      assert.isAtLeast(error.elapsedMs, 490);
    },
  },
  {
    name: "a call to a slow method times out in the phase reply, and the next call is answered",
    async run(stage) {
      const held = new BlockingEndpoint();
      await stage.serve("a", [held]);
      const client = stage.client();
      await client.call({}, "echo");
      const call = client.call({}, "hold", { arg: "late" }, { timeoutMs: 500 });
      const error = await failureOf(call, stage.oslo.MessagingTimeout);
      assert.equal(error.phase, "reply");
      held.release();
      assert.equal(await client.call({}, "echo", { arg: "next" }), "next");
    },
  },
  {
    name: "an aborted signal ends a call with its reason, before and while its method runs",
    async run(stage) {
      const reason = new RangeError("no longer wanted");
      const held = new BlockingEndpoint();
      await stage.serve("a", [held]);
      const client = stage.client();
      const controller = new AbortController();
      const call = client.call({}, "hold", { arg: "x" }, { signal: controller.signal });
      const ended = failureOf(call, RangeError);
      await held.begun("x");
      controller.abort(reason);
      assert.equal(await ended, reason);
      const again = client.call({}, "hold", { arg: "never" }, { signal: controller.signal });
      assert.equal(await failureOf(again, RangeError), reason);
      held.release();
      assert.equal(await client.call({}, "echo", { arg: "next" }), "next");
      assert.deepEqual(held.calls, ["x"]);
    },
  },
  {
    name: "heartbeats keep monitored calls alive beyond the monitor timeout, from Python and to Python",
    async run(stage) {
      const secs = (MONITOR_MS + 500) / 1_000;
      const slow = (_context: object, { secs }: { secs: number }) =>
        new Promise((resolve) => setTimeout(() => resolve(`slept ${secs}`), secs * 1_000));
      await stage.serve("a", [{ slow }]);
      const target = { topic: stage.topic };
      const monitor = { callMonitorTimeout: MONITOR_MS / 1_000 };
      const answers = await Promise.all([
        stage.python().call({}, "slow", { secs }, { callMonitorTimeoutMs: MONITOR_MS }),
        stage.ask("pythonCall", { target, method: "slow", args: { secs }, ...monitor }),
      ]);
      assert.deepEqual(answers, [`slept ${secs}`, `slept ${secs}`]);
    },
  },
  {
    name: "each of 200 concurrent calls to Python gets its own answer",
    async run(stage) {
      const python = stage.python();
      const args = Array.from({ length: 200 }, (_, index) => `${index} ${"é".repeat(index * 8)}`);
      assert.deepEqual(await Promise.all(args.map((arg) => python.call({}, "echo", { arg }))), args);
    },
  },
  {
    name: "integers keep every digit to Python and back, as a bigint where a number cannot hold them",
    async run(stage) {
      const python = stage.python();
      const big = 2n ** 70n + 1n;
      assert.equal(await python.call({}, "describe", { arg: big }), `${big}`);
      assert.deepEqual(await python.call({}, "echo", { arg: [-big, 2 ** 53] }), [-big, 2n ** 53n]);
      assert.equal(await python.call({}, "echo", { arg: 2 ** 53 - 1 }), 2 ** 53 - 1);
    },
  },
  {
    name: "sending NaN fails with its path, and Python's NaN fails or is accepted as nonFiniteNumbers says",
    async run(stage) {
      const python = stage.python();
      const sent = await failureOf(python.call({}, "echo", { arg: [Number.NaN] }), Error);
      assert.match(sent.message, /args\.arg\[0\] is NaN/);
      const came = await failureOf(python.call({}, "number", { text: "nan" }), Error);
      assert.match(came.message, /NaN at character \d+ is Python's, not JSON's/);
      const lenient = stage.python(stage.rpcTransport({ nonFiniteNumbers: "accept" }));
      assert.isNaN(await lenient.call({}, "number", { text: "nan" }));
    },
  },
  {
    name: "a message of 10 MB is sent to Python and back",
    async run(stage) {
      const arg = "0123456789é".repeat(900_000);
      assert.equal(await stage.python().call({}, "echo", { arg }), arg);
    },
  },
  {
    name: "the JSON payload serializer writes dates, sets, URLs and bytes as Python's does",
    async run(stage) {
      const serializer = stage.oslo.jsonPayloadSerializer;
      const client = stage.client({ target: { topic: stage.setting.pythonTopic }, serializer });
      const arg = new Map<string, unknown>([
        ["when", new Date(Date.UTC(2026, 0, 31, 12, 30, 0, 123))],
        ["tags", new Set(["a", "b"])],
        ["url", new URL("http://host/")],
        ["bytes", new TextEncoder().encode("é")],
      ]);
      const primitive = { when: "2026-01-31T12:30:00.123000", tags: ["a", "b"], url: "http://host/", bytes: "é" };
      assert.deepEqual(await client.call({}, "echo", { arg }), primitive);
    },
  },
];
