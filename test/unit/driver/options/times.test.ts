import { readFileSync } from "node:fs";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { seconds } from "@/src/cli/arguments/argument-types.js";
import { parseConf } from "@/src/conf/conf.js";
import { LONGEST_TIMER_MS } from "@/src/core/timers.js";
import { amqp } from "@/src/driver/amqp/amqp.js";
import { MessagingTimeout } from "@/src/driver/exceptions.js";
import { getBatchNotificationListener } from "@/src/driver/notify/listening/batch-listener.js";
import { Notifier } from "@/src/driver/notify/sending/notifier.js";
import { ROWS } from "@/src/driver/options/option-table.js";
import { parseOptions, resolveOptions } from "@/src/driver/options/options.js";
import { checkedTransportOptions, type TransportOptions } from "@/src/driver/options/transport-options.js";
import { getRpcClient, type RPCClient } from "@/src/driver/rpc/client.js";
import { getRpcServer } from "@/src/driver/rpc/server.js";
import { NotificationTransport, RPCTransport } from "@/src/driver/transport.js";
import { Intermediary } from "@/src/intermediary/intermediary.js";
import { memoryDial } from "@/src/transports/memory.js";
import { FakeDriver } from "@/test/fixtures/fakes/fake-driver.js";
import { projectPath } from "@/test/fixtures/project.js";
import { BlockingEndpoint } from "@/test/fixtures/stages/blocking-endpoint.js";
import { uniqueTopic } from "@/test/fixtures/stages/unique-topic.js";

/** Values that are no duration, besides those below the minimum of an option. */
const REFUSED = [Number.NaN, Number.NEGATIVE_INFINITY, -1, -0.5];
/** Durations around and beyond the longest timer. */
const LONG = [2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_VALUE, Number.POSITIVE_INFINITY];

/** The options of [oslo_messaging_amqp] that are times. Taken from the table, so that a new one is tested too. */
const AMQP_TIMES = ROWS.filter(([key]) => key.endsWith("Ms")).map(([key, { name, type }]) => {
  return { key, name, least: Number(/at least (\d+)/.exec(type.text)?.[1]) * 1_000 };
});

/** Every other option that is a time: the use of a value, which resolves with the time that is used. */
const USES: Readonly<Record<string, (ms: number) => unknown>> = {
  "BatchListenerOptions.batchTimeoutMs": (batchTimeoutMs) => {
    getBatchNotificationListener(new FakeDriver().notificationTransport, [{ topic: "t" }], [{ info() {} }], {
      batchTimeoutMs,
    });
  },
  "CallOptions.timeoutMs": async (timeoutMs) =>
    (await called((client) => client.call({}, "m", {}, { timeoutMs }))).timeoutMs,
  "CallOptions.callMonitorTimeoutMs": async (callMonitorTimeoutMs) => {
    const { callMonitorTimeoutMs: used } = await called((client) => client.call({}, "m", {}, { callMonitorTimeoutMs }));
    return used;
  },
  "ConnectOptions.timeoutMs": (timeoutMs) =>
    rpcTransport("amqp://h/")
      .connect({ timeoutMs })
      .catch((error: unknown) => {
        if (error instanceof MessagingTimeout) return error.timeoutMs;
        throw error;
      }),
  "MessageHandlingServer.start.timeoutMs": async (timeoutMs) => {
    const driver = new FakeDriver();
    await serverOf(driver).start({ timeoutMs });
    return driver.listener.options.timeoutMs;
  },
  "MessageHandlingServer.wait.timeoutMs": (timeoutMs) => serverOf(new FakeDriver()).wait({ timeoutMs }),
  "NotifyOptions.timeoutMs": async (timeoutMs) => {
    const driver = new FakeDriver();
    await new Notifier(driver.notificationTransport, { publisherId: "p" }).info({}, "e", {}, { timeoutMs });
    return driver.notifications[0]?.timeoutMs;
  },
  "Transport.close.graceMs": (graceMs) => rpcTransport("amqp://h/").close({ graceMs }),
  "TransportOptions.rpcResponseTimeoutMs": (rpcResponseTimeoutMs) =>
    checkedTransportOptions({ rpcResponseTimeoutMs }).rpcResponseTimeoutMs,
};

describe("an option that is a time", () => {
  it.each(AMQP_TIMES)("$key is a time that a timer can wait, or it is refused by name", ({ key, name, least }) => {
    const inCode = (ms: number): unknown => resolveOptions({ options: { [key]: ms } })[key as "idleTimeoutMs"];
    for (const ms of [...REFUSED, ...(least === 0 ? [] : [0, 0.5, least - 1])]) {
      expect(() => inCode(ms)).toThrow(expect.objectContaining({ name: "ConfigurationError", key }));
    }
    for (const ms of [least, least + 0.5, ...LONG]) expect(inCode(ms)).toBe(Math.min(ms, LONGEST_TIMER_MS));
    const inText = (text: string): unknown => Object.values(parseOptions({ [name]: text }))[0];
    for (const text of ["-1", "0.5", "NaN", "Infinity", "", `${least / 1_000 - 1}`]) {
      expect(() => inText(text)).toThrow(expect.objectContaining({ name: "ConfigurationError", key: name }));
    }
    for (const secs of ["2147483", "2147484", "4294968", "9".repeat(400)]) {
      expect(inText(secs)).toBe(Math.min(Number(secs) * 1_000, LONGEST_TIMER_MS));
      const text = `[DEFAULT]\ntransport_url = amqp://h/\n[oslo_messaging_amqp]\n${name} = ${secs}\n`;
      expect(parseConf(text).rpc.options.amqp).toMatchObject({ [key]: inText(secs) });
    }
  });

  it.each(Object.entries(USES))("%s is a time that a timer can wait, or it is refused by name", async (option, use) => {
    const key = option.split(".").at(-1);
    const isLeast = option === "Transport.close.graceMs";
    for (const ms of [...REFUSED, ...(isLeast ? [] : [0])]) {
      const refused = expect.objectContaining({ name: "ConfigurationError", key });
      await expect((async () => await use(ms))()).rejects.toThrow(refused);
    }
    for (const ms of [...(isLeast ? [0] : []), Number.MIN_VALUE, 0.5, ...LONG]) {
      expect((await use(ms)) ?? Math.min(ms, LONGEST_TIMER_MS)).toBe(Math.min(ms, LONGEST_TIMER_MS));
    }
  });

  it("every time of the public API is among them", () => {
    expect(timesOf(readFileSync(projectPath("etc/oslo-messaging.api.md"), "utf8"))).toEqual(Object.keys(USES).sort());
  });

  it("a number of seconds on the command line becomes whole milliseconds, which AbortSignal.timeout requires", () => {
    for (const text of ["1e-9", "0.0001", "1.0001", "2147483.647", "2147483.648", "1e300"]) {
      const ms = seconds(text);
      expect(Number.isInteger(ms) && ms >= 1 && ms <= LONGEST_TIMER_MS).toBe(true);
      expect(AbortSignal.timeout(ms).aborted).toBe(false);
    }
  });
});

describe("timers", () => {
  it.each(LONG)("with every time set to %d ms, no timer warns or spins", async (ms) => {
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown): unknown => warnings.push(warning);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    const timers = vi.spyOn(globalThis, "setTimeout");
    onTestFinished(() => timers.mockRestore());
    const times = Object.fromEntries(AMQP_TIMES.map(({ key }) => [key, ms]));
    const options: TransportOptions = { rpcResponseTimeoutMs: ms, amqp: times, logger: null };
    const topic = uniqueTopic("times");
    const endpoint = new BlockingEndpoint();

    const rpc = rpcTransport("amqp://h/", options);
    const server = getRpcServer(rpc, { topic, server: "s" }, [endpoint]);
    await server.start({ timeoutMs: ms });
    const client = getRpcClient(rpc, { topic });
    const call = client.call({}, "hold", { arg: "x" }, { timeoutMs: ms, callMonitorTimeoutMs: ms });
    await client.cast({}, "hold", { arg: "y" }, { timeoutMs: ms });
    await endpoint.begun("x");
    const notifications = new NotificationTransport(runtime, "amqp://h/", options);
    onTestFinished(() => notifications.close());
    const listener = getBatchNotificationListener(notifications, [{ topic }], [{ info() {} }], { batchTimeoutMs: ms });
    await listener.start();
    const notified = new Notifier(notifications, { publisherId: "p", topics: [topic] }).info(
      {},
      "e",
      {},
      { timeoutMs: ms },
    );
    const unreachable = rpcTransport("amqp+none://h/", options);
    const connecting = unreachable.connect({ keepTrying: true, timeoutMs: ms });
    connecting.catch(() => {}); // closed below
    await vi.waitFor(() => expect(unreachable.state.type).toBe("disconnected"));

    timers.mockClear();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(timers.mock.calls.length).toBeLessThan(20);

    await listener.stop();
    await listener.wait({ timeoutMs: ms });
    await notified;
    endpoint.release();
    expect(await call).toBe("x");
    await server.stop();
    await server.wait({ timeoutMs: ms });
    await Promise.all([rpc, notifications].map((transport) => transport.close({ graceMs: ms })));
    await unreachable.close();
    expect(warnings).toEqual([]);
  });
});

const intermediary = new Intermediary({ kind: "router" });
const runtime = {
  drivers: [amqp] as const,
  dialers: {
    amqp: memoryDial(intermediary.accept),
    "amqp+none": () => Promise.reject(new Error("nothing there")),
  },
  identity: { node: "node", process: "program", pid: 7 },
  defaults: {},
};

function rpcTransport(url: string, options: TransportOptions = {}): RPCTransport {
  const transport = new RPCTransport(runtime, url, { logger: null, ...options });
  onTestFinished(() => transport.close());
  return transport;
}

function serverOf(driver: FakeDriver) {
  return getRpcServer(driver.rpcTransport, { topic: "t", server: "s" }, []);
}

async function called(call: (client: RPCClient) => Promise<unknown>) {
  const driver = new FakeDriver();
  await call(getRpcClient(driver.rpcTransport, { topic: "t" }));
  return { ...driver.calls[0] };
}

/** The options that are times in a report of API Extractor: `Owner.option`, `Owner.method.option`. */
function timesOf(report: string): string[] {
  const names = new Set<string>();
  let owner = "";
  let method = "";
  for (const line of report.split("\n")) {
    owner = /^export (?:abstract )?(?:class|interface|type|function) (\w+)/.exec(line)?.[1] ?? owner;
    const [, begun] = /^ {4}(?:(\w+)\(.*\{|\}.*)$/.exec(line) ?? [undefined, method];
    method = begun ?? "";
    const [, option] = /^\s+(\w+Ms)\??: number/.exec(line) ?? [];
    if (option !== undefined) names.add([owner, method, option].filter((part) => part !== "").join("."));
  }
  return [...names].filter((name) => !name.startsWith("FailureInit.")).sort(); // facts of an error, no options
}
