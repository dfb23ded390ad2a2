import { describe, expect, expectTypeOf, it } from "vitest";
import { ConfigurationError, NoSuchOptError } from "@/src/driver/exceptions.js";
import { ROWS as AMQP_ROWS } from "@/src/driver/options/option-table.js";
import {
  FORMER_NAMES,
  RABBIT_ROWS,
  type RabbitOptions,
  type ResolvedRabbitOptions,
} from "@/src/driver/rabbit/option-table.js";
import { parseRabbitOptions, rabbitWarnings, resolveRabbitOptions } from "@/src/driver/rabbit/options.js";

/** [name in oslo, name in code, default in code] of every option that code can set. */
const OPTIONS = [
  ["heartbeat_timeout_threshold", "heartbeatTimeoutThresholdMs", 60_000],
  ["kombu_reconnect_delay", "kombuReconnectDelayMs", 1_000],
  ["kombu_reconnect_splay", "kombuReconnectSplayMs", 0],
  ["kombu_compression", "kombuCompression", undefined],
  ["kombu_missing_consumer_retry_timeout", "kombuMissingConsumerRetryTimeoutMs", 60_000],
  ["kombu_failover_strategy", "kombuFailoverStrategy", "round-robin"],
  ["rabbit_login_method", "rabbitLoginMethod", "AMQPLAIN"],
  ["rabbit_retry_interval", "rabbitRetryIntervalMs", 1_000],
  ["rabbit_retry_backoff", "rabbitRetryBackoffMs", 2_000],
  ["rabbit_interval_max", "rabbitIntervalMaxMs", 30_000],
  ["amqp_durable_queues", "amqpDurableQueues", false],
  ["amqp_auto_delete", "amqpAutoDelete", false],
  ["rabbit_ha_queues", "rabbitHaQueues", false],
  ["rabbit_quorum_queue", "rabbitQuorumQueue", false],
  ["rabbit_transient_quorum_queue", "rabbitTransientQuorumQueue", false],
  ["rabbit_quorum_delivery_limit", "rabbitQuorumDeliveryLimit", 0],
  ["rabbit_quorum_max_memory_length", "rabbitQuorumMaxMemoryLength", 0],
  ["rabbit_quorum_max_memory_bytes", "rabbitQuorumMaxMemoryBytes", 0],
  ["rabbit_transient_queues_ttl", "rabbitTransientQueuesTtlMs", 1_800_000],
  ["rabbit_qos_prefetch_count", "rabbitQosPrefetchCount", 0],
  ["direct_mandatory_flag", "directMandatoryFlag", true],
  ["enable_cancel_on_failover", "enableCancelOnFailover", false],
] as const;

/** [name in oslo, key in the table, default, counterpart in code] of options for URLs and files only. */
const IN_TEXT = [
  ["ssl", "ssl", false, "tls: {}"],
  ["ssl_ca_file", "sslCaFile", "", "tls.ca"],
  ["ssl_cert_file", "sslCertFile", "", "tls.cert"],
  ["ssl_key_file", "sslKeyFile", "", "tls.key"],
  ["ws_path", "wsPath", undefined, "webSocket.path"],
] as const;

/** [name in oslo, key in the table, default, a text that causes a warning] of options without effect. */
const IGNORED = [
  ["ssl_version", "sslVersion", "", "TLSv1_2"],
  ["ssl_enforce_fips_mode", "sslEnforceFipsMode", false, "true"],
  ["heartbeat_rate", "heartbeatRate", 3, "2"],
  ["heartbeat_in_pthread", "heartbeatInPthread", false, "true"],
  ["rpc_conn_pool_size", "rpcConnPoolSize", 30, "10"],
  ["conn_pool_min_size", "connPoolMinSize", 2, "1"],
  ["conn_pool_ttl", "connPoolTtlMs", 1_200_000, "60"],
  ["use_queue_manager", "useQueueManager", false, "true"],
  ["hostname", "hostname", undefined, "host1"],
  ["processname", "processname", undefined, "nova-compute"],
] as const;

/** [name in oslo, key in the table, the only value] of options with one supported value. */
const FIXED = [
  ["ssl_enforce_hostname_verification", "sslEnforceHostnameVerification", true],
  ["rabbit_stream_fanout", "rabbitStreamFanout", false],
] as const;

const ALL = [...OPTIONS, ...IN_TEXT, ...IGNORED, ...FIXED];

describe("the option table of rabbit://", () => {
  it("the table has the 37 options of oslo.messaging 18.1, one of 14.0, and ws_path", {
    tags: ["options:rabbit"],
  }, () => {
    const names = RABBIT_ROWS.map(([, { name }]) => name);
    expect(new Set(names)).toEqual(new Set(ALL.map(([name]) => name)));
    expect(names.length).toBe(37 + 2);
  });

  it("options have oslo's defaults, which cause no warning", { tags: ["options:rabbit"] }, () => {
    const expected = Object.fromEntries(ALL.map(([, key, fallback]) => [key, fallback]));
    expect(resolveRabbitOptions({})).toStrictEqual(expected);
    expect(rabbitWarnings(resolveRabbitOptions({}))).toEqual([]);
  });

  it("the name in code is oslo's in camelCase, with Ms for times", () => {
    for (const [key, { name }] of RABBIT_ROWS) {
      expect(key.replace(/Ms$/, "")).toBe(name.replace(/_./g, ([, letter = ""]) => letter.toUpperCase()));
    }
  });

  it.each(OPTIONS)("option %s is read from text, and %s from code", (name, key, fallback) => {
    const text = fallback === undefined ? "gzip" : typeof fallback === "number" ? "1" : String(fallback);
    expect(Object.keys(parseRabbitOptions({ [name]: text }))).toEqual([key]);
    expect(resolveRabbitOptions({ options: { [key]: fallback } })).toEqual(resolveRabbitOptions({}));
  });

  it.each(IN_TEXT)("option %s in code throws and names its counterpart", (name, key, fallback, inCode) => {
    expect(parseRabbitOptions({ [name]: "true" })).toEqual({ [key]: typeof fallback === "boolean" ? true : "true" });
    expect(() => resolveRabbitOptions({ options: { [key]: "s3cr3t" } as object })).toThrow(
      new NoSuchOptError(key, `is for URLs and files: in code use ${inCode}`),
    );
  });

  it.each(IGNORED)("option %s is accepted as text with a warning, and refused in code", (name, key, _, text) => {
    const warnings = rabbitWarnings(resolveRabbitOptions({ query: { [name]: text } }));
    expect(warnings).toEqual([expect.stringContaining(`${name} is ignored: `)]);
    expect(() => resolveRabbitOptions({ options: { [key]: true } as object })).toThrow(
      new NoSuchOptError(key, "is for URLs and files, where it has no effect"),
    );
  });

  it.each(FIXED)("option %s has one supported value", (name, key, supported) => {
    expect(parseRabbitOptions({ [name]: String(supported) })).toEqual({ [key]: supported });
    const refused = () => parseRabbitOptions({ [name]: String(!supported) });
    expect(refused).toThrow(ConfigurationError);
    expect(refused).toThrow(`${name}: ${!supported} is not supported: `);
    expect(() => resolveRabbitOptions({ options: { [key]: supported } as object })).toThrow(NoSuchOptError);
  });

  it("the table determines the types of options", () => {
    expectTypeOf<keyof RabbitOptions>().toEqualTypeOf<(typeof OPTIONS)[number][1]>();
    expectTypeOf<RabbitOptions["kombuCompression"]>().toEqualTypeOf<"gzip" | undefined>();
    expectTypeOf<ResolvedRabbitOptions["rabbitLoginMethod"]>().toEqualTypeOf<"PLAIN" | "AMQPLAIN" | "EXTERNAL">();
    expectTypeOf<ResolvedRabbitOptions["rabbitRetryIntervalMs"]>().toEqualTypeOf<number>();
  });
});

describe("options of rabbit:// in a URL and in code", () => {
  it("the URL's query overrides code", () => {
    const options: RabbitOptions = { rabbitQosPrefetchCount: 5, amqpAutoDelete: true };
    expect(resolveRabbitOptions({ options, query: { rabbit_qos_prefetch_count: "7" } })).toMatchObject({
      rabbitQosPrefetchCount: 7,
      amqpAutoDelete: true,
    });
  });

  it("times are seconds in text and milliseconds in code", () => {
    const texts = {
      heartbeat_timeout_threshold: "30",
      kombu_reconnect_delay: "0.5",
      kombu_reconnect_splay: "2",
      rabbit_transient_queues_ttl: "0",
    };
    expect(parseRabbitOptions(texts)).toEqual({
      heartbeatTimeoutThresholdMs: 30_000,
      kombuReconnectDelayMs: 500,
      kombuReconnectSplayMs: 2_000,
      rabbitTransientQueuesTtlMs: 0,
    });
    expect(resolveRabbitOptions({ options: { kombuReconnectDelayMs: 500 } }).kombuReconnectDelayMs).toBe(500);
  });

  it("numbers above 16 bits are reduced where the protocol has 16", () => {
    const texts = { heartbeat_timeout_threshold: "100000", rabbit_qos_prefetch_count: "100000" };
    expect(parseRabbitOptions(texts)).toEqual({
      heartbeatTimeoutThresholdMs: 65_535_000,
      rabbitQosPrefetchCount: 65_535,
    });
    expect(resolveRabbitOptions({ options: { rabbitQosPrefetchCount: 100_000 } }).rabbitQosPrefetchCount).toBe(65_535);
  });

  it("a login method is accepted in any case as text", () => {
    expect(parseRabbitOptions({ rabbit_login_method: "plain" })).toEqual({ rabbitLoginMethod: "PLAIN" });
  });

  it.each([...FORMER_NAMES])("the former name %s means %s, which overrides it", (former, name) => {
    const text = name.startsWith("ssl") ? ["true", "false"] : ["8", "9"];
    const [first = "", second = ""] = text;
    expect(parseRabbitOptions({ [former]: first })).toEqual(parseRabbitOptions({ [name]: first }));
    expect(parseRabbitOptions({ [name]: second, [former]: first })).toEqual(parseRabbitOptions({ [name]: second }));
  });

  it("the error of a former name is in the caller's words", () => {
    expect(() => parseRabbitOptions({ rabbit_quroum_max_memory_length: "x" })).toThrow(
      "rabbit_quroum_max_memory_length: must be a whole number",
    );
  });

  it.each([
    ["kombu_compression", "bz2", 'kombu_compression: must be one of gzip, not "bz2"'],
    [
      "rabbit_login_method",
      "RABBIT-CR-DEMO",
      'rabbit_login_method: must be one of AMQPLAIN, PLAIN, EXTERNAL, not "RABBIT-CR-DEMO"',
    ],
    ["kombu_failover_strategy", "random", "kombu_failover_strategy: must be one of round-robin, shuffle"],
    ["kombu_reconnect_delay", "4.6", 'kombu_reconnect_delay: must be a number of seconds, 0 to 4.5, not "4.6"'],
    ["kombu_reconnect_delay", "-1", "kombu_reconnect_delay: must be a number of seconds, 0 to 4.5"],
    ["kombu_reconnect_splay", "x", 'kombu_reconnect_splay: must be a number of seconds, at least 0, not "x"'],
    ["rabbit_retry_interval", "0", "rabbit_retry_interval: must be a whole number of seconds, at least 1"],
    ["rabbit_interval_max", "0.5", "rabbit_interval_max: must be a whole number of seconds, at least 1"],
  ])("the text %s=%s throws a ConfigurationError", (name, text, message) => {
    expect(() => parseRabbitOptions({ [name]: text })).toThrow(ConfigurationError);
    expect(() => parseRabbitOptions({ [name]: text })).toThrow(message);
  });

  it.each([
    [{ kombuReconnectDelayMs: 4_501 }, "must be a number of milliseconds, 0 to 4500, not 4501"],
    [{ kombuReconnectSplayMs: "1" }, "must be a number of milliseconds, at least 0, not a string"],
    [{ kombuCompression: "bz2" }, "must be one of gzip"],
    [{ rabbitLoginMethod: "plain" }, "must be one of AMQPLAIN, PLAIN, EXTERNAL"],
    [{ amqpDurableQueues: "true" }, "must be true or false"],
  ])("the value %j in code throws a ConfigurationError", (options, message) => {
    expect(() => resolveRabbitOptions({ options: options as object })).toThrow(ConfigurationError);
    expect(() => resolveRabbitOptions({ options: options as object })).toThrow(message);
  });

  it.each(["rabbit_quorum_queue", "rabbit_transient_quorum_queue"])("mirrored queues exclude %s", (name) => {
    const refused = () => resolveRabbitOptions({ query: { rabbit_ha_queues: "true", [name]: "true" } });
    expect(refused).toThrow(ConfigurationError);
    expect(refused).toThrow(`rabbit_ha_queues: cannot be combined with ${name}`);
  });

  it("mirrored queues cause a warning", () => {
    expect(rabbitWarnings(resolveRabbitOptions({ options: { rabbitHaQueues: true } }))).toEqual([
      "rabbit_ha_queues has no effect: RabbitMQ 3.0 and later mirrors queues by policy only",
    ]);
  });

  const amqpNames = AMQP_ROWS.map(([, { name }]) => name);
  const rabbitNames = RABBIT_ROWS.map(([, { name }]) => name);

  it.each(amqpNames.filter((name) => !rabbitNames.includes(name)))("%s is refused as amqp's", (name) => {
    expect(() => parseRabbitOptions({ [name]: "1" })).toThrow(new NoSuchOptError(name, "only supported by amqp://"));
  });

  it.each(["no_such_option", "constructor", "__proto__", ""])("the unknown option %j is refused by name", (name) => {
    expect(() => parseRabbitOptions(Object.fromEntries([[name, "1"]]))).toThrow(NoSuchOptError);
    expect(() => parseRabbitOptions(Object.fromEntries([[name, "1"]]))).toThrow(
      `${name}: unknown option of [oslo_messaging_rabbit]`,
    );
  });

  it("the error of an unknown option suggests a similar one", () => {
    expect(() => parseRabbitOptions({ rabbit_durable_queues: "1" })).toThrow(NoSuchOptError);
    expect(() => resolveRabbitOptions({ options: { heartbeatTimeoutMs: 1 } as object })).toThrow(
      "did you mean heartbeatTimeoutThresholdMs (milliseconds)?",
    );
  });
});
