import { describe, expect, test } from "vitest";
import { getNotificationTransport, getRpcTransport, type TransportOptions } from "@/src/entry/node.js";

const PASSWORD = "s3cret";

describe.each([
  ["RPC", getRpcTransport],
  ["notifications", getNotificationTransport],
])("A transport for %s is refused, and the error names the culprit:", (_what, getTransport) => {
  test.each([
    ["nothing", "", /^No scheme specified: $/],
    ["no scheme", `//joe:${PASSWORD}@host/`, /^No scheme specified: \/\/joe:\*\*\*@host\/$/],
    ["no slashes", "localhost:5672", /"\/\/" is missing .*: localhost:5672$/],
    ["a port that is a word", "amqp://host:http/", /A port must be a number.*: amqp:\/\/host/],
    ["a port that is a word, behind a password", `amqp://joe:${PASSWORD}@host:port/`, /A port must be a number/],
    ["a password that is not encoded", `amqp://joe:${PASSWORD}/x@host:5672/`, /must be percent-encoded/],
    ["the port 0", "amqp://host:0/", /A port must be from 1 to 65535: amqp:\/\/host:0\/$/],
    ["a port out of range", "amqp://host:65536/", /A port must be from 1 to 65535: amqp:\/\/host:65536\/$/],
    ["a bracket that is left open", "amqp://[::1:5672/", /brackets .*: amqp:/],
    ["a fragment", `amqp://joe:${PASSWORD}#1@host/`, /"#" must be percent-encoded as %23/],
    ["a control character", "amqp://ho\nst/", /control character/],
  ])("a URL with %s", (_title, url, message) => {
    const error = thrownBy(() => getTransport(url));
    expect(error).toMatchObject({ name: "InvalidTransportURL", message: expect.stringMatching(message) });
    expect(String(error)).not.toContain(PASSWORD);
  });

  test.each(["kafka", "rabbit", "http", "amqp+carrier-pigeon", "constructor"])("the scheme %s", (scheme) => {
    const error = thrownBy(() => getTransport(`${scheme}://joe:${PASSWORD}@host/`));
    expect(error).toMatchObject({ name: "DriverLoadFailure", driver: scheme });
    expect(error.message).toContain(`"${scheme}"`);
    expect(error.message).toContain("amqp, amqps, amqp+ws, amqp+wss");
    expect(String(error)).not.toContain(PASSWORD);
  });

  test.each([
    ["nonsense=1", "NoSuchOptError", "nonsense"],
    ["constructor=1", "NoSuchOptError", "constructor"],
    ["__proto__=1", "NoSuchOptError", "__proto__"],
    ["idleTimeoutMs=1", "NoSuchOptError", "idleTimeoutMs"],
    ["ssl_ca_file=ca.pem", "ConfigurationError", "ssl_ca_file"],
    ["idle_timeout=soon", "ConfigurationError", "idle_timeout"],
    ["idle_timeout=-1", "ConfigurationError", "idle_timeout"],
    ["connection_retry_interval=0", "ConfigurationError", "connection_retry_interval"],
    ["trace=perhaps", "ConfigurationError", "trace"],
    ["addressing_mode=sideways", "ConfigurationError", "addressing_mode"],
    ["pre_settled=rpc-call,nonsense", "ConfigurationError", "pre_settled"],
    ["reply_link_credit=0", "ConfigurationError", "reply_link_credit"],
  ])("the option ?%s", (query, name, key) => {
    const error = thrownBy(() => getTransport(`amqp://host/?${query}`));
    expect(error).toMatchObject({ name, key, message: expect.stringContaining(key) });
  });

  test.each<[key: string, name: string, options: object]>([
    ["nonsense", "NoSuchOptError", { nonsense: 1 }],
    ["nonsense", "NoSuchOptError", { amqp: { nonsense: 1 } }],
    ["idle_timeout", "NoSuchOptError", { amqp: { idle_timeout: 1 } }],
    ["idleTimeoutMs", "ConfigurationError", { amqp: { idleTimeoutMs: -1 } }],
    ["idleTimeoutMs", "ConfigurationError", { amqp: { idleTimeoutMs: "1" } }],
    ["idleTimeoutMs", "ConfigurationError", { amqp: { idleTimeoutMs: Number.NaN } }],
    ["sslCaFile", "NoSuchOptError", { amqp: { sslCaFile: "ca.pem" } }],
    ["addressingMode", "ConfigurationError", { amqp: { addressingMode: "sideways" } }],
    ["amqp", "ConfigurationError", { amqp: [] }],
    ["rpcResponseTimeoutMs", "ConfigurationError", { rpcResponseTimeoutMs: 0 }],
    ["maxMessageBytes", "ConfigurationError", { maxMessageBytes: 1.5 }],
    ["logger", "ConfigurationError", { logger: { info() {} } }],
    ["dialers", "ConfigurationError", { dialers: { "amqp+own": "a function" } }],
    ["remoteExceptions", "ConfigurationError", { remoteExceptions: { "builtins.ValueError": Error } }],
    ["nonFiniteNumbers", "ConfigurationError", { nonFiniteNumbers: "null" }],
    ["onFrame", "ConfigurationError", { onFrame: true }],
    ["webSocket.nonsense", "NoSuchOptError", { webSocket: { nonsense: "/" } }],
  ])("the option %s in code (%s)", (key, name, options) => {
    const error = thrownBy(() => getTransport("amqp://host/", options as TransportOptions));
    expect(error).toMatchObject({ name, key, message: expect.stringContaining(key) });
  });
});

function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("no Error was thrown");
}
