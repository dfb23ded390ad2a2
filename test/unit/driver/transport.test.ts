import { describe, expect, onTestFinished, test } from "vitest";
import type { Address, Dial } from "../../../src/core/dial.js";
import type { Frame } from "../../../src/core/frame-log.js";
import type { TransportStatus } from "../../../src/core/status.js";
import {
  NotificationTransport,
  RPCTransport,
  type Runtime,
  type TransportOptions,
} from "../../../src/driver/transport.js";
import { TransportURL } from "../../../src/driver/transport-url.js";
import { Intermediary } from "../../../src/intermediary/intermediary.js";
import { memoryDial } from "../../../src/transports/memory.js";
import { RecordingLogger } from "../../support/recording-logger.js";
import { failureOf } from "./amqp/peer.js";

const intermediary = new Intermediary({ kind: "router", users: new Map([["user", "secret"]]) });

function runtime(defaults: Runtime["defaults"] = {}): Runtime {
  const dial = memoryDial(intermediary.accept);
  return { dialers: { amqp: dial, amqps: dial }, identity: { node: "node", process: "program", pid: 7 }, defaults };
}

function transport(url: string | TransportURL, options: TransportOptions = {}, on = runtime()): RPCTransport {
  const made = new RPCTransport(on, url, options);
  onTestFinished(() => made.close());
  return made;
}

/** What the frames of a connection say that was made so. */
async function openFields(url: string, options: TransportOptions = {}, on = runtime()) {
  const frames: Frame[] = [];
  await transport(url, { onFrame: (frame) => frames.push(frame), ...options }, on).connect();
  return frames.find(({ direction, performative }) => direction === "out" && performative === "open")?.fields;
}

const URL = "amqp://user:secret@localhost/vhost";

describe("making a transport", () => {
  test("takes a URL as text or as an object", () => {
    expect(transport(URL).url.virtualHost).toBe("vhost");
    const url = TransportURL.parse(URL);
    expect(transport(url).url).toBe(url);
  });

  test("refuses a scheme that does not work here, and names those that do", { tags: ["driver:load"] }, () => {
    for (const scheme of ["rabbit", "constructor", "amqp+ws"]) {
      expect(() => transport(`${scheme}://h/`)).toThrow(
        expect.objectContaining({
          name: "DriverLoadFailure",
          driver: scheme,
          message: `Failed to load transport driver "${scheme}": the schemes that work here are amqp, amqps`,
        }),
      );
    }
  });

  test("takes schemes that are added", () => {
    const dial: Dial = () => Promise.reject(new Error("no"));
    expect(transport("other://h/", { dialers: { other: dial } }).url.scheme).toBe("other");
    expect(() => transport("third://h/", { dialers: { other: dial } })).toThrow("work here are amqp, amqps, other");
  });

  test("refuses a URL that cannot be read, without its password", () => {
    const error = capture(() => transport("amqp://user:secret@h:port/"));
    expect(error).toMatchObject({ name: "InvalidTransportURL" });
    expect(String(error)).not.toContain("secret");
  });

  test.each([
    ["amqp://h/?nonsense=1", "NoSuchOptError", "nonsense"],
    ["amqp://h/?idle_timeout=soon", "ConfigurationError", "idle_timeout"],
    ["amqp://h/?ssl=true", "ConfigurationError", "ssl"],
  ])("checks the query of %s", (url, name, key) => {
    expect(capture(() => transport(url))).toMatchObject({ name, key });
  });

  test.each<[string, object]>([
    ["nonsense", { nonsense: 1 }],
    ["controlExchange", { controlExchange: 7 }],
    ["rpcResponseTimeoutMs", { rpcResponseTimeoutMs: 0 }],
    ["amqp", { amqp: [] }],
    ["idleTimeoutMs", { amqp: { idleTimeoutMs: "1" } }],
    ["webSocket", { webSocket: "x" }],
    ["path", { webSocket: { path: 1 } }],
    ["dialers", { dialers: { amqp: "tcp" } }],
    ["logger", { logger: { info() {} } }],
    ["maxMessageBytes", { maxMessageBytes: 0 }],
    ["remoteExceptions", { remoteExceptions: {} }],
    ["onFrame", { onFrame: true }],
  ])("refuses a bad %s, naming it", (key, options) => {
    expect(capture(() => transport(URL, options))).toMatchObject({ key });
  });

  test("connects nowhere yet", { tags: ["driver:never-connected"] }, () => {
    expect(transport("amqp://nowhere.invalid/").state).toEqual({ type: "idle" });
  });
});

describe("a connection", () => {
  test("tells who we are", async () => {
    const open = await openFields(URL);
    expect(open).toMatchObject({ properties: { node: "node", process: "program", pid: 7 } });
    expect(open).toHaveProperty(
      "containerId",
      expect.stringMatching(/^openstack\.org\/om\/container\/node\/program\/7\/[0-9a-f]{32}$/),
    );
    expect(open).not.toHaveProperty("hostname");
    expect(open).not.toHaveProperty("idleTimeOut");
  });

  test("carries what the options say", async () => {
    const open = await openFields(`${URL}?container_name=mine&pseudo_vhost=false&idle_timeout=60`);
    expect(open).toMatchObject({ containerId: "mine", hostname: "vhost", idleTimeOut: 30_000 });
  });

  test("has the defaults of the runtime, which the URL goes before", async () => {
    const web = runtime({ idleTimeoutMs: 10_000 });
    expect(await openFields(URL, {}, web)).toMatchObject({ idleTimeOut: 5_000 });
    expect(await openFields(`${URL}?idle_timeout=0`, {}, web)).not.toHaveProperty("idleTimeOut");
  });

  test("goes to the WebSocket path of the URL, or of the options", async () => {
    const asked: Address[] = [];
    const dial: Dial = (to) => {
      asked.push(to);
      return Promise.reject(new Error("no"));
    };
    for (const [url, path] of [
      ["ws://h/", undefined],
      ["ws://h/", "/code"],
      ["ws://h/?ws_path=/url", "/code"],
    ] as const) {
      const made = transport(url, { dialers: { ws: dial }, webSocket: { path } });
      await failureOf(made.connect({ signal: AbortSignal.timeout(20) }));
    }
    expect(asked.map(({ path }) => path)).toEqual([undefined, "/code", "/url"]);
  });

  test("that is refused says why in the status, without the password", async () => {
    const made = transport("amqp://user:guess@localhost/");
    const connecting = failureOf(made.connect({ signal: AbortSignal.timeout(200) }));
    let refused: TransportStatus | undefined;
    for await (const status of made.status()) {
      refused = status;
      if (status.type === "disconnected") break;
    }
    expect(refused).toMatchObject({ host: "localhost:5672", error: { name: "AuthenticationError" }, retryInMs: 1_000 });
    expect(JSON.stringify(refused) + String(refused?.type === "disconnected" && refused.error)).not.toContain("guess");
    expect((await connecting).name).toBe("TimeoutError");
  });

  test("logs its frames when trace is on, without secrets", async () => {
    const logger = new RecordingLogger();
    const frames: Frame[] = [];
    await transport(`${URL}?trace=true`, { logger, onFrame: (frame) => frames.push(frame) }).connect();
    expect(logger.of("debug")).toEqual(expect.arrayContaining(["out sasl-init", "in open"]));
    expect(logger.of("debug")).toHaveLength(frames.length);
    expect(JSON.stringify(logger.lines)).not.toContain("secret");
  });

  test("warns once when the password goes in clear to another machine", async () => {
    const logger = new RecordingLogger();
    await transport("amqp://user:secret@localhost/", { logger }).connect();
    expect(logger.of("warn")).toEqual([]);
    const elsewhere = transport("amqp://user:secret@broker.example/?connection_retry_interval=1", { logger });
    await elsewhere.connect();
    expect(logger.of("warn")).toEqual([
      "the password went to broker.example:5672 in clear: amqps or amqp+wss would hide it",
    ]);
    expect(JSON.stringify(logger.lines)).not.toContain("secret");
  });
});

describe("closing a transport", () => {
  test("ends its connection and its status", async () => {
    const made = transport(URL);
    await made.connect();
    expect(made.state).toEqual({ type: "connected", host: "localhost:5672", product: "oslo-messaging-router" });
    await Promise.all([made.close(), made.close({ graceMs: 10 })]);
    expect(made.state).toEqual({ type: "closed" });
    const seen: string[] = [];
    for await (const { type } of made.status()) seen.push(type);
    expect(seen).toEqual(["closed"]);
    expect((await failureOf(made.connect())).message).toBe("the transport is closed");
  });

  test("is what disposing of it does", async () => {
    const made = transport(URL);
    {
      await using disposed = made;
      await disposed.connect();
    }
    expect(made.state.type).toBe("closed");
  });

  test("refuses a grace that is none", async () => {
    const made = transport(URL);
    for (const graceMs of [-1, Number.NaN]) {
      expect(await failureOf(made.close({ graceMs }))).toMatchObject({ name: "ConfigurationError", key: "graceMs" });
    }
  });
});

test("a transport for notifications is no transport for RPC", () => {
  const rpc = transport(URL);
  const notification = new NotificationTransport(runtime(), URL, {});
  // @ts-expect-error they are different kinds
  const mixed: RPCTransport = notification;
  expect(mixed).not.toBe(rpc);
});

function capture(make: () => unknown): unknown {
  try {
    make();
  } catch (error) {
    return error;
  }
  throw new Error("it was taken");
}
