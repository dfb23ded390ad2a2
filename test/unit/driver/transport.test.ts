import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Address, Dial } from "@/src/core/byte-stream.js";
import type { TransportStatus } from "@/src/core/connection/status.js";
import type { Frame } from "@/src/core/frames/frame-log.js";
import { amqp } from "@/src/driver/amqp/amqp.js";
import type { TransportOptions } from "@/src/driver/options/transport-options.js";
import { TransportURL } from "@/src/driver/options/transport-url.js";
import { rabbit } from "@/src/driver/rabbit/rabbit.js";
import { RABBIT_SCHEMES } from "@/src/driver/rabbit/schemes.js";
import { getRpcClient } from "@/src/driver/rpc/client.js";
import { getRpcServer } from "@/src/driver/rpc/server.js";
import type { Runtime } from "@/src/driver/runtime.js";
import { NotificationTransport, RPCTransport } from "@/src/driver/transport.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";
import { RecordingLogger } from "@/test/fixtures/fakes/recording-logger.js";
import { failureOf } from "@/test/fixtures/peers/driver-peer.js";

const intermediary = new Intermediary({
  kind: "router",
  users: new Map([["user", "secret"]]),
  tokens: new Set(["t0ken"]),
});

function runtime(defaults: Runtime["defaults"] = {}): Runtime {
  const dial = memoryDial(intermediary.accept);
  return {
    drivers: [amqp],
    dialers: { amqp: dial, amqps: dial },
    identity: { node: "node", process: "program", pid: 7 },
    defaults,
  };
}

function transport(url: string | TransportURL, options: TransportOptions = {}, inRuntime = runtime()): RPCTransport {
  const made = new RPCTransport(inRuntime, url, { logger: null, ...options });
  onTestFinished(() => made.close());
  return made;
}

/** The fields of the Open frame that a transport sends. */
async function openFields(url: string, options: TransportOptions = {}, inRuntime = runtime()) {
  const frames: Frame[] = [];
  await transport(url, { onFrame: (frame) => frames.push(frame), ...options }, inRuntime).connect();
  return frames.find(({ direction, performative }) => direction === "out" && performative === "open")?.fields;
}

const URL = "amqp://user:secret@localhost/vhost";

describe("making a transport", () => {
  test("a transport accepts a URL as text or as an object", () => {
    expect(transport(URL).url.virtualHost).toBe("vhost");
    const url = TransportURL.parse(URL);
    expect(transport(url).url).toBe(url);
  });

  test("an unsupported scheme throws an error that names the supported ones", { tags: ["driver:load"] }, () => {
    for (const scheme of ["kafka", "kombu+redis", "rabbits", "constructor", "amqp+ws"]) {
      expect(() => transport(`${scheme}://user:secret@h:9092//?acks=1`)).toThrow(
        expect.objectContaining({
          name: "DriverLoadFailure",
          driver: scheme,
          message: `Failed to load transport driver "${scheme}": the supported schemes are amqp, amqps`,
        }),
      );
    }
  });

  test("a driver that the runtime lacks is passed in, and is recognised by its shape", () => {
    const drivers = [rabbit];
    expect(() => transport("rabbit://h/", { drivers })).not.toThrow();
    expect(() => transport("rabbit://h/", { drivers: [{ ...rabbit }] })).not.toThrow(); // of a second copy
    expect(() => transport("rabbit+ws://h/", { drivers })).toThrow(
      "the supported schemes are amqp, amqps, rabbit, kombu",
    );
    expect(() => transport("rabbit://h/?idle_timeout=3", { drivers })).toThrow("only supported by amqp://");
    expect(() => transport("amqp://h/?rabbit_quorum_queue=1", { drivers })).toThrow("only supported by rabbit://");
    for (const wrong of ["rabbit", [{}], [null], [{ schemes: new Map() }]]) {
      expect(() => transport(URL, { drivers: wrong as never })).toThrow(
        "drivers: must be an array of drivers of this library",
      );
    }
  });

  test("a URL of the rabbit driver without the driver throws an error that shows the line to add", {
    tags: ["driver:load"],
  }, () => {
    const line = 'import { rabbit } from "oslo-messaging/rabbit" and pass { drivers: [rabbit] }';
    const dial: Dial = () => Promise.reject(new Error("no"));
    const thrown = (scheme: string, dialers: Runtime["dialers"], tcpAdvice?: string): unknown =>
      capture(() => transport(`${scheme}://u:secret@h/`, {}, { ...runtime(), dialers, tcpAdvice }));
    for (const scheme of RABBIT_SCHEMES.keys()) {
      // A dialler for the scheme does not help: the driver of AMQP 1.0 would connect to RabbitMQ.
      expect(thrown(scheme, { amqp: dial, "amqp+ws": dial, [scheme]: dial }, "; unused")).toMatchObject({
        name: "DriverLoadFailure",
        driver: scheme,
        message: `Failed to load transport driver "${scheme}": ${scheme}:// needs the driver: ${line}`,
      });
    }
    const webSocket = { "amqp+ws": dial };
    expect(thrown("rabbit+wss", webSocket)).toHaveProperty("message", expect.stringContaining(`: rabbit+wss:// needs`));
    for (const advice of ["", "; for TCP pass a dialer"]) {
      expect(thrown("rabbit", webSocket, advice)).toHaveProperty(
        "message",
        `Failed to load transport driver "rabbit": without TCP use rabbit+ws://, which needs the driver: ${line}${advice}`,
      );
    }
    expect(thrown("amqp", webSocket, "; for TCP pass a dialer")).toHaveProperty(
      "message",
      'Failed to load transport driver "amqp": the supported schemes are amqp+ws; for TCP pass a dialer',
    );
  });

  test("a scheme in upper case is the same scheme", () => {
    expect(transport("AMQP://h/").url.scheme).toBe("amqp");
    expect(() => transport("KAFKA://h/")).toThrow('driver "kafka": the supported schemes are amqp, amqps');
  });

  test("a transport accepts schemes of additional dialers", () => {
    const dial: Dial = () => Promise.reject(new Error("no"));
    expect(transport("other://h/", { dialers: { other: dial } }).url.scheme).toBe("other");
    expect(() => transport("third://h/", { dialers: { other: dial } })).toThrow(
      "supported schemes are amqp, amqps, other",
    );
  });

  test("a malformed URL throws an error without its password", () => {
    const error = capture(() => transport("amqp://user:secret@h:port/"));
    expect(error).toMatchObject({ name: "InvalidTransportURL" });
    expect(String(error)).not.toContain("secret");
  });

  test.each([
    ["amqp://h/?nonsense=1", "NoSuchOptError", "nonsense"],
    ["amqp://h/?idle_timeout=soon", "ConfigurationError", "idle_timeout"],
    ["amqp://h/?ssl=perhaps", "ConfigurationError", "ssl"],
  ])("an invalid query throws: %s", (url, name, key) => {
    expect(capture(() => transport(url))).toMatchObject({ name, key });
  });

  test.each<[string, object]>([
    ["nonsense", { nonsense: 1 }],
    ["controlExchange", { controlExchange: 7 }],
    ["credentials", { credentials: { username: "user", password: "secret" } }],
    ["rpcResponseTimeoutMs", { rpcResponseTimeoutMs: 0 }],
    ["amqp", { amqp: [] }],
    ["idleTimeoutMs", { amqp: { idleTimeoutMs: "1" } }],
    ["webSocket", { webSocket: "x" }],
    ["webSocket.path", { webSocket: { path: 1 } }],
    ["webSocket.nonsense", { webSocket: { nonsense: "/" } }],
    ["dialers", { dialers: { amqp: "tcp" } }],
    ["logger", { logger: { info() {} } }],
    ["maxMessageBytes", { maxMessageBytes: 0 }],
    ["remoteExceptions", { remoteExceptions: {} }],
    ["nonFiniteNumbers", { nonFiniteNumbers: true }],
    ["onFrame", { onFrame: true }],
    ["failFast", { failFast: "yes" }],
    ["maxQueued", { maxQueued: 5 }],
    ["maxQueued.messages", { maxQueued: { messages: 0 } }],
    ["maxQueued.bytes", { maxQueued: { bytes: "1" } }],
    ["random", { random: 0.5 }],
  ])("an invalid option %s throws an error that names it", (key, options) => {
    expect(capture(() => transport(URL, options))).toMatchObject({ key });
  });

  test("a new transport does not connect yet", { tags: ["driver:never-connected"] }, () => {
    expect(transport("amqp://nowhere.invalid/").state).toEqual({ type: "idle" });
  });
});

describe("the connection of a transport", () => {
  test("a connection identifies the program by container id and properties", {
    tags: ["connection:container-name"],
  }, async () => {
    const open = await openFields(URL);
    expect(open).toMatchObject({ properties: { node: "node", process: "program", pid: 7 } });
    expect(open).toHaveProperty(
      "containerId",
      expect.stringMatching(/^openstack\.org\/om\/container\/node\/program\/7\/[0-9a-f]{32}$/),
    );
    expect(open).not.toHaveProperty("hostname");
    expect(open).not.toHaveProperty("idleTimeOut");
  });

  test("a connection generates its container id when container_name is empty", {
    tags: ["connection:container-name"],
  }, async () => {
    const open = await openFields(URL, { amqp: { containerName: "" } });
    expect(open).toHaveProperty("containerId", expect.stringMatching(/^openstack\.org/));
  });

  test("the Open frame carries container_name, virtual host and idle_timeout", {
    tags: ["connection:container-name", "options:url"],
  }, async () => {
    const open = await openFields(`${URL}?container_name=mine&pseudo_vhost=false&idle_timeout=60`);
    expect(open).toMatchObject({ containerId: "mine", hostname: "vhost", idleTimeOut: 30_000 });
  });

  test("a connection has the defaults of the runtime, which the URL overrides", { tags: ["options:url"] }, async () => {
    const web = runtime({ idleTimeoutMs: 10_000 });
    expect(await openFields(URL, {}, web)).toMatchObject({ idleTimeOut: 5_000 });
    expect(await openFields(`${URL}?idle_timeout=0`, {}, web)).not.toHaveProperty("idleTimeOut");
  });

  test("a connection uses the WebSocket path of the URL, else of the options", async () => {
    const asked: Address[] = [];
    const dial: Dial = (to) => {
      asked.push(to);
      return Promise.reject(new Error("no"));
    };
    for (const [url, path] of [
      ["ws://h/", undefined],
      ["ws://h/", "/code"],
      ["ws://h/?ws_path=/url", "/code"],
      ["rabbit+ws://h/", "/code"],
      ["rabbit+wss://h/?ws_path=/url", "/code"],
    ] as const) {
      const dialers = { ws: dial, "amqp+ws": dial, "amqp+wss": dial };
      const made = transport(url, { dialers, drivers: [rabbit], webSocket: { path } });
      await failureOf(made.connect({ signal: AbortSignal.timeout(20) }));
    }
    expect(asked.map(({ path }) => path)).toEqual([undefined, "/code", "/url", "/code", "/url"]);
    expect(asked.slice(3)).toMatchObject([
      { scheme: "amqp+ws", port: 80 },
      { scheme: "amqp+wss", port: 443 },
    ]);
  });

  test("the status has the reason of a refused connection, without the password", async () => {
    const made = transport("amqp://user:guess@localhost/", { random: () => 0 });
    const abort = new AbortController();
    const connecting = failureOf(made.connect({ keepTrying: true, signal: abort.signal }));
    let refused: TransportStatus | undefined;
    for await (const status of made.status()) {
      refused = status;
      if (status.type === "disconnected") break;
    }
    expect(refused).toMatchObject({ host: "localhost:5672", error: { name: "AuthenticationError" }, retryInMs: 500 });
    expect(JSON.stringify(refused) + String(refused?.type === "disconnected" && refused.error)).not.toContain("guess");
    abort.abort();
    expect((await connecting).name).toBe("AbortError");
  });

  test("a connection with trace logs its frames, without secrets", { tags: ["connection:trace"] }, async () => {
    const logger = new RecordingLogger();
    const frames: Frame[] = [];
    await transport(`${URL}?trace=true`, { logger, onFrame: (frame) => frames.push(frame) }).connect();
    expect(logger.of("debug")).toEqual(expect.arrayContaining(["out sasl-init", "in open"]));
    expect(logger.of("debug")).toHaveLength(frames.length);
    expect(JSON.stringify(logger.lines)).not.toContain("secret");
  });

  test("a trace shows no content of messages, because a context may hold a token", {
    tags: ["connection:trace"],
  }, async () => {
    const logger = new RecordingLogger();
    const traced = transport(`${URL}?trace=true`, { logger });
    await getRpcServer(traced, { topic: "t", server: "s" }, [{ echo: () => "s3cret reply" }]).start();
    const client = getRpcClient(traced, { topic: "t" });
    expect(await client.call({ auth_token: "s3cret token" }, "echo", { arg: "s3cret" })).toBe("s3cret reply");
    expect(logger.of("debug")).toEqual(expect.arrayContaining(["out transfer", "in transfer"]));
    expect(JSON.stringify(logger.lines)).not.toContain("s3cret");
  });

  test.each<[secret: string, options: TransportOptions, query: string]>([
    ["password", {}, "?sasl_mechanisms=PLAIN"],
    ["token", { credentials: () => ({ token: "t0ken" }) }, ""],
  ])("a connection warns once when it sends the %s in clear to another machine", async (secret, options, query) => {
    const logger = new RecordingLogger();
    await transport(`amqp://user:secret@localhost/${query}`, { ...options, logger }).connect();
    expect(logger.of("warn")).toEqual([]);
    await transport(`amqp://user:secret@broker.example/${query}`, { ...options, logger }).connect();
    expect(logger.of("warn")).toEqual([
      `the ${secret} was sent to broker.example:5672 in clear text: use amqps or amqp+wss`,
    ]);
    expect(JSON.stringify(logger.lines)).not.toMatch(/:secret|t0ken/);
  });

  test("a connection does not warn when SASL does not send the password in clear", async () => {
    const logger = new RecordingLogger();
    await transport("amqp://user:secret@broker.example/", { logger }).connect();
    expect(logger.of("warn")).toEqual([]);
  });
});

describe("the default logger", () => {
  const levels = ["debug", "info", "warn", "error"] as const;

  /** A server whose endpoint fails, called once. Resolves with what the console has got. */
  async function consoleLines(logger?: null) {
    // Replaced after the transport exists: the console is looked up at each call.
    const serving = transport(URL, { logger });
    const lines: string[] = [];
    for (const level of levels) {
      vi.spyOn(console, level).mockImplementation((message) => void lines.push(`${level}: ${message}`));
    }
    onTestFinished(() => void vi.restoreAllMocks());
    const endpoint = {
      fails() {
        throw new RangeError("out of paper");
      },
    };
    await using server = getRpcServer(serving, { topic: "default-logger", server: "s" }, [endpoint]);
    await server.start();
    const client = getRpcClient(transport(URL, { logger: null }), { topic: "default-logger" });
    await failureOf(client.call({}, "fails", { password: "s3cret" }));
    await failureOf(client.call({}, "absent", { password: "s3cret" }));
    return lines;
  }

  test("without a logger an endpoint's exception and a refused request are seen on the console", async () => {
    const lines = await consoleLines();
    expect(lines).toEqual([
      expect.stringMatching(/^error: an RPC method failed: RangeError: out of paper\n +at .*fails/),
      "warn: refused a request",
    ]);
    expect(lines.join()).not.toContain("s3cret");
  });

  test("with the logger null nothing is written to the console", async () => {
    expect(await consoleLines(null)).toEqual([]);
  });
});

test("a wake event of the runtime makes a transport connect immediately, until it is closed", {
  tags: ["failover:wake"],
}, async () => {
  let wake: (() => void) | undefined;
  const onWake = (listener: () => void) => {
    wake = listener;
    return () => {
      wake = undefined;
    };
  };
  const slow = "?connection_retry_interval=3600&connection_retry_interval_max=3600";
  let down = true;
  const dial: Dial = (...to) => (down ? Promise.reject(new Error("offline")) : memoryDial(intermediary.accept)(...to));
  const made = transport(
    `other://user:secret@localhost/${slow}`,
    { dialers: { other: dial } },
    { ...runtime(), onWake },
  );
  const connecting = made.connect({ keepTrying: true });
  for await (const { type } of made.status()) if (type === "disconnected") break;
  down = false;
  wake?.();
  await connecting;
  await made.close();
  expect(wake).toBeUndefined();
});

describe("closing a transport", () => {
  test("closing a transport ends its connection and its status", async () => {
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

  test("disposing a transport closes it", async () => {
    const made = transport(URL);
    {
      await using disposed = made;
      await disposed.connect();
    }
    expect(made.state.type).toBe("closed");
  });

  test("closing a transport rejects for an invalid graceMs", async () => {
    const made = transport(URL);
    for (const graceMs of [-1, Number.NaN]) {
      expect(await failureOf(made.close({ graceMs }))).toMatchObject({ name: "ConfigurationError", key: "graceMs" });
    }
  });
});

test("the types of transports for notifications and for RPC differ", () => {
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
  throw new Error("no error was thrown");
}

test("a logger that throws affects neither connections nor calls", async () => {
  const fail = (): never => {
    throw new Error("the disk is full");
  };
  const logger = { debug: fail, info: fail, warn: fail, error: fail };
  const serving = transport(`${URL}?trace=true`, { logger });
  const endpoint = { fails: () => Promise.reject(new RangeError("out of paper")) };
  await using server = getRpcServer(serving, { topic: "throwing-logger", server: "s" }, [endpoint]);
  await server.start();
  const client = getRpcClient(transport(URL, { logger }), { topic: "throwing-logger" });
  expect(await failureOf(client.call({}, "fails"))).toMatchObject({ excType: "RangeError" });
  expect(await failureOf(client.call({}, "absent"))).toMatchObject({ excType: "NoSuchMethod" });
});
