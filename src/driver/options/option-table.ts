import { boolean, integer, list, type OptionType, oneOf, seconds, string } from "./option-types.js";

/** An option: its name in oslo, and its default as oslo would write it. Without default it is undefined. */
interface Row<T> {
  readonly name: string;
  readonly type: OptionType<T>;
  readonly default: string | undefined;
}

/** One that is for URLs and files alone. `inCode`: what the code says instead, an option of the transport. */
interface TextRow<T> extends Row<T> {
  readonly inCode: string;
}

/**
 * Every option of `[oslo_messaging_amqp]` (oslo_messaging/_drivers/amqp1_driver/opts.py), and one of our own, by its name in
 * code. Times are in seconds in oslo and in milliseconds in code. The comments are the documentation: in editors, and in
 * the table of the README, which is made from here.
 */
export const TABLE = {
  /** Our container id, which nobody else on the message bus may have. Absent: made up. */
  containerName: optional("container_name", string),
  /** A peer that is silent for so long is taken for gone. 0: never. */
  idleTimeoutMs: option("idle_timeout", seconds(0), "0"),
  /** Log every AMQP frame at debug level, without secrets. */
  trace: option("trace", boolean, "false"),
  /** Connect by TLS. With no other `ssl_*` option the authorities that the runtime trusts decide about the server. */
  ssl: textOnly(option("ssl", boolean, "false"), "tls: {}"),
  /** PEM file with the authorities that the server's certificate is checked against. Asks for TLS. */
  sslCaFile: textOnly(option("ssl_ca_file", string, ""), "tls.ca"),
  /** PEM file with our own certificate, which identifies us to the server. Asks for TLS. */
  sslCertFile: textOnly(option("ssl_cert_file", string, ""), "tls.cert"),
  /** PEM file with the private key of our certificate. Absent: it is in the certificate's file. */
  sslKeyFile: textOnly(option("ssl_key_file", string, ""), "tls.key"),
  /** What the private key is encrypted with. */
  sslKeyPassword: textOnly(optional("ssl_key_password", string), "tls.passphrase"),
  /** The server's certificate must be valid for the virtual host, in the place of the host's name. */
  sslVerifyVhost: textOnly(option("ssl_verify_vhost", boolean, "false"), "tls.verifyVirtualHost"),
  /** The SASL mechanisms that may be used, in order of preference. Empty: as the credentials are, SCRAM before PLAIN. */
  saslMechanisms: option("sasl_mechanisms", list(string, " "), ""),
  /** Of Cyrus SASL, which is not here: warned about. */
  saslConfigDir: option("sasl_config_dir", string, ""),
  /** Of Cyrus SASL, which is not here: warned about. */
  saslConfigName: option("sasl_config_name", string, ""),
  /** The realm of user names that name none. */
  saslDefaultRealm: option("sasl_default_realm", string, ""),
  /** Pause before the first attempt to connect again. */
  connectionRetryIntervalMs: option("connection_retry_interval", seconds(1), "1"),
  /** What the pause is multiplied by after every further failure. */
  connectionRetryBackoff: option("connection_retry_backoff", integer(0), "2"),
  /** The pause does not grow beyond this. */
  connectionRetryIntervalMaxMs: option("connection_retry_interval_max", seconds(1), "30"),
  /** Pause before a link that was lost, or a message that was released, is tried again. */
  linkRetryDelayMs: option("link_retry_delay", seconds(1), "10"),
  /** How many times a reply is sent again. -1: without limit. */
  defaultReplyRetry: option("default_reply_retry", integer(-1), "0"),
  /** Time to deliver a reply. */
  defaultReplyTimeoutMs: option("default_reply_timeout", seconds(5), "30"),
  /** Time to deliver a cast for which the caller gave no time. */
  defaultSendTimeoutMs: option("default_send_timeout", seconds(5), "30"),
  /** Time to deliver a notification for which the caller gave no time. */
  defaultNotifyTimeoutMs: option("default_notify_timeout", seconds(5), "30"),
  /** A sending link that was idle for so long is detached. */
  defaultSenderLinkTimeoutMs: option("default_sender_link_timeout", seconds(1), "600"),
  /** How addresses look. `dynamic`: as the product at the other end needs them. */
  addressingMode: option("addressing_mode", oneOf("dynamic", "legacy", "routable"), "dynamic"),
  /** Put the virtual host into every address. False: the Open's hostname carries it. */
  pseudoVhost: option("pseudo_vhost", boolean, "true"),
  /** Legacy addresses: prefix for one server. */
  serverRequestPrefix: option("server_request_prefix", string, "exclusive"),
  /** Legacy addresses: prefix for all servers. */
  broadcastPrefix: option("broadcast_prefix", string, "broadcast"),
  /** Legacy addresses: prefix for any one of the servers. */
  groupRequestPrefix: option("group_request_prefix", string, "unicast"),
  /** Routable addresses: prefix of RPC. */
  rpcAddressPrefix: option("rpc_address_prefix", string, "openstack.org/om/rpc"),
  /** Routable addresses: prefix of notifications. */
  notifyAddressPrefix: option("notify_address_prefix", string, "openstack.org/om/notify"),
  /** Routable addresses: second part, for all servers. */
  multicastAddress: option("multicast_address", string, "multicast"),
  /** Routable addresses: second part, for one server. */
  unicastAddress: option("unicast_address", string, "unicast"),
  /** Routable addresses: second part, for any one of the servers. */
  anycastAddress: option("anycast_address", string, "anycast"),
  /** Routable addresses: the exchange of notifications. Absent: the control exchange. */
  defaultNotificationExchange: optional("default_notification_exchange", string),
  /** Routable addresses: the exchange of RPC targets that have none. Absent: the control exchange. */
  defaultRpcExchange: optional("default_rpc_exchange", string),
  /** How many replies may be on their way to us. */
  replyLinkCredit: option("reply_link_credit", integer(1), "200"),
  /** How many requests may be on their way to a server, on each of its links. */
  rpcServerCredit: option("rpc_server_credit", integer(1), "100"),
  /** How many notifications may be on their way to a listener, on each of its links. */
  notifyServerCredit: option("notify_server_credit", integer(1), "100"),
  /** What is sent without waiting for the peer to acknowledge it, and may get lost unnoticed. */
  preSettled: option(
    "pre_settled",
    list(oneOf("rpc-call", "rpc-cast", "rpc-reply", "notify"), ","),
    "rpc-cast,rpc-reply",
  ),
  /** Not oslo's: the HTTP path of WebSockets. Absent: "/". */
  wsPath: textOnly(optional("ws_path", string), "webSocket.path"),
};

type Table = typeof TABLE;
type ValueOf<R> = R extends Row<infer T> ? T : never;

/** Every option, with its value. */
export type ResolvedOptions = { readonly [K in keyof Table]: ValueOf<Table[K]> };

/** The options of `[oslo_messaging_amqp]` in code: camelCase, times in milliseconds. */
export type AmqpOptions = {
  [K in keyof Table as Table[K] extends TextRow<unknown> ? never : K]?: ValueOf<Table[K]> | undefined;
};

/** The table for whoever does not know which option it will be. */
export const ROWS: readonly [key: string, row: Row<unknown> & Partial<TextRow<unknown>>][] = Object.entries(TABLE);

export const DEFAULTS = Object.fromEntries(
  ROWS.map(([key, { name, type, default: text }]) => [key, text === undefined ? undefined : type.parse(name, text)]),
) as ResolvedOptions;

function option<T>(name: string, type: OptionType<T>, fallback: string): Row<T> {
  return { name, type, default: fallback };
}

/** Absent unless somebody says it. */
function optional<T>(name: string, type: OptionType<T>): Row<T | undefined> {
  const parse = (key: string, text: string): T | undefined => (text === "" ? undefined : type.parse(key, text));
  return { name, type: { ...type, parse }, default: undefined };
}

function textOnly<T>(row: Row<T>, inCode: string): TextRow<T> {
  return { ...row, inCode };
}
