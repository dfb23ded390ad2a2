import { toError } from "../core/errors.js";
import { kindOf } from "../core/kinds.js";
import { ConfigurationError } from "../driver/exceptions.js";
import { boolean, integer, seconds, string } from "../driver/options/option-types.js";
import type { ReadFile } from "../driver/options/tls.js";
import type { TransportOptions } from "../driver/options/transport-options.js";
import { TransportURL } from "../driver/options/transport-url.js";
import { driverGroupFor } from "./driver-groups.js";
import { driverSection, optionsWithoutEffect, tlsFor } from "./driver-section.js";
import { parseIni } from "./ini.js";
import { defaultText, otherPlaces, unknownOptions } from "./known-options.js";
import { type NotificationSection, notificationNames, notificationSection } from "./notification-section.js";
import { OptionFile, type OptionNames } from "./option-file.js";

/** The arguments of a transport's getter. */
export interface TransportConf {
  /** The first argument. */
  readonly url: string;
  /** The second argument. */
  readonly options: TransportOptions;
}

/** The messaging options of a service's oslo.config file. */
export interface Conf {
  /** For `getRpcTransport`. */
  readonly rpc: TransportConf;
  /** For `getRpcServer` and listeners. */
  readonly server: {
    /** Whether the server answers `oslo_rpc_server_ping`. */
    readonly ping: boolean;
    /** Number of requests, or notifications, that are handled concurrently. */
    readonly concurrency: number;
  };
  /** For notifications. The message bus is the one of `[DEFAULT]`, unless the file has another one for notifications. */
  readonly notifications: TransportConf & NotificationSection;
  /** Warnings about ignored options: unknown ones, those of another driver and those without effect. */
  readonly warnings: readonly string[];
}

export interface ConfSources {
  /** Overrides every `transport_url` of the file. */
  url?: string | undefined;
  /** Reads the files that the file names: certificates, keys, `routing_config`. Its errors become ConfigurationErrors. */
  readFile?: ReadFile | undefined;
}

/**
 * Parses the text of a service's oslo.config file: `[DEFAULT]`, `[oslo_messaging_notifications]` (`[NOTIFICATIONS]` in the
 * deployment guide) and the group of the URL's driver: `[oslo_messaging_rabbit]` for rabbit://, otherwise
 * `[oslo_messaging_amqp]` (once `[amqp1]`), with `[oslo_messaging_rabbit]` for a peer that is RabbitMQ. Other groups are ignored.
 *
 * @throws ConfigurationError, naming the line or the group and key, for malformed text, an invalid value, contradictory
 *   options or a file that cannot be read.
 * @throws InvalidTransportURL when `url` is malformed.
 * @throws TypeError for anything other than text.
 */
export function parseConf(text: string, { url, readFile }: ConfSources = {}): Conf {
  if (typeof text !== "string") throw new TypeError(`a file must be given as its text, not ${kindOf(text)}`);
  const file = new OptionFile({ ini: parseIni(text), otherPlaces, defaultText });
  const common = {
    controlExchange: file.value(string, ["DEFAULT", "control_exchange"]),
    rpcResponseTimeoutMs: file.value(seconds(1), ["DEFAULT", "rpc_response_timeout"]),
  };
  const conf = (transportUrl: string): TransportConf => {
    const parsed = TransportURL.parse(transportUrl);
    const group = driverGroupFor(parsed);
    const { options, ssl } = driverSection(group, file);
    return { url: transportUrl, options: { ...common, ...options, tls: tlsFor(parsed, group, ssl, readFile) } };
  };
  const rpc = url ?? urlAt(file, ["DEFAULT", "transport_url"]);
  if (rpc === undefined)
    throw new ConfigurationError("[DEFAULT] transport_url", "is missing: the URL of the message bus");
  const notifications = url ?? urlAt(file, ...notificationNames("transport_url")) ?? rpc;
  const groups = [...new Set([rpc, notifications].map((each) => driverGroupFor(TransportURL.parse(each))))];
  return {
    rpc: conf(rpc),
    server: {
      ping: file.value(boolean, ["DEFAULT", "rpc_ping_enabled"]) ?? false,
      concurrency: file.value(integer(1), ...THREADS) ?? 64,
    },
    notifications: { ...conf(notifications), ...notificationSection(file, readFile) },
    warnings: [...unknownOptions(file, groups), ...groups.flatMap((group) => optionsWithoutEffect(group, file))],
  };
}

/** Each thread of oslo's executor runs one handler (oslo_messaging/server.py:50-56). */
const THREADS: OptionNames = [
  ["DEFAULT", "executor_thread_pool_size"],
  ["DEFAULT", "rpc_thread_pool_size"],
];

/** @throws ConfigurationError naming group and key, and the URL with its passwords masked. */
function urlAt(file: OptionFile, ...places: OptionNames): string | undefined {
  const text = file.value(string, ...places)?.replaceAll(/[\t\n]/g, ""); // like Python's urlsplit: each host may be on its own line
  if (text === undefined || text === "") return undefined;
  try {
    TransportURL.parse(text);
    return text;
  } catch (error) {
    throw new ConfigurationError(file.label(...places), toError(error).message);
  }
}
