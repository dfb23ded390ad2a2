import { describe, expect, expectTypeOf, it } from "vitest";
import { ConfigurationError, NoSuchOptError } from "@/src/driver/exceptions.js";
import { ROWS } from "@/src/driver/options/option-table.js";
import { type AmqpOptions, parseOptions, type ResolvedOptions, resolveOptions } from "@/src/driver/options/options.js";
import { FORMER_NAMES, RABBIT_ROWS } from "@/src/driver/rabbit/option-table.js";

/** [name in oslo, name in code, default in code] of every option that code can set. */
const OPTIONS = [
  ["container_name", "containerName", undefined],
  ["idle_timeout", "idleTimeoutMs", 0],
  ["trace", "trace", false],
  ["sasl_mechanisms", "saslMechanisms", []],
  ["sasl_config_dir", "saslConfigDir", ""],
  ["sasl_config_name", "saslConfigName", ""],
  ["sasl_default_realm", "saslDefaultRealm", ""],
  ["connection_retry_interval", "connectionRetryIntervalMs", 1_000],
  ["connection_retry_backoff", "connectionRetryBackoff", 2],
  ["connection_retry_interval_max", "connectionRetryIntervalMaxMs", 30_000],
  ["link_retry_delay", "linkRetryDelayMs", 10_000],
  ["default_reply_retry", "defaultReplyRetry", 0],
  ["default_reply_timeout", "defaultReplyTimeoutMs", 30_000],
  ["default_send_timeout", "defaultSendTimeoutMs", 30_000],
  ["default_notify_timeout", "defaultNotifyTimeoutMs", 30_000],
  ["default_sender_link_timeout", "defaultSenderLinkTimeoutMs", 600_000],
  ["addressing_mode", "addressingMode", "dynamic"],
  ["pseudo_vhost", "pseudoVhost", true],
  ["server_request_prefix", "serverRequestPrefix", "exclusive"],
  ["broadcast_prefix", "broadcastPrefix", "broadcast"],
  ["group_request_prefix", "groupRequestPrefix", "unicast"],
  ["rpc_address_prefix", "rpcAddressPrefix", "openstack.org/om/rpc"],
  ["notify_address_prefix", "notifyAddressPrefix", "openstack.org/om/notify"],
  ["multicast_address", "multicastAddress", "multicast"],
  ["unicast_address", "unicastAddress", "unicast"],
  ["anycast_address", "anycastAddress", "anycast"],
  ["default_notification_exchange", "defaultNotificationExchange", undefined],
  ["default_rpc_exchange", "defaultRpcExchange", undefined],
  ["reply_link_credit", "replyLinkCredit", 200],
  ["rpc_server_credit", "rpcServerCredit", 100],
  ["notify_server_credit", "notifyServerCredit", 100],
  ["pre_settled", "preSettled", ["rpc-cast", "rpc-reply"]],
] as const;

/** [name in oslo, key in the table, default, counterpart in code] of the options for URLs and files only. */
const IN_TEXT = [
  ["ssl", "ssl", false, "tls: {}"],
  ["ssl_ca_file", "sslCaFile", "", "tls.ca"],
  ["ssl_cert_file", "sslCertFile", "", "tls.cert"],
  ["ssl_key_file", "sslKeyFile", "", "tls.key"],
  ["ssl_key_password", "sslKeyPassword", undefined, "tls.passphrase"],
  ["ssl_verify_vhost", "sslVerifyVhost", false, "tls.verifyVirtualHost"],
  ["ws_path", "wsPath", undefined, "webSocket.path"],
] as const;

describe("the option table", () => {
  it("the table has oslo's 38 options and ws_path", { tags: ["options:table"] }, () => {
    const names = new Set<string>([...OPTIONS, ...IN_TEXT].map(([name]) => name));
    expect(names.delete("ws_path")).toBe(true);
    expect(names.size).toBe(38);
  });

  it("options have oslo's defaults", { tags: ["options:table"] }, () => {
    const expected = Object.fromEntries([...OPTIONS, ...IN_TEXT].map(([, key, fallback]) => [key, fallback]));
    expect(resolveOptions({})).toStrictEqual(expected);
  });

  it.each(OPTIONS)(
    "option %s is read from text, and %s from code",
    { tags: ["options:table", "options:code"] },
    (name, key, fallback) => {
      const text = Array.isArray(fallback)
        ? fallback.join(",")
        : typeof fallback === "number"
          ? "30"
          : String(fallback);
      expect(Object.keys(parseOptions({ [name]: text }))).toEqual([key]);
      expect(resolveOptions({ options: { [key]: fallback } })).toEqual(resolveOptions({}));
    },
  );

  it.each(IN_TEXT)(
    "option %s is read from text only: %s in code throws and names its counterpart",
    (name, key, fallback, inCode) => {
      expect(parseOptions({ [name]: "true" })).toEqual({ [key]: typeof fallback === "boolean" ? true : "true" });
      const inOptions = () => resolveOptions({ options: { [key]: "s3cr3t" } as object });
      expect(inOptions).toThrow(new NoSuchOptError(key, `is for URLs and files: in code use ${inCode}`));
    },
  );

  it("the table determines the types of options", () => {
    expectTypeOf<ResolvedOptions["idleTimeoutMs"]>().toEqualTypeOf<number>();
    expectTypeOf<ResolvedOptions["containerName"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<ResolvedOptions["saslMechanisms"]>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<ResolvedOptions["addressingMode"]>().toEqualTypeOf<"dynamic" | "legacy" | "routable">();
    expectTypeOf<AmqpOptions["preSettled"]>().toEqualTypeOf<
      readonly ("rpc-call" | "rpc-cast" | "rpc-reply" | "notify")[] | undefined
    >();
    expectTypeOf<AmqpOptions>().not.toHaveProperty("wsPath");
    expectTypeOf<AmqpOptions>().not.toHaveProperty("ssl");
    expectTypeOf<AmqpOptions>().not.toHaveProperty("sslKeyPassword");
    expectTypeOf<AmqpOptions["saslConfigDir"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<ResolvedOptions>().toExtend<AmqpOptions>();
  });
});

describe("precedence of options", () => {
  it("the URL's query overrides code, code overrides the runtime's defaults, and these override oslo's", {
    tags: ["options:url"],
  }, () => {
    const defaults = { idleTimeoutMs: 10_000 };
    const options = { idleTimeoutMs: 5_000 };
    expect(resolveOptions({ defaults }).idleTimeoutMs).toBe(10_000);
    expect(resolveOptions({ defaults, options }).idleTimeoutMs).toBe(5_000);
    expect(resolveOptions({ defaults, options, query: { idle_timeout: "7" } }).idleTimeoutMs).toBe(7_000);
    expect(resolveOptions({ defaults, options: { idleTimeoutMs: undefined } }).idleTimeoutMs).toBe(10_000);
  });

  it("0, false and empty text override the defaults", () => {
    const options = { idleTimeoutMs: 0, pseudoVhost: false, groupRequestPrefix: "" };
    expect(resolveOptions({ defaults: { idleTimeoutMs: 10_000 }, options })).toMatchObject(options);
  });
});

describe("options as text", () => {
  it.each(["true", "1", "yes", "on", "t", "y", "TRUE", "Yes"])("the text %j means true", (text) => {
    expect(parseOptions({ trace: text })).toEqual({ trace: true });
  });

  it.each(["false", "0", "no", "off", "f", "n", "False"])("the text %j means false", (text) => {
    expect(parseOptions({ trace: text })).toEqual({ trace: false });
  });

  it("text has times in seconds and lists with separators", { tags: ["options:url"] }, () => {
    const texts = {
      link_retry_delay: "3",
      default_reply_retry: "-1",
      pre_settled: "Notify, rpc-call",
      ws_path: "/amqp",
    };
    expect(parseOptions({ ...texts, sasl_mechanisms: "SCRAM-SHA-256  PLAIN" })).toEqual({
      linkRetryDelayMs: 3_000,
      defaultReplyRetry: -1,
      preSettled: ["notify", "rpc-call"],
      wsPath: "/amqp",
      saslMechanisms: ["SCRAM-SHA-256", "PLAIN"],
    });
  });

  it("the empty text of a list is the empty list", () => {
    expect(parseOptions({ pre_settled: "" })).toEqual({ preSettled: [] });
  });

  it("the empty text of an option without a default is undefined", () => {
    expect(parseOptions({ container_name: "", ssl_key_password: "" })).toStrictEqual({
      containerName: undefined,
      sslKeyPassword: undefined,
    });
  });

  it("a time as text that exceeds the limit of timers is reduced to it", () => {
    expect(parseOptions({ idle_timeout: "99999999999" })).toEqual({ idleTimeoutMs: 2 ** 31 - 1 });
  });

  it.each([
    ["trace", "maybe", 'trace: must be true or false, not "maybe"'],
    ["trace", "", 'trace: must be true or false, not ""'],
    ["idle_timeout", "-1", 'idle_timeout: must be a whole number of seconds, at least 0, not "-1"'],
    ["idle_timeout", "1.5", 'idle_timeout: must be a whole number of seconds, at least 0, not "1.5"'],
    ["idle_timeout", "", 'idle_timeout: must be a whole number of seconds, at least 0, not ""'],
    ["link_retry_delay", "0", 'link_retry_delay: must be a whole number of seconds, at least 1, not "0"'],
    ["default_send_timeout", "4", 'default_send_timeout: must be a whole number of seconds, at least 5, not "4"'],
    ["default_reply_retry", "-2", "default_reply_retry: must be a whole number from -1 to 4294967295, not -2"],
    [
      "connection_retry_backoff",
      "two",
      'connection_retry_backoff: must be a whole number from 0 to 4294967295, not "two"',
    ],
    [
      "reply_link_credit",
      "4294967296",
      "reply_link_credit: must be a whole number from 1 to 4294967295, not 4294967296",
    ],
    ["addressing_mode", "rabbitmq", 'addressing_mode: must be one of dynamic, legacy, routable, not "rabbitmq"'],
    ["pre_settled", "notify,x", 'pre_settled: must be one of rpc-call, rpc-cast, rpc-reply, notify, not "x"'],
  ])("the text %s=%s throws a ConfigurationError", { tags: ["options:table"] }, (name, text, message) => {
    expect(() => parseOptions({ [name]: text })).toThrow(ConfigurationError);
    expect(() => parseOptions({ [name]: text })).toThrow(message);
  });

  it.each(["no_such_option", "idleTimeoutMs", "constructor", "__proto__", ""])(
    "the unknown option %j in a URL throws a NoSuchOptError",
    { tags: ["options:url:unknown"] },
    (name) => {
      expect(() => parseOptions(Object.fromEntries([[name, "1"]]))).toThrow(NoSuchOptError);
      expect(() => resolveOptions({ query: Object.fromEntries([[name, "1"]]) })).toThrow(
        `${name}: unknown option of [oslo_messaging_amqp]`,
      );
    },
  );

  const amqpNames = ROWS.map(([, { name }]) => name);
  const rabbitNames = [...RABBIT_ROWS.map(([, { name }]) => name), ...FORMER_NAMES.keys()];

  it.each(rabbitNames.filter((name) => !amqpNames.includes(name)))(
    "%s throws an error that says it is only supported by rabbit://",
    { tags: ["options:url:unknown"] },
    (name) => {
      expect(() => parseOptions({ [name]: "true" })).toThrow(new NoSuchOptError(name, "only supported by rabbit://"));
    },
  );
});

describe("options in code", () => {
  it.each([
    ["trace", "true", 'trace: must be true or false, not "true"'],
    ["containerName", 5, "containerName: must be a string, not 5"],
    ["containerName", null, "containerName: must be a string, not null"],
    ["idleTimeoutMs", -1, "idleTimeoutMs: must be a number of milliseconds, at least 0, not -1"],
    ["idleTimeoutMs", Number.NaN, "idleTimeoutMs: must be a number of milliseconds, at least 0, not NaN"],
    ["idleTimeoutMs", "5", 'idleTimeoutMs: must be a number of milliseconds, at least 0, not "5"'],
    ["defaultSendTimeoutMs", 4_999, "defaultSendTimeoutMs: must be a number of milliseconds, at least 5000, not 4999"],
    ["replyLinkCredit", 1.5, "replyLinkCredit: must be a whole number from 1 to 4294967295, not 1.5"],
    ["saslMechanisms", "PLAIN", 'saslMechanisms: must be an array, not "PLAIN"'],
    ["preSettled", [{ secret: "s3cr3t" }], "notify, not an object"],
    ["addressingMode", ["legacy"], "addressingMode: must be one of dynamic, legacy, routable, not an array"],
  ])("%s = %j in code throws a ConfigurationError", (key, value, message) => {
    const resolve = () => resolveOptions({ options: { [key]: value } as AmqpOptions });
    expect(resolve).toThrow(ConfigurationError);
    expect(resolve).toThrow(message);
  });

  it("the time Infinity in code is reduced to the limit of timers", () => {
    expect(resolveOptions({ options: { idleTimeoutMs: Number.POSITIVE_INFINITY } }).idleTimeoutMs).toBe(2 ** 31 - 1);
  });

  it.each(["noSuchOption", "idle_timeout", "wsPath", "constructor"])(
    "the unknown option %j in code throws a NoSuchOptError",
    { tags: ["options:code"] },
    (key) => {
      expect(() => resolveOptions({ options: { [key]: "x" } as AmqpOptions })).toThrow(NoSuchOptError);
    },
  );
});
