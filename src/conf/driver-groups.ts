import type { TLSOptions } from "../core/byte-stream.js";
import type { Rows } from "../driver/options/option-rows.js";
import { ROWS } from "../driver/options/option-table.js";
import { parseOptions } from "../driver/options/options.js";
import { type SslTexts, type TlsSources, tlsOf } from "../driver/options/tls.js";
import type { TransportURL } from "../driver/options/transport-url.js";
import { FORMER_NAMES, RABBIT_ROWS } from "../driver/rabbit/option-table.js";
import { parseRabbitOptions } from "../driver/rabbit/options.js";
import { RABBIT_SCHEMES } from "../driver/rabbit/schemes.js";
import { rabbitTls } from "../driver/rabbit/tls.js";
import type { OptionNames } from "./option-file.js";

/** The options of a driver in a file. */
export interface DriverGroup {
  /** Name of the driver: the member of the transport's options, and the URL scheme for messages. */
  readonly driver: "amqp" | "rabbit";
  readonly name: string;
  /** Former name of the group. */
  readonly formerly?: string;
  readonly rows: Rows;
  /** Parses options of a URL's query, by oslo's names. */
  readonly parse: (texts: Readonly<Record<string, string>>) => SslTexts;
  /** Former names of options, each with the present one. */
  readonly formerNames: ReadonlyMap<string, string>;
  /** Options that are also read from `[DEFAULT]`. */
  readonly inDefault: readonly string[];
  /** The TLS options of a transport, by this driver's rules. */
  readonly tlsOf: (sources: TlsSources) => TLSOptions | undefined;
  /** The group of the driver that takes the place of this one when the peer is RabbitMQ. */
  readonly successor?: DriverGroup;
}

const RABBIT: DriverGroup = {
  driver: "rabbit",
  name: "oslo_messaging_rabbit",
  rows: RABBIT_ROWS,
  parse: parseRabbitOptions,
  formerNames: FORMER_NAMES,
  // Read by oslo.messaging before 16.0.
  inDefault: [
    "amqp_auto_delete",
    "kombu_reconnect_delay",
    "rabbit_login_method",
    "rabbit_retry_backoff",
    "rabbit_ha_queues",
    "rpc_conn_pool_size",
  ],
  tlsOf: rabbitTls,
};

const AMQP: DriverGroup = {
  driver: "amqp",
  name: "oslo_messaging_amqp",
  formerly: "amqp1",
  rows: ROWS,
  parse: parseOptions,
  formerNames: new Map(),
  inDefault: [],
  tlsOf,
  successor: RABBIT,
};

export const DRIVER_GROUPS: readonly DriverGroup[] = [AMQP, RABBIT];

/** The group that applies to a URL. As for transports, a scheme of no driver is one of AMQP 1.0. */
export function driverGroupFor({ scheme }: TransportURL): DriverGroup {
  return RABBIT_SCHEMES.has(scheme) ? RABBIT : AMQP;
}

/** Whether an option of a driver, by its present or former name, is one of TLS. */
export function isTlsOption({ formerNames }: DriverGroup, name: string): boolean {
  return (formerNames.get(name) ?? name).startsWith("ssl");
}

/** Where a driver's option may be set besides its present place, in order of precedence. */
export function formerPlaces(
  { name: group, formerly, formerNames, inDefault }: DriverGroup,
  name: string,
): OptionNames {
  const former = [...formerNames].filter(([, present]) => present === name).map(([was]) => [group, was] as const);
  return [
    ...former,
    ...(formerly === undefined ? [] : [[formerly, name] as const]),
    ...(inDefault.includes(name) ? [["DEFAULT", name] as const] : []),
  ];
}
