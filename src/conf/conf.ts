import { toError } from "../core/errors.js";
import { ConfigurationError } from "../driver/exceptions.js";
import { boolean, integer, seconds, string } from "../driver/options/option-types.js";
import type { ReadFile } from "../driver/options/tls.js";
import type { TransportOptions } from "../driver/options/transport-options.js";
import { TransportURL } from "../driver/options/transport-url.js";
import { amqpSection, tlsFor } from "./amqp-section.js";
import { parseIni } from "./ini.js";
import { defaultText, FORMER, warningsAbout } from "./known-options.js";
import { type NotificationSection, notificationNames, notificationSection } from "./notification-section.js";
import { OptionFile, type OptionNames } from "./option-file.js";

/** What the getter of a transport takes. */
export interface TransportConf {
  /** Its first argument. */
  readonly url: string;
  /** Its second argument. */
  readonly options: TransportOptions;
}

/** What a service's oslo.config file says about messaging. */
export interface Conf {
  /** For `getRpcTransport`. */
  readonly rpc: TransportConf;
  /** For `getRpcServer` and listeners. */
  readonly server: {
    /** Answer `oslo_rpc_server_ping`. */
    readonly ping: boolean;
    /** How many requests, or notifications, are handled at once. */
    readonly concurrency: number;
  };
  /** The `[DEFAULT]` message bus, unless the file has one for notifications. */
  readonly notifications: TransportConf & NotificationSection;
  /** What the file says to nobody: options that do not exist, or do not act here. */
  readonly warnings: readonly string[];
}

export interface ConfSources {
  /** In the place of every `transport_url` of the file. */
  url?: string | undefined;
  /** For the files that the file names: certificates, keys, `routing_config`. What it throws becomes a ConfigurationError. */
  readFile?: ReadFile | undefined;
}

/**
 * Reads the text of a service's oslo.config file: `[DEFAULT]`, `[oslo_messaging_amqp]` (once `[amqp1]`) and
 * `[oslo_messaging_notifications]` (`[NOTIFICATIONS]` in the deployment guide). Other groups are passed over.
 *
 * @throws ConfigurationError for what cannot be read or must not be, naming the line, or group and key.
 */
export function parseConf(text: string, { url, readFile }: ConfSources = {}): Conf {
  const file = new OptionFile({ ini: parseIni(text), former: FORMER, defaultText });
  const section = amqpSection(file);
  const common = {
    controlExchange: file.value(string, ["DEFAULT", "control_exchange"]),
    rpcResponseTimeoutMs: file.value(seconds(1), ["DEFAULT", "rpc_response_timeout"]),
    amqp: section.amqp,
    webSocket: section.wsPath === undefined ? undefined : { path: section.wsPath },
  };
  const conf = (at: string): TransportConf => {
    return { url: at, options: { ...common, tls: tlsFor(TransportURL.parse(at), section.ssl, readFile) } };
  };
  const rpc = url ?? urlAt(file, ["DEFAULT", "transport_url"]);
  if (rpc === undefined)
    throw new ConfigurationError("[DEFAULT] transport_url", "is missing: it names the message bus");
  const own = url ?? urlAt(file, ...notificationNames("transport_url"));
  return {
    rpc: conf(rpc),
    server: {
      ping: file.value(boolean, ["DEFAULT", "rpc_ping_enabled"]) ?? false,
      concurrency: file.value(integer(1), ...THREADS) ?? 64,
    },
    notifications: { ...conf(own ?? rpc), ...notificationSection(file, readFile) },
    warnings: warningsAbout(file),
  };
}

/** Each thread of oslo's executor runs one handler (oslo_messaging/server.py:50-56). */
const THREADS: OptionNames = [
  ["DEFAULT", "executor_thread_pool_size"],
  ["DEFAULT", "rpc_thread_pool_size"],
];

/** @throws ConfigurationError naming group and key, and the URL with its passwords masked. */
function urlAt(file: OptionFile, ...places: OptionNames): string | undefined {
  const text = file.value(string, ...places)?.replaceAll(/[\t\n]/g, ""); // as Python's urlsplit: hosts may be a line each
  if (text === undefined || text === "") return undefined;
  try {
    TransportURL.parse(text);
    return text;
  } catch (error) {
    throw new ConfigurationError(file.label(...places), toError(error).message);
  }
}
