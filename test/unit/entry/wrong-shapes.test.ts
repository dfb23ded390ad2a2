import { describe, expect, test } from "vitest";
import { parseConf } from "@/src/entry/conf-node.js";
import { Intermediary, listenTcp, listenWebSocket, memoryDial, watchTopology } from "@/src/entry/intermediary-node.js";
import {
  accessPolicies,
  expectedExceptions,
  expose,
  getBatchNotificationListener,
  getNotificationListener,
  getNotificationTransport,
  getRpcClient,
  getRpcServer,
  getRpcTransport,
  NotificationFilter,
  Notifier,
  Target,
  TestDriver,
  TransportHost,
  TransportURL,
} from "@/src/entry/node.js";

// biome-ignore lint/suspicious/noExplicitAny: callers in JavaScript may pass anything
type Any = any;

const URL_TEXT = "amqp://127.0.0.1:1/";
const rpc: Any = getRpcTransport(URL_TEXT, { logger: null });
const notifications: Any = getNotificationTransport(URL_TEXT, { logger: null });
const target: Any = { topic: "t", server: "s" };
const client: Any = getRpcClient(rpc, target);
const notifier: Any = new Notifier(notifications, { publisherId: "p" });

class Endpoint {
  add(_context: object, { a, b }: { a: number; b: number }): number {
    return a + b;
  }
}
class Listener {
  info(): void {}
}

type Row = readonly [call: string, run: () => unknown, message: string];

const rpcListener = (endpoint: unknown): unknown => getRpcServer(rpc, target, [endpoint] as Any);
const listen = (endpoints: unknown, targets: unknown = [target], options?: unknown): unknown =>
  getNotificationListener(notifications, targets as Any, endpoints as Any, options as Any);

const SHAPES: Readonly<Record<string, readonly Row[]>> = {
  "getters of transports": [
    ["no URL", () => getRpcTransport(undefined as Any), "The URL must be a string such as"],
    ["null as URL", () => getNotificationTransport(null as Any), "or a TransportURL: null"],
    [
      "a URL object",
      () => getRpcTransport(new URL(URL_TEXT) as Any),
      "the href of a URL object, or a TransportURL: a URL",
    ],
    ["the parts of a URL", () => getRpcTransport({ host: "h" } as Any), "or a TransportURL: an object"],
    ["null as options", () => getRpcTransport(URL_TEXT, null as Any), "options: must be an object { controlExchange, "],
    ["text as options", () => getRpcTransport(URL_TEXT, "x" as Any), "not a string"],
    [
      "timeout",
      () => getRpcTransport(URL_TEXT, { timeout: 5 } as Any),
      "timeout: unknown option, did you mean rpcResponseTimeoutMs (milliseconds)?",
    ],
    [
      "control_exchange",
      () => getRpcTransport(URL_TEXT, { control_exchange: "x" } as Any),
      "did you mean controlExchange?",
    ],
    [
      "amqp.idleTimeout",
      () => getRpcTransport(URL_TEXT, { amqp: { idleTimeout: 5 } } as Any),
      "idleTimeout: unknown option of [oslo_messaging_amqp], did you mean idleTimeoutMs (milliseconds)?",
    ],
    ["idleTimeoutMs in the URL", () => getRpcTransport(`${URL_TEXT}?idleTimeoutMs=5`), "did you mean idle_timeout?"],
    [
      "a Map of no functions",
      () => getRpcTransport(URL_TEXT, { remoteExceptions: new Map([["a.B", Error("x")]]) } as Any),
      "remoteExceptions: must be a Map of functions",
    ],
  ],
  "methods of transports": [
    [
      "connect with a signal for options",
      () => rpc.connect(AbortSignal.timeout(1)),
      "options: must be an object { signal",
    ],
    ["writable with null", () => rpc.writable(null), "options: must be an object { signal"],
    ["probe of a topic", () => rpc.probe("t"), "a target must be an object { exchange, topic, "],
    ["close with a number", () => rpc.close(5_000), "options: must be an object { graceMs }, not 5000"],
    ["close with force", () => rpc.close({ force: true } as Any), "force: unknown option, the options are graceMs"],
    ["close with grace", () => rpc.close({ grace: 5 }), "grace: unknown option, did you mean graceMs (milliseconds)?"],
  ],
  getRpcClient: [
    [
      "no transport",
      () => getRpcClient(undefined as Any, target),
      "the transport must come from getRpcTransport, not undefined",
    ],
    ["a URL as transport", () => getRpcClient(URL_TEXT as Any, target), "not a string"],
    [
      "a notification transport",
      () => getRpcClient(notifications, target),
      "the transport must come from getRpcTransport, not getNotificationTransport",
    ],
    ["no target", () => getRpcClient(rpc, undefined as Any), "a target is required"],
    ["a topic as target", () => getRpcClient(rpc, "t" as Any), "not a string"],
    [
      "an unknown member of the target",
      () => getRpcClient(rpc, { topics: "t" } as Any),
      "a target has an unknown member topics, did you mean topic?",
    ],
    ["null as options", () => getRpcClient(rpc, target, null as Any), "options: must be an object"],
    [
      "timeout",
      () => getRpcClient(rpc, target, { timeout: 5 } as Any),
      "timeout: unknown option, did you mean timeoutMs (milliseconds)?",
    ],
    ["version_cap", () => getRpcClient(rpc, target, { version_cap: "1.0" } as Any), "did you mean versionCap?"],
    ["retries", () => getRpcClient(rpc, target, { retries: 1 } as Any), "did you mean retry?"],
    [
      "a class of serializer",
      () => getRpcClient(rpc, target, { serializer: class {} } as Any),
      "serializer: must be an object with the methods",
    ],
    ["prepare without overrides", () => client.prepare(), "overrides: must be an object"],
    ["prepare with topics", () => client.prepare({ topics: "x" }), "did you mean topic?"],
  ],
  "call and cast": [
    [
      "no arguments",
      () => client.call(),
      "the method must be a name, not undefined: a call has (context, method, arguments, options)",
    ],
    [
      "no context",
      () => client.call("add", { a: 1 }),
      "the method must be a name, not an object: a call has (context, method, arguments, options)",
    ],
    ["no context for a cast", () => client.cast("add", "x"), "the context of x must be an object, not a string"],
    [
      "positional arguments",
      () => client.call({}, "add", 1, 2),
      "the arguments of add must be one object, not a number",
    ],
    [
      "arguments in an array",
      () => client.call({}, "add", [1, 2]),
      "the arguments of add must be one object, not an array",
    ],
    [
      "timeout",
      () => client.call({}, "add", {}, { timeout: 5 }),
      "timeout: unknown option, did you mean timeoutMs (milliseconds)?",
    ],
    [
      "a number as options",
      () => client.call({}, "add", {}, 5_000),
      "options: must be an object { timeoutMs, callMonitorTimeoutMs, retry, atLeastOnce, signal }, not 5000",
    ],
    ["a signal as options", () => client.cast({}, "add", {}, AbortSignal.timeout(1)), "not an AbortSignal"],
  ],
  getRpcServer: [
    [
      "a notification transport",
      () => getRpcServer(notifications, target, [new Endpoint()]),
      "must come from getRpcTransport, not getNotificationTransport",
    ],
    [
      "an endpoint without array",
      () => getRpcServer(rpc, target, new Endpoint() as Any),
      "the endpoints must be an array of them, not an object",
    ],
    [
      "no endpoints",
      () => getRpcServer(rpc, target, undefined as Any),
      "the endpoints must be an array of them, not undefined",
    ],
    [
      "a class",
      () => rpcListener(Endpoint),
      "endpoint 0 must be an object with methods, not a class: use an instance of the class",
    ],
    ["a function", () => rpcListener(() => 1), "endpoint 0 must be an object with methods, not a function"],
    [
      "a promise",
      () => rpcListener(Promise.resolve(new Endpoint())),
      "endpoint 0 must be an object with methods, not a Promise: await it",
    ],
    ["a string", () => rpcListener("x"), "endpoint 0 must be an object with methods, not a string"],
    [
      "no server in the target",
      () => getRpcServer(rpc, { topic: "t" }, [new Endpoint()]),
      "A server's target must have topic and server names specified",
    ],
    ["a topic as target", () => getRpcServer(rpc, "t" as Any, [new Endpoint()]), "a target must be an object"],
    [
      "an endpoint's target of plain members",
      () => rpcListener({ target: { version: "1.0" } }),
      "the target of endpoint 0 must be a Target, not an object: use new Target(...)",
    ],
    [
      "a policy by its name",
      () => getRpcServer(rpc, target, [{}], { accessPolicy: "explicit" } as Any),
      "accessPolicy: must be a function, not a string",
    ],
    [
      "accesspolicy",
      () => getRpcServer(rpc, target, [{}], { access_policy: accessPolicies.explicit } as Any),
      "did you mean accessPolicy?",
    ],
    [
      "start with a signal for options",
      () => getRpcServer(rpc, target, [{}]).start(AbortSignal.timeout(1) as Any),
      "options: must be an object",
    ],
    ["wait with a number", () => getRpcServer(rpc, target, [{}]).wait(5_000 as Any), "not 5000"],
    [
      "wait with timeout",
      () => getRpcServer(rpc, target, [{}]).wait({ timeout: 5 } as Any),
      "did you mean timeoutMs (milliseconds)?",
    ],
    ["expose without a method", () => expose(undefined as Any), "only a method can be marked"],
    ["expectedExceptions with a name", () => expectedExceptions("RangeError" as Any), "requires classes of errors"],
  ],
  Target: [
    ["a topic", () => new Target("t" as Any), "a target must be an object { exchange, topic, "],
    [
      "an unknown member",
      () => new Target({ Topic: "t" } as Any),
      "a target has an unknown member Topic, did you mean topic?",
    ],
    [
      "a namespace for legacyNamespaces",
      () => new Target({ legacyNamespaces: "x" } as Any),
      "legacyNamespaces must be an array of strings",
    ],
    ["with undefined", () => new Target().with(undefined as Any), "a target must be an object"],
    ["with an unknown member", () => new Target().with({ topics: "x" } as Any), "did you mean topic?"],
  ],
  "TransportURL and TransportHost": [
    [
      "no parts",
      () => new TransportURL(undefined as Any),
      "a URL must be an object { scheme, hosts, virtualHost, query }, not undefined",
    ],
    ["a text", () => new TransportURL(URL_TEXT as Any), "not a string"],
    ["virtual_host", () => new TransportURL({ scheme: "amqp", virtual_host: "x" } as Any), "did you mean virtualHost?"],
    ["no scheme", () => new TransportURL({ hosts: [] } as Any), "a URL has the parts { scheme, hosts"],
    [
      "a host without array",
      () => new TransportURL({ scheme: "amqp", hosts: { hostname: "h" } } as Any),
      "a URL has the parts",
    ],
    [
      "a host as text",
      () => new TransportURL({ scheme: "amqp", hosts: ["h:1"] } as Any),
      "a host must be an object { hostname, port",
    ],
    [
      "host for hostname",
      () => new TransportHost({ host: "h" } as Any),
      "a host has an unknown member host, did you mean hostname?",
    ],
    ["parse without text", () => TransportURL.parse(undefined as Any), "Wrong URL type"],
  ],
  Notifier: [
    [
      "no transport",
      () => new Notifier(undefined as Any, { publisherId: "p" }),
      "the transport must come from getNotificationTransport, not undefined",
    ],
    [
      "an RPC transport",
      () => new Notifier(rpc, { publisherId: "p" }),
      "the transport must come from getNotificationTransport, not getRpcTransport",
    ],
    [
      "no options",
      () => new Notifier(notifications, undefined as Any),
      "options: must be an object { publisherId, topics",
    ],
    ["an ID for options", () => new Notifier(notifications, "compute.host1" as Any), "not a string"],
    [
      "publisher_id",
      () => new Notifier(notifications, { publisher_id: "p" } as Any),
      "publisher_id: unknown option, did you mean publisherId?",
    ],
    [
      "topic",
      () => new Notifier(notifications, { publisherId: "p", topic: "t" } as Any),
      "topic: unknown option, did you mean topics?",
    ],
    [
      "topics without array",
      () => new Notifier(notifications, { publisherId: "p", topics: "t" } as Any),
      "topics: must be an array",
    ],
    [
      "driver",
      () => new Notifier(notifications, { publisherId: "p", driver: "log" } as Any),
      "driver: unknown option, did you mean drivers?",
    ],
    [
      "a class of TestDriver",
      () => new Notifier(notifications, { publisherId: "p", testDriver: TestDriver } as Any),
      "testDriver: must be a TestDriver, not a class",
    ],
    [
      "no context",
      () => notifier.info("e", { id: 1 }),
      "the context of a notification must be an object, not a string: a notification has (context, eventType, payload, options)",
    ],
    [
      "no event type",
      () => notifier.info({}, { id: 1 }),
      "the event type of a notification must be a string, not an object",
    ],
    [
      "timeout",
      () => notifier.info({}, "e", {}, { timeout: 5 }),
      "timeout: unknown option, did you mean timeoutMs (milliseconds)?",
    ],
    ["prepare without overrides", () => notifier.prepare(), "overrides: must be an object { publisherId, retry }"],
  ],
  "notification listeners": [
    [
      "an RPC transport",
      () => getNotificationListener(rpc, [target], [new Listener()]),
      "must come from getNotificationTransport, not getRpcTransport",
    ],
    [
      "an RPC transport for batches",
      () => getBatchNotificationListener(rpc, [target], [new Listener()], { batchSize: 1 }),
      "not getRpcTransport",
    ],
    [
      "a target without array",
      () => listen([new Listener()], { topic: "t" }),
      "the targets must be an array of them, not an object",
    ],
    ["a topic for targets", () => listen([new Listener()], "t"), "the targets must be an array of them, not a string"],
    ["topics for targets", () => listen([new Listener()], ["t"]), "a target must be an object"],
    ["no targets", () => listen([new Listener()], []), "targets: at least one is required"],
    [
      "an endpoint without array",
      () => listen(new Listener()),
      "the endpoints must be an array of them, not an object",
    ],
    ["no endpoints", () => listen([]), "endpoints: at least one is required"],
    [
      "a class",
      () => listen([Listener]),
      "endpoint 0 must be an object with methods, not a class: use an instance of the class",
    ],
    [
      "warning",
      () => listen([{ info() {}, warning() {} }]),
      "endpoint 0 has a method warning, which is no priority: use warn",
    ],
    [
      "err",
      () => listen([new Listener(), { err() {} }]),
      "endpoint 1 has a method err, which is no priority: use error",
    ],
    ["fatal", () => listen([{ fatal() {} }]), "use critical"],
    [
      "no priority",
      () => listen([{ helper() {} }]),
      "endpoint 0 has no method for a priority: audit, debug, info, warn, error, critical, sample",
    ],
    [
      "a priority that is no function",
      () => listen([{ info: "x" }]),
      "info of endpoint 0 must be a function, not a string",
    ],
    [
      "a rule for a filter",
      () => listen([{ info() {}, filterRule: { eventType: "x" } }]),
      "filterRule of endpoint 0 must be a NotificationFilter, not an object",
    ],
    [
      "filter for filterRule",
      () => listen([{ info() {}, filter: new NotificationFilter({}) }]),
      "endpoint 0 has a filter that is not named filterRule",
    ],
    [
      "filter_rule for filterRule",
      () => listen([{ info() {}, filter_rule: new NotificationFilter({}) }]),
      "endpoint 0 has a filter that is not named filterRule",
    ],
    ["allow_requeue", () => listen([new Listener()], [target], { allow_requeue: true }), "did you mean allowRequeue?"],
    [
      "no options for batches",
      () => getBatchNotificationListener(notifications, [target], [new Listener()], undefined as Any),
      "options: must be an object",
    ],
    [
      "batch_timeout",
      () => getBatchNotificationListener(notifications, [target], [new Listener()], { batch_timeout: 5 } as Any),
      "did you mean batchTimeoutMs (milliseconds)?",
    ],
    [
      "no rule",
      () => new NotificationFilter(undefined as Any),
      "rule: must be { publisherId, eventType, context, metadata, payload }, not undefined",
    ],
    ["publisher_id", () => new NotificationFilter({ publisher_id: "p" } as Any), "did you mean publisherId?"],
    [
      "a RegExp",
      () => new NotificationFilter({ eventType: /x/ } as Any),
      "eventType: must be a regular expression as a string",
    ],
  ],
  "the intermediary and the files": [
    [
      "no options",
      () => new Intermediary(undefined as Any),
      "the options of an intermediary: must be an object { kind, ",
    ],
    [
      "an unknown kind",
      () => new Intermediary({ kind: "brocker" } as Any),
      'kind must be "router" or "broker", not "brocker"',
    ],
    ["an unknown option", () => new Intermediary({ kind: "broker", user: new Map() } as Any), "did you mean users?"],
    [
      "an unknown limit",
      () => new Intermediary({ kind: "broker", limits: { maxConnections: 1 } } as Any),
      "did you mean connections?",
    ],
    [
      "users as an object",
      () => new Intermediary({ kind: "broker", users: { u: "p" } } as Any),
      "users must be a Map of passwords by user name, not an object",
    ],
    [
      "tokens as text",
      () => new Intermediary({ kind: "broker", tokens: "t" } as Any),
      "tokens must be a Set, not a string",
    ],
    [
      "a logger as text",
      () => new Intermediary({ kind: "broker", logger: "debug" } as Any),
      "logger must be an object with the methods debug, info, warn, error, or null, not a string",
    ],
    [
      "an intermediary for its accept",
      () => memoryDial(new Intermediary({ kind: "broker" }) as Any),
      "memoryDial requires an accept function, not an object",
    ],
    [
      "listenTcp without options",
      () => listenTcp(undefined as Any),
      "the options of a listener: must be an object { host, port, ",
    ],
    [
      "an intermediary for the options of a listener",
      () => listenTcp(new Intermediary({ kind: "broker" }) as Any),
      'a listener requires the option host, such as "127.0.0.1", not undefined',
    ],
    [
      "a listener with a port as text",
      () => listenTcp({ host: "127.0.0.1", port: "5672", accept() {} } as Any),
      "a listener requires the option port, an integer from 0 to 65535, not a string",
    ],
    [
      "a listener without a limit",
      () => listenTcp({ host: "127.0.0.1", port: 0, accept() {} } as Any),
      "a listener requires the option maxConnections, a positive integer, not undefined",
    ],
    [
      "origins as text",
      () => {
        const limits = { maxConnections: 1, maxMessageBytes: 1 };
        return listenWebSocket({ host: "127.0.0.1", port: 0, accept() {}, ...limits, origins: "https://h" } as Any);
      },
      "origins must be an array, not a string",
    ],
    [
      "accept for a dialer",
      () => new Intermediary({ kind: "broker" }).accept({ scheme: "amqp+memory" } as Any),
      "accept requires a socket, not an object: a dialer is memoryDial(intermediary.accept)",
    ],
    [
      "a listener with origin",
      () => listenWebSocket({ host: "127.0.0.1", port: 0, accept() {}, origin: "https://h" } as Any),
      "did you mean origins?",
    ],
    [
      "listenWebSocket without accept",
      () => listenWebSocket({ host: "127.0.0.1", port: 0 } as Any),
      "a listener requires the option accept, a function as an Intermediary has, not undefined",
    ],
    ["watchTopology without URL", () => watchTopology(undefined as Any), "The URL must be a string"],
    ["parseConf without text", () => parseConf(undefined as Any), "a file must be given as its text, not undefined"],
  ],
};

describe.each(Object.entries(SHAPES))("wrong shapes for %s", (_name, rows) => {
  test.each(rows)("%s is refused by name", async (_call, run, message) => {
    const error: unknown = await (async () => run())().then(
      () => "no error",
      (thrown: unknown) => thrown,
    );
    expect(error).toHaveProperty("message", expect.stringContaining(message));
    expect(error).not.toHaveProperty(
      "message",
      expect.stringMatching(/undefined \(|not iterable|destructure|is not a function|\n/),
    );
  });
});

test("an endpoint may have helpers of any name beside its priorities", () => {
  expect(listen([{ warn() {}, warning() {}, helper() {}, filter: "x", notice: 5, info() {} }])).toBeDefined();
});

test("a class with static methods is an endpoint", () => {
  // biome-ignore lint/complexity/noStaticOnlyClass: an application may have one
  class Static {
    static add(): number {
      return 1;
    }
  }
  expect(rpcListener(Static)).toBeDefined();
});

test("a copy of a Target by its members is a target", () => {
  const copy: Any = { ...new Target({ topic: "t" }), server: "s" };
  expect(String(new Target(copy))).toBe("<Target topic=t, server=s>");
  expect(getRpcServer(rpc, copy, [{}])).toBeDefined();
});

test("a closed transport is refused at the first use", async () => {
  const closed = getRpcTransport(URL_TEXT, { logger: null });
  await closed.close();
  await expect(getRpcClient(closed, target).call({}, "m")).rejects.toThrow("the transport is closed");
  await expect(getRpcServer(closed, target, [{}]).start()).rejects.toThrow("the transport is closed");
});
