import { defaultsOf, option, optional, type Rows, type TextRow, textOnly, type ValueOf } from "./option-rows.js";
import { boolean, integer, list, oneOf, seconds, string } from "./option-types.js";

/**
 * Every option of `[oslo_messaging_amqp]` (oslo_messaging/_drivers/amqp1_driver/opts.py) and one that oslo does not have
 * (`ws_path`), by its name in code. Times are seconds in oslo and milliseconds in code. The comments are the documentation
 * in editors and in the README, whose table is generated from here.
 */
export const TABLE = {
  /** Container ID of the connections. Must be unique on the message bus. Generated when omitted. */
  containerName: optional("container_name", string),
  /** Close the connection when nothing arrives from the peer for this long. 0 disables the check. */
  idleTimeoutMs: option("idle_timeout", seconds(0), "0"),
  /** Log every AMQP frame at debug level, without secrets. */
  trace: option("trace", boolean, "false"),
  /** Connect with TLS. Without other `ssl_*` options the server is verified against the authorities that the runtime trusts. */
  ssl: textOnly(option("ssl", boolean, "false"), "tls: {}"),
  /** PEM file with the authorities that the server's certificate is verified against. Implies TLS. */
  sslCaFile: textOnly(option("ssl_ca_file", string, ""), "tls.ca"),
  /** PEM file with the client certificate. Implies TLS. */
  sslCertFile: textOnly(option("ssl_cert_file", string, ""), "tls.cert"),
  /** PEM file with the private key of the client certificate. When omitted, the key is read from the certificate's file. */
  sslKeyFile: textOnly(option("ssl_key_file", string, ""), "tls.key"),
  /** Passphrase of the private key. */
  sslKeyPassword: textOnly(optional("ssl_key_password", string), "tls.passphrase"),
  /** Verify the server's certificate against the virtual host instead of the host name. */
  sslVerifyVhost: textOnly(option("ssl_verify_vhost", boolean, "false"), "tls.verifyVirtualHost"),
  /** Allowed SASL mechanisms, in order of preference. Empty: chosen by the credentials, SCRAM before PLAIN. */
  saslMechanisms: option("sasl_mechanisms", list(string, " "), ""),
  /** Cyrus SASL option. Ignored, with a warning. */
  saslConfigDir: option("sasl_config_dir", string, ""),
  /** Cyrus SASL option. Ignored, with a warning. */
  saslConfigName: option("sasl_config_name", string, ""),
  /** Realm appended to user names without a realm. */
  saslDefaultRealm: option("sasl_default_realm", string, ""),
  /** Pause before the first reconnection attempt. */
  connectionRetryIntervalMs: option("connection_retry_interval", seconds(1), "1"),
  /** Factor that multiplies the pause after each further failure. */
  connectionRetryBackoff: option("connection_retry_backoff", integer(0), "2"),
  /** Longest pause between reconnection attempts. */
  connectionRetryIntervalMaxMs: option("connection_retry_interval_max", seconds(1), "30"),
  /** Pause before a lost link is attached again, or a released message is sent again. */
  linkRetryDelayMs: option("link_retry_delay", seconds(1), "10"),
  /** Number of times an undelivered reply is sent again. -1: no limit. */
  defaultReplyRetry: option("default_reply_retry", integer(-1), "0"),
  /** Time to deliver a reply. */
  defaultReplyTimeoutMs: option("default_reply_timeout", seconds(5), "30"),
  /** Time to deliver a cast when the caller gives no timeout. */
  defaultSendTimeoutMs: option("default_send_timeout", seconds(5), "30"),
  /** Time to deliver a notification when the caller gives no timeout. */
  defaultNotifyTimeoutMs: option("default_notify_timeout", seconds(5), "30"),
  /** Detach a sending link that has been idle for this long. */
  defaultSenderLinkTimeoutMs: option("default_sender_link_timeout", seconds(1), "600"),
  /** Format of addresses. `dynamic` selects the format that the peer product needs. */
  addressingMode: option("addressing_mode", oneOf("dynamic", "legacy", "routable"), "dynamic"),
  /** Put the virtual host into every address. When false, it is sent as the hostname of the Open frame instead. */
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
  /** Routable addresses: exchange of notifications. The control exchange when omitted. */
  defaultNotificationExchange: optional("default_notification_exchange", string),
  /** Routable addresses: exchange of RPC targets without one. The control exchange when omitted. */
  defaultRpcExchange: optional("default_rpc_exchange", string),
  /** Credit for replies: number of replies that may be in flight to this client. */
  replyLinkCredit: option("reply_link_credit", integer(1), "200"),
  /** Credit for requests: number that may be in flight to a server, per link. */
  rpcServerCredit: option("rpc_server_credit", integer(1), "100"),
  /** Credit for notifications: number that may be in flight to a listener, per link. */
  notifyServerCredit: option("notify_server_credit", integer(1), "100"),
  /** Kinds of messages that are sent pre-settled: the peer does not acknowledge them, so a loss goes unnoticed. */
  preSettled: option(
    "pre_settled",
    list(oneOf("rpc-call", "rpc-cast", "rpc-reply", "notify"), ","),
    "rpc-cast,rpc-reply",
  ),
  /** HTTP path of WebSockets; not an oslo option. "/" when omitted. */
  wsPath: textOnly(optional("ws_path", string), "webSocket.path"),
};

type Table = typeof TABLE;

/** Every option with its value. */
export type ResolvedOptions = { readonly [K in keyof Table]: ValueOf<Table[K]> };

/** The options of `[oslo_messaging_amqp]` in code: camelCase, times in milliseconds. */
export type AmqpOptions = {
  [K in keyof Table as Table[K] extends TextRow<unknown> ? never : K]?: ValueOf<Table[K]> | undefined;
};

/** The rows of the table, for lookups by a name known only at run time. */
export const ROWS: Rows = Object.entries(TABLE);

export const DEFAULTS = defaultsOf(ROWS) as ResolvedOptions;
