import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  expectedExceptions,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  jsonPayloadSerializer,
  RemoteError,
  type RemoteFailure,
  type RPCClient,
  type RPCTransport,
} from "@/src/entry/node.js";
import { uniqueTopic } from "@/test/fixtures/beds/bed.js";
import { type Bus, EMBEDDED_ROUTER } from "@/test/fixtures/beds/bus-plan.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { type PythonCall, PythonClient, PythonServer } from "@/test/fixtures/python/python.js";

const BIG = 2n ** 70n + 1n;

class PeerError extends Error {
  readonly failure: RemoteFailure;

  constructor(failure: RemoteFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

class NotFound extends Error {
  override readonly name = "NotFound";
}

class Owner {
  readonly name = "ü";
  readonly tags = new Set(["a", "b"]);
  readonly #secret: string = "s3cr3t";
  hasSecret(): boolean {
    return this.#secret !== "";
  }
}

/** Values that JSON cannot represent, and their form by Python's to_primitive. */
const RICH = new Map<string, unknown>([
  ["when", new Date(Date.UTC(2026, 0, 31, 12, 30, 0, 123))],
  ["owner", new Owner()],
  ["url", new URL("http://host/")],
  ["bytes", new TextEncoder().encode("é")],
  ["big", BIG],
]);
const PRIMITIVE = {
  when: "2026-01-31T12:30:00.123000",
  owner: { name: "ü", tags: ["a", "b"] },
  url: "http://host/",
  bytes: "é",
  big: BIG,
};

const endpoint = {
  show: expectedExceptions(NotFound)((_context: object, { id }: { id: string }) => {
    throw new NotFound(`no ${id}`);
  }),
  forward() {
    const [excType, module, message] = ["PeerError", "peers_exc", "from afar"];
    throw new RemoteError({ excType, module, message, traceback: [], args: [message, 7], kwargs: {} });
  },
  describe: (_context: object, { arg }: { arg: unknown }) => `${typeof arg} ${arg}`,
  rich: () => RICH,
};

describe.concurrent("values and errors between ours and Python's oslo.messaging", () => {
  const topics = { python: uniqueTopic("python"), ours: uniqueTopic("ours") };
  const logger = new RecordingLogger();
  let bus: Bus;
  let pythonServer: PythonServer;
  let pythonClient: PythonClient;
  let strict: RPCTransport;
  let lenient: RPCTransport;

  const clientBy = (transport: RPCTransport): RPCClient =>
    getRpcClient(transport, { topic: topics.python, version: "1.0" }, { serializer: jsonPayloadSerializer });
  const call = (method: string, rest: Partial<PythonCall> = {}): Promise<unknown> =>
    pythonClient.call({ target: { topic: topics.ours, version: "1.0" }, method, ...rest });

  beforeAll(async () => {
    bus = await EMBEDDED_ROUTER.start();
    const url = bus.url("amqp");
    [pythonServer, pythonClient] = await Promise.all([
      PythonServer.start({ url, topic: topics.python, server: "python" }),
      PythonClient.start(url),
    ]);
    strict = getRpcTransport(url, { logger: null });
    lenient = getRpcTransport(url, {
      logger,
      nonFiniteNumbers: "accept",
      remoteExceptions: new Map([["peers_exc.PeerError", (failure) => new PeerError(failure)]]),
    });
    const options = { serializer: jsonPayloadSerializer };
    await getRpcServer(lenient, { topic: topics.ours, server: "ours" }, [endpoint], options).start();
    await clientBy(strict).call({}, "ping"); // Python reports that it is ready before its links are attached
  });

  afterAll(async () => {
    await Promise.all([strict?.close(), lenient?.close()]);
    await Promise.all([pythonServer?.stop(), pythonClient?.stop()]);
    await bus?.close();
  });

  test("an expected error of our method is raised in Python, and is not logged as an error", {
    tags: ["rpc:server:expected-exceptions"],
  }, async () => {
    const raised = { type: "RemoteError", excType: "NotFound", value: "no x" };
    await expect(call("show", { args: { id: "x" } })).rejects.toMatchObject(raised);
    const lines = logger.lines.filter(({ fields }) => fields !== undefined && Reflect.get(fields, "method") === "show");
    expect(lines.map(({ level }) => level)).toEqual(["debug"]);
  });

  test("an expected error of a Python method rejects our call", async () => {
    await expect(clientBy(strict).call({}, "fail_expected")).rejects.toMatchObject({
      name: "RemoteError",
      excType: "KeyError",
      module: "builtins",
      args: ["expected-key"],
    });
  });

  test("a Python error that our server passes on is raised in Python by its class", async () => {
    await expect(call("forward")).rejects.toMatchObject({
      type: "PeerError_Remote",
      module: "peers_exc_Remote",
      code: 7,
    });
  });

  test("a Python error becomes the error that remoteExceptions returns", {
    tags: ["rpc:call:allowed-remote-exceptions"],
  }, async () => {
    const raised = clientBy(lenient).call({}, "fail", { kind: "custom" });
    await expect(raised).rejects.toBeInstanceOf(PeerError);
    await expect(raised).rejects.toMatchObject({ message: "custom trouble", failure: { module: "peers_exc" } });
    await expect(clientBy(lenient).call({}, "fail", { kind: "value" })).rejects.toBeInstanceOf(RemoteError);
  });

  test("Python's NaN in a result rejects the call, and the error names it", {
    tags: ["rpc:json:not-a-number-received"],
  }, async () => {
    const call = (text: string) => clientBy(strict).call({}, "number", { text });
    await expect(call("nan")).rejects.toThrow(/NaN at character \d+ is Python's, not JSON's/);
    await expect(call("-inf")).rejects.toThrow(/-Infinity at character \d+ is Python's, not JSON's/);
    expect(await call("1.5")).toBe(1.5);
  });

  test("Python's NaN in a result is a number when it is accepted", {
    tags: ["rpc:json:not-a-number-received"],
  }, async () => {
    const call = (text: string) => clientBy(lenient).call({}, "number", { text });
    expect(await call("nan")).toBeNaN();
    expect(await call("-inf")).toBe(Number.NEGATIVE_INFINITY);
  });

  test("Python's NaN in an argument is a number when it is accepted", async () => {
    expect(await call("describe", { floats: { arg: "nan" } })).toBe("number NaN");
    expect(await call("describe", { floats: { arg: "inf" } })).toBe("number Infinity");
  });

  test("Python's NaN in an exception does not hide the exception", async () => {
    const raised = { excType: "ValueError", value: "nan", args: [Number.NaN] };
    await expect(clientBy(strict).call({}, "fail_with_nan")).rejects.toMatchObject(raised);
  });

  test("an integer of any size is sent to Python and back", { tags: ["rpc:json:long-integers"] }, async () => {
    expect(await clientBy(strict).call({}, "describe", { arg: BIG })).toBe(String(BIG));
    expect(await clientBy(strict).call({}, "echo", { arg: [-BIG, 2 ** 53] })).toEqual([-BIG, 2n ** 53n]);
  });

  test("an integer of any size is received from Python", { tags: ["rpc:json:long-integers"] }, async () => {
    expect(await call("describe", { args: { arg: BIG } })).toBe(`bigint ${BIG}`);
    expect(await call("describe", { args: { arg: 2 ** 53 - 1 } })).toBe(`number ${2 ** 53 - 1}`);
  });

  test("Python reads arguments and results that the JSON payload serializer has converted", {
    tags: ["rpc:client:json-payload-serializer"],
  }, async () => {
    expect(await clientBy(strict).call({}, "echo", { arg: RICH })).toEqual(PRIMITIVE);
    expect(await call("rich")).toEqual({ ...PRIMITIVE, big: Number(BIG) });
  });
});
