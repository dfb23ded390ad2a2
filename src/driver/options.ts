import { ConfigurationError, NoSuchOptError } from "./exceptions.js";
import { boolean, integer, list, type OptionType, oneOf, seconds, string } from "./option-types.js";

/**
 * Every option of `[oslo_messaging_amqp]` (oslo_messaging/_drivers/amqp1_driver/opts.py): its name in code, its name in
 * oslo, its type with the least value, its default. Times are in seconds in oslo and in milliseconds in code.
 */
const TABLE = {
  /** Our container id, which nobody else on the bus may have. Absent: made up. */
  containerName: acts("container_name", optional(string), undefined),
  /** A peer that is silent for so long is taken for gone. 0: never. */
  idleTimeoutMs: acts("idle_timeout", seconds(0), 0),
  /** Log every AMQP frame at debug level, without secrets. */
  trace: acts("trace", boolean, false),
  ssl: later("ssl"),
  sslCaFile: later("ssl_ca_file"),
  sslCertFile: later("ssl_cert_file"),
  sslKeyFile: later("ssl_key_file"),
  sslKeyPassword: later("ssl_key_password"),
  sslVerifyVhost: later("ssl_verify_vhost"),
  /** The SASL mechanisms that may be used, in order of preference. Empty: as the credentials are, SCRAM before PLAIN. */
  saslMechanisms: acts("sasl_mechanisms", list(string, " "), []),
  saslConfigDir: later("sasl_config_dir"),
  saslConfigName: later("sasl_config_name"),
  /** The realm of user names that name none. */
  saslDefaultRealm: acts("sasl_default_realm", string, ""),
  /** Pause before the first attempt to connect again. */
  connectionRetryIntervalMs: acts("connection_retry_interval", seconds(1), 1_000),
  /** What the pause is multiplied by after every further failure. */
  connectionRetryBackoff: acts("connection_retry_backoff", integer(0), 2),
  /** The pause does not grow beyond this. */
  connectionRetryIntervalMaxMs: acts("connection_retry_interval_max", seconds(1), 30_000),
  /** Pause before a link that was lost, or a message that was released, is tried again. */
  linkRetryDelayMs: acts("link_retry_delay", seconds(1), 10_000),
  /** How many times a reply is sent again. -1: without limit. */
  defaultReplyRetry: acts("default_reply_retry", integer(-1), 0),
  /** Time to deliver a reply. */
  defaultReplyTimeoutMs: acts("default_reply_timeout", seconds(5), 30_000),
  /** Time to deliver a cast for which the caller gave no time. */
  defaultSendTimeoutMs: acts("default_send_timeout", seconds(5), 30_000),
  /** Time to deliver a notification for which the caller gave no time. */
  defaultNotifyTimeoutMs: acts("default_notify_timeout", seconds(5), 30_000),
  /** A sending link that was idle for so long is detached. */
  defaultSenderLinkTimeoutMs: acts("default_sender_link_timeout", seconds(1), 600_000),
  /** How addresses look. `dynamic`: as the product at the other end needs them. */
  addressingMode: acts("addressing_mode", oneOf("dynamic", "legacy", "routable"), "dynamic"),
  /** Put the virtual host into every address. False: the Open's hostname carries it. */
  pseudoVhost: acts("pseudo_vhost", boolean, true),
  /** Legacy addresses: prefix for one server. */
  serverRequestPrefix: acts("server_request_prefix", string, "exclusive"),
  /** Legacy addresses: prefix for all servers. */
  broadcastPrefix: acts("broadcast_prefix", string, "broadcast"),
  /** Legacy addresses: prefix for any one of the servers. */
  groupRequestPrefix: acts("group_request_prefix", string, "unicast"),
  /** Routable addresses: prefix of RPC. */
  rpcAddressPrefix: acts("rpc_address_prefix", string, "openstack.org/om/rpc"),
  /** Routable addresses: prefix of notifications. */
  notifyAddressPrefix: acts("notify_address_prefix", string, "openstack.org/om/notify"),
  /** Routable addresses: second part, for all servers. */
  multicastAddress: acts("multicast_address", string, "multicast"),
  /** Routable addresses: second part, for one server. */
  unicastAddress: acts("unicast_address", string, "unicast"),
  /** Routable addresses: second part, for any one of the servers. */
  anycastAddress: acts("anycast_address", string, "anycast"),
  /** Routable addresses: the exchange of notifications. Absent: the control exchange. */
  defaultNotificationExchange: acts("default_notification_exchange", optional(string), undefined),
  /** Routable addresses: the exchange of RPC targets that have none. Absent: the control exchange. */
  defaultRpcExchange: acts("default_rpc_exchange", optional(string), undefined),
  /** How many replies may be on their way to us. */
  replyLinkCredit: acts("reply_link_credit", integer(1), 200),
  /** How many requests may be on their way to a server, on each of its links. */
  rpcServerCredit: acts("rpc_server_credit", integer(1), 100),
  /** How many notifications may be on their way to a listener, on each of its links. */
  notifyServerCredit: acts("notify_server_credit", integer(1), 100),
  /** What is sent without waiting for the peer to acknowledge it, and may get lost unnoticed. */
  preSettled: acts("pre_settled", list(oneOf("rpc-call", "rpc-cast", "rpc-reply", "notify"), ","), [
    "rpc-cast",
    "rpc-reply",
  ]),
  /** Not oslo's: the HTTP path of a WebSocket. In code it is an option of the transport, so here it is for text alone. */
  wsPath: acts("ws_path", optional(string), undefined),
};

interface Acting<T> {
  readonly name: string;
  readonly type: OptionType<T>;
  readonly default: T;
}
interface Later {
  readonly name: string;
  readonly type: undefined;
}

type ActingKey = { [K in keyof typeof TABLE]: (typeof TABLE)[K] extends Later ? never : K }[keyof typeof TABLE];

/** Every option that acts, with its value. */
export type ResolvedOptions = {
  readonly [K in ActingKey]: (typeof TABLE)[K] extends Acting<infer T> ? T : never;
};

/** The options in code: camelCase, times in milliseconds. */
export type AmqpOptions = { [K in Exclude<ActingKey, "wsPath">]?: ResolvedOptions[K] | undefined };

export interface OptionSources {
  /** What the code gave. */
  options?: AmqpOptions | undefined;
  /** The URL's query, which goes before what the code gave. */
  query?: Readonly<Record<string, string>> | undefined;
  /** Defaults of this runtime, where they are not oslo's. */
  defaults?: Partial<ResolvedOptions> | undefined;
}

/** @throws NoSuchOptError for an unknown name, ConfigurationError for a bad value or an option that does not act yet. */
export function resolveOptions({ options = {}, query = {}, defaults = {} }: OptionSources): ResolvedOptions {
  return { ...DEFAULTS, ...defaults, ...checkOptions(options), ...parseOptions(query) };
}

/** Options as text, by oslo's names, times in seconds: a URL's query, the command line. Throws as resolveOptions. */
export function parseOptions(texts: Readonly<Record<string, string>>): Partial<ResolvedOptions> {
  const parsed = Object.entries(texts).map(([name, text]) => {
    const [key, { type }] = find(name, ([, option]) => option.name === name);
    return [key, type.parse(name, text)];
  });
  return Object.fromEntries(parsed);
}

/** What a caller without types may have written wrongly. */
function checkOptions(options: AmqpOptions): Partial<ResolvedOptions> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const checked = given.map(([name, value]) => {
    const [key, { type }] = find(name, ([key]) => key === name && key !== "wsPath");
    return [key, type.check(name, value)];
  });
  return Object.fromEntries(checked);
}

type Entry = [key: string, option: Acting<unknown> | Later];

const ENTRIES: readonly Entry[] = Object.entries(TABLE);
const DEFAULTS = Object.fromEntries(
  ENTRIES.flatMap(([key, option]) => (option.type === undefined ? [] : [[key, option.default]])),
) as ResolvedOptions;

function find(name: string, isIt: (entry: Entry) => boolean): [key: string, option: Acting<unknown>] {
  const [key, option] = ENTRIES.find(isIt) ?? [];
  if (key === undefined || option === undefined) throw new NoSuchOptError(name, "there is no such option of AMQP 1.0");
  if (option.type === undefined) throw new ConfigurationError(name, "this option is not supported yet");
  return [key, option];
}

function acts<T>(name: string, type: OptionType<T>, fallback: T): Acting<T> {
  return { name, type, default: fallback };
}

function later(name: string): Later {
  return { name, type: undefined };
}

function optional<T>(type: OptionType<T>): OptionType<T | undefined> {
  return type;
}
