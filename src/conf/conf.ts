import { kindOf } from "../core/kinds.js";
import { wrongMembers } from "../core/member-names.js";
import { ConfigurationError } from "../driver/exceptions.js";
import { boolean, integer, seconds, string } from "../driver/options/option-types.js";
import type { ReadFile } from "../driver/options/tls.js";
import type { TransportOptions } from "../driver/options/transport-options.js";
import { TransportURL } from "../driver/options/transport-url.js";
import { type Address, addressOf, replaced } from "./address.js";
import { driverGroupFor } from "./driver-groups.js";
import { driverSection, optionsWithoutEffect, tlsFor, unusedTlsOptions } from "./driver-section.js";
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

/** The addresses to use in the place of the file's, and a way to read other files. */
export interface ConfSources {
  /** Overrides every `transport_url` of the file. */
  url?: string | undefined;
  /**
   * Replaces the address of RPC, `[DEFAULT] transport_url`, for example by the WebSocket of the same router. User, password,
   * virtual host and query options that it omits are those of the file's URL if both have the same driver; `@host` is a host
   * without a user. When it is a WebSocket in the place of TCP, its scheme decides about TLS, not the `ssl_*` options of the file.
   */
  rpcUrl?: string | undefined;
  /**
   * Replaces the address of notifications, the `transport_url` of their group or else of `[DEFAULT]`, as `rpcUrl` does that of
   * RPC. Without it a file without a URL for notifications sends them to `rpcUrl`.
   */
  notificationUrl?: string | undefined;
  /** Reads the files that the file names: certificates, keys, `routing_config`. Its errors become ConfigurationErrors. */
  readFile?: ReadFile | undefined;
}

const SOURCES: readonly (keyof ConfSources)[] = ["url", "rpcUrl", "notificationUrl", "readFile"];

/**
 * Parses the text of a service's oslo.config file: `[DEFAULT]`, `[oslo_messaging_notifications]` (`[NOTIFICATIONS]` in the
 * deployment guide) and the group of the URL's driver: `[oslo_messaging_rabbit]` for rabbit://, otherwise
 * `[oslo_messaging_amqp]` (once `[amqp1]`), with `[oslo_messaging_rabbit]` for a peer that is RabbitMQ. Other groups are ignored.
 *
 * @throws ConfigurationError, naming the line or the group and key, for malformed text, an invalid value, contradictory
 *   options or a file that cannot be read; naming `rpcUrl` or `notificationUrl` when it is malformed.
 * @throws InvalidTransportURL when `url` is malformed.
 * @throws TypeError for anything other than text, and for unknown sources.
 */
export function parseConf(text: string, sources: ConfSources = {}): Conf {
  if (typeof text !== "string") throw new TypeError(`a file must be given as its text, not ${kindOf(text)}`);
  const wrong = wrongMembers(sources, SOURCES);
  if (wrong !== undefined) throw new TypeError(`the second argument ${wrong}`);
  const { readFile } = sources;
  const file = new OptionFile({ ini: parseIni(text), otherPlaces, defaultText });
  const common = {
    controlExchange: file.value(string, ["DEFAULT", "control_exchange"]),
    rpcResponseTimeoutMs: file.value(seconds(1), ["DEFAULT", "rpc_response_timeout"]),
  };
  const conf = ({ text: url, url: parsed, tlsBy }: Address): TransportConf => {
    const group = driverGroupFor(parsed);
    const { options, ssl } = driverSection(group, file);
    return { url, options: { ...common, ...options, tls: tlsFor(parsed, group, tlsBy ? {} : ssl, readFile) } };
  };
  const addresses = addressesOf(file, sources);
  const groups = [...new Set(addresses.map(({ url }) => driverGroupFor(url)))];
  const [rpc, notifications] = addresses;
  const warnings = [
    ...unknownOptions(file, groups),
    ...groups.flatMap((group) => optionsWithoutEffect(group, file)),
    ...addresses.flatMap(({ url, tlsBy }) => (tlsBy ? unusedTlsOptions(driverGroupFor(url), file, tlsBy) : [])),
  ];
  return {
    rpc: conf(rpc),
    server: {
      ping: file.value(boolean, ["DEFAULT", "rpc_ping_enabled"]) ?? false,
      concurrency: file.value(integer(1), ...THREADS) ?? 64,
    },
    notifications: { ...conf(notifications), ...notificationSection(file, readFile) },
    warnings: [...new Set(warnings)],
  };
}

/** The addresses of RPC and of notifications. */
function addressesOf(
  file: OptionFile,
  { url, rpcUrl, notificationUrl }: ConfSources,
): readonly [rpc: Address, notifications: Address] {
  const given = url === undefined ? undefined : { text: url, url: TransportURL.parse(url) };
  const inFile = given ?? addressAt(file, ["DEFAULT", "transport_url"]);
  const rpc = rpcUrl === undefined ? inFile : replaced("rpcUrl", rpcUrl, inFile);
  if (rpc === undefined)
    throw new ConfigurationError("[DEFAULT] transport_url", "is missing: the URL of the message bus");
  const ofNotifications = given ?? addressAt(file, ...notificationNames("transport_url"));
  if (notificationUrl === undefined) return [rpc, ofNotifications ?? rpc];
  return [rpc, replaced("notificationUrl", notificationUrl, ofNotifications ?? inFile)];
}

/** Each thread of oslo's executor runs one handler (oslo_messaging/server.py:50-56). */
const THREADS: OptionNames = [
  ["DEFAULT", "executor_thread_pool_size"],
  ["DEFAULT", "rpc_thread_pool_size"],
];

/** @throws as addressOf, naming group and key. */
function addressAt(file: OptionFile, ...places: OptionNames): Address | undefined {
  const text = file.value(string, ...places)?.replaceAll(/[\t\n]/g, ""); // like Python's urlsplit: each host may be on its own line
  return text === undefined || text === "" ? undefined : addressOf(file.label(...places), text);
}
