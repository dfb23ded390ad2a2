import type { LoginMechanism } from "../../amqp091/login.js";
import { kindOf } from "../../core/kinds.js";
import { timerMs } from "../../core/timers.js";
import { ConfigurationError } from "../exceptions.js";
import {
  defaultsOf,
  type IgnoredRow,
  option,
  optional,
  type Row,
  type Rows,
  type TextRow,
  textOnly,
  type ValueOf,
} from "../options/option-rows.js";
import { boolean, integer, type OptionType, oneOf, seconds, string } from "../options/option-types.js";

/** Fields of 16 bits: the heartbeat interval in seconds, and the prefetch count. */
const LARGEST_USHORT = 2 ** 16 - 1;

const ONE_CONNECTION = "one connection sends all messages";
const RANDOM_NAMES = "the names of reply and fanout queues are random";
const OWN_TLS = "the runtime chooses the versions of TLS";

/**
 * Every option of `[oslo_messaging_rabbit]` (oslo_messaging/_drivers/impl_rabbit.py and amqp.py) and one that oslo does not
 * have (`ws_path`), by its name in code. Times are seconds in oslo and milliseconds in code. The comments are the
 * documentation in editors and in the README.
 */
export const RABBIT_TABLE = {
  /** Connect with TLS. The port remains 5672 unless the URL has one. */
  ssl: textOnly(option("ssl", boolean, "false"), "tls: {}"),
  /** PEM file with the authorities that the server's certificate is verified against. */
  sslCaFile: textOnly(option("ssl_ca_file", string, ""), "tls.ca"),
  /** PEM file with the client certificate. */
  sslCertFile: textOnly(option("ssl_cert_file", string, ""), "tls.cert"),
  /** PEM file with the private key of the client certificate. When omitted, the key is read from the certificate's file. */
  sslKeyFile: textOnly(option("ssl_key_file", string, ""), "tls.key"),
  /** Version of TLS. Ignored, with a warning. */
  sslVersion: ignored(option("ssl_version", string, ""), OWN_TLS),
  /** The server's certificate is always verified against its host name: `false` is refused. */
  sslEnforceHostnameVerification: fixed(
    "ssl_enforce_hostname_verification",
    true,
    "the certificate must be for the host name",
  ),
  /** FIPS mode of OpenSSL. Ignored, with a warning. */
  sslEnforceFipsMode: ignored(option("ssl_enforce_fips_mode", boolean, "false"), "the runtime chooses the FIPS mode"),
  /** Close the connection when nothing arrives from the broker for this long. The broker may reduce it. 0 disables heartbeats. */
  heartbeatTimeoutThresholdMs: option("heartbeat_timeout_threshold", upTo(seconds(0), LARGEST_USHORT * 1000), "60"),
  /** Checks of the heartbeat in each threshold. Ignored, with a warning. */
  heartbeatRate: ignored(option("heartbeat_rate", integer(0), "3"), "heartbeats are sent after half the threshold"),
  /** Thread of the heartbeat. Ignored, with a warning. */
  heartbeatInPthread: ignored(option("heartbeat_in_pthread", boolean, "false"), "heartbeats need no thread"),
  /** Shortest pause before a reconnection attempt. */
  kombuReconnectDelayMs: option("kombu_reconnect_delay", fractionalSeconds(4.5), "1.0"),
  /** Longest random addition to the pause before a reconnection attempt. */
  kombuReconnectSplayMs: option("kombu_reconnect_splay", fractionalSeconds(), "0"),
  /** Compression of sent messages. `gzip` is the zlib format. None when omitted. Received messages may always be compressed. */
  kombuCompression: optional("kombu_compression", oneOf("gzip")),
  /** Time to deliver a reply to a queue that does not exist. */
  kombuMissingConsumerRetryTimeoutMs: option("kombu_missing_consumer_retry_timeout", seconds(0), "60"),
  /** Order of the hosts. `shuffle` selects a new random order for each round. */
  kombuFailoverStrategy: option("kombu_failover_strategy", oneOf("round-robin", "shuffle"), "round-robin"),
  /** SASL mechanism. */
  rabbitLoginMethod: option("rabbit_login_method", loginMethod("AMQPLAIN", "PLAIN", "EXTERNAL"), "AMQPLAIN"),
  /** Pause before the first reconnection attempt. */
  rabbitRetryIntervalMs: option("rabbit_retry_interval", seconds(1), "1"),
  /** Time that is added to the pause after each further failure. */
  rabbitRetryBackoffMs: option("rabbit_retry_backoff", seconds(0), "2"),
  /** Longest pause between reconnection attempts, without the first one. */
  rabbitIntervalMaxMs: option("rabbit_interval_max", seconds(1), "30"),
  /** Declare durable exchanges and queues of topics. Queues of replies and fanouts are not durable. */
  amqpDurableQueues: option("amqp_durable_queues", boolean, "false"),
  /** Declare exchanges and queues of topics that are deleted when they are no longer used. */
  amqpAutoDelete: option("amqp_auto_delete", boolean, "false"),
  /** Declare queues with `x-ha-policy: all`, which RabbitMQ 3.0 and later ignores. Cannot be combined with quorum queues. */
  rabbitHaQueues: option("rabbit_ha_queues", boolean, "false"),
  /** Declare the queues of topics as quorum queues, which are durable. */
  rabbitQuorumQueue: option("rabbit_quorum_queue", boolean, "false"),
  /** Declare the queues of replies and fanouts as quorum queues, which are durable. */
  rabbitTransientQuorumQueue: option("rabbit_transient_quorum_queue", boolean, "false"),
  /** Most times that a quorum queue delivers a message. 0: the default of the broker. */
  rabbitQuorumDeliveryLimit: option("rabbit_quorum_delivery_limit", integer(0), "0"),
  /** Most messages that a quorum queue holds in memory. 0: no limit. */
  rabbitQuorumMaxMemoryLength: option("rabbit_quorum_max_memory_length", integer(0), "0"),
  /** Most bytes of messages that a quorum queue holds in memory. 0: no limit. */
  rabbitQuorumMaxMemoryBytes: option("rabbit_quorum_max_memory_bytes", integer(0), "0"),
  /** Delete a queue of replies or fanouts that has been unused for this long. 0: never. */
  rabbitTransientQueuesTtlMs: option("rabbit_transient_queues_ttl", seconds(0), "1800"),
  /** Most messages that are delivered to a consumer before it acknowledges them. 0: chosen by the listener. */
  rabbitQosPrefetchCount: option("rabbit_qos_prefetch_count", upTo(integer(0), LARGEST_USHORT), "0"),
  /** Have replies returned whose queue does not exist, and send them again. */
  directMandatoryFlag: option("direct_mandatory_flag", boolean, "true"),
  /** Have a consumer cancelled when its mirrored queue fails over. */
  enableCancelOnFailover: option("enable_cancel_on_failover", boolean, "false"),
  /** Streams in the place of fanout queues: not supported, `true` is refused. */
  rabbitStreamFanout: fixed("rabbit_stream_fanout", false, "fanouts need a queue for each server"),
  /** Largest number of sending connections. Ignored, with a warning. */
  rpcConnPoolSize: ignored(option("rpc_conn_pool_size", integer(1), "30"), ONE_CONNECTION),
  /** Smallest number of sending connections. Ignored, with a warning. */
  connPoolMinSize: ignored(option("conn_pool_min_size", integer(0), "2"), ONE_CONNECTION),
  /** Time after which an unused sending connection is closed. Ignored, with a warning. */
  connPoolTtlMs: ignored(option("conn_pool_ttl", seconds(0), "1200"), ONE_CONNECTION),
  /** Queue names from host, process and counter. Ignored, with a warning. */
  useQueueManager: ignored(option("use_queue_manager", boolean, "false"), RANDOM_NAMES),
  /** Host name in queue names. Ignored, with a warning. */
  hostname: ignored(optional("hostname", string), RANDOM_NAMES),
  /** Process name in queue names. Ignored, with a warning. */
  processname: ignored(optional("processname", string), RANDOM_NAMES),
  /** HTTP path of WebSockets; not an oslo option. "/" when omitted. */
  wsPath: textOnly(optional("ws_path", string), "webSocket.path"),
};

type Table = typeof RABBIT_TABLE;

/** Every option with its value. */
export type ResolvedRabbitOptions = { readonly [K in keyof Table]: ValueOf<Table[K]> };

/** The options of `[oslo_messaging_rabbit]` in code: camelCase, times in milliseconds. */
export type RabbitOptions = {
  [K in keyof Table as Table[K] extends TextRow<unknown> | IgnoredRow<unknown> ? never : K]?:
    | ValueOf<Table[K]>
    | undefined;
};

/** The rows of the table, for lookups by a name known only at run time. */
export const RABBIT_ROWS: Rows = Object.entries(RABBIT_TABLE);

export const RABBIT_DEFAULTS = defaultsOf(RABBIT_ROWS) as ResolvedRabbitOptions;

/** Former names of options, misspelt ones included, each with the present name. */
export const FORMER_NAMES: ReadonlyMap<string, string> = new Map([
  ["kombu_reconnect_timeout", "kombu_missing_consumer_retry_timeout"],
  ["rabbit_quroum_max_memory_length", "rabbit_quorum_max_memory_length"],
  ["rabbit_quroum_max_memory_bytes", "rabbit_quorum_max_memory_bytes"],
  ["rabbit_use_ssl", "ssl"],
  ["kombu_ssl_version", "ssl_version"],
  ["kombu_ssl_ca_certs", "ssl_ca_file"],
  ["kombu_ssl_certfile", "ssl_cert_file"],
  ["kombu_ssl_keyfile", "ssl_key_file"],
]);

function ignored<T>(row: Row<T>, reason: string): IgnoredRow<T> {
  return { ...row, ignored: reason };
}

/** A boolean with one supported value. */
function fixed(name: string, supported: boolean, reason: string): IgnoredRow<boolean> {
  const parse = (key: string, text: string): boolean => {
    if (boolean.parse(key, text) === supported) return supported;
    throw new ConfigurationError(key, `${!supported} is not supported: ${reason}`);
  };
  return ignored(option(name, { ...boolean, text: String(supported), parse }, String(supported)), reason);
}

/** The names of oslo are in upper case. */
function loginMethod(...methods: readonly LoginMechanism[]): OptionType<LoginMechanism> {
  const type = oneOf(...methods);
  return { ...type, parse: (key, text) => type.check(key, text.toUpperCase()) };
}

/** Numbers above `largest` are reduced to it. */
function upTo(type: OptionType<number>, largest: number): OptionType<number> {
  return {
    text: type.text,
    parse: (key, text) => Math.min(type.parse(key, text), largest),
    check: (key, value) => Math.min(type.check(key, value), largest),
  };
}

/** Seconds in text, which may have a fraction; milliseconds in code. */
function fractionalSeconds(max = Number.POSITIVE_INFINITY): OptionType<number> {
  const range = (factor: number): string => (max === Number.POSITIVE_INFINITY ? "at least 0" : `0 to ${max * factor}`);
  return {
    text: `a number of seconds, ${range(1)}`,
    parse(key, text) {
      const value = /^\s*\+?(\d+\.?\d*|\.\d+)\s*$/.test(text) ? Number(text) : Number.NaN;
      if (value <= max) return timerMs(value * 1000);
      throw new ConfigurationError(key, `must be a number of seconds, ${range(1)}, not ${JSON.stringify(text)}`);
    },
    check(key, value) {
      if (typeof value === "number" && value >= 0 && value <= max * 1000) return timerMs(value);
      const given = typeof value === "number" ? value : kindOf(value);
      throw new ConfigurationError(key, `must be a number of milliseconds, ${range(1000)}, not ${given}`);
    },
  };
}
