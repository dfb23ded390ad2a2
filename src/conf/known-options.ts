import { ROWS } from "../driver/options/option-table.js";
import { RABBIT_OPTIONS } from "../driver/options/options.js";
import { label, type OptionFile } from "./option-file.js";

export const AMQP = "oslo_messaging_amqp";
export const AMQP_FORMERLY = "amqp1";
export const NOTIFICATIONS = "oslo_messaging_notifications";
/** Name of the group in the deployment guide. */
export const NOTIFICATIONS_OF_GUIDE = "NOTIFICATIONS";

/** The other name of each group, its former one or the one in the deployment guide. The current name takes precedence. */
export const FORMER: ReadonlyMap<string, string> = new Map([
  [AMQP, AMQP_FORMERLY],
  [NOTIFICATIONS, NOTIFICATIONS_OF_GUIDE],
]);

const AMQP_OPTIONS: OptionDefaults = new Map(ROWS.map(([, { name, default: text = "" }]) => [name, text]));

const NOTIFICATION_OPTIONS: OptionDefaults = new Map([
  ["driver", ""],
  ["topics", "notifications"],
  ["retry", "-1"],
  ["transport_url", ""],
  ["routing_config", ""],
]);

const DEFAULT_OPTIONS: OptionDefaults = new Map([
  ["transport_url", ""],
  ["control_exchange", "openstack"],
  ["rpc_response_timeout", "60"],
  ["rpc_ping_enabled", "False"],
  ["executor_thread_pool_size", "64"],
]);

/** Supported options by group, each with its default as oslo writes it. */
const GROUPS: ReadonlyMap<string, OptionDefaults> = new Map([
  ["DEFAULT", DEFAULT_OPTIONS],
  [AMQP, AMQP_OPTIONS],
  [AMQP_FORMERLY, AMQP_OPTIONS],
  [NOTIFICATIONS, NOTIFICATION_OPTIONS],
  [NOTIFICATIONS_OF_GUIDE, NOTIFICATION_OPTIONS],
]);

type OptionDefaults = ReadonlyMap<string, string>;

/** The default of an option, as oslo writes it. Undefined: unknown option. */
export function defaultText(group: string, key: string): string | undefined {
  return GROUPS.get(group)?.get(key);
}

/** Warnings about ignored options. [DEFAULT] is not checked: other libraries and the service have their options there. */
export function warningsAbout(file: OptionFile): readonly string[] {
  return [...GROUPS].flatMap(([group, options]) => {
    if (group === "DEFAULT") return [];
    const unknown = file.keys(group).filter((key) => !options.has(key));
    return unknown.map((key) => `${label(group, key)} is ignored: ${RABBIT_OPTIONS.includes(key) ? RABBIT : UNKNOWN}`);
  });
}

const RABBIT = "only supported by rabbit://";
const UNKNOWN = "unknown option";
