import { DRIVER_GROUPS, type DriverGroup, formerPlaces } from "./driver-groups.js";
import { label, type OptionFile, type OptionNames } from "./option-file.js";

export const NOTIFICATIONS = "oslo_messaging_notifications";
/** Name of the group in the deployment guide. */
export const NOTIFICATIONS_OF_GUIDE = "NOTIFICATIONS";

type OptionDefaults = ReadonlyMap<string, string>;

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
  ...DRIVER_GROUPS.flatMap((group) => namesOf(group).map((name) => [name, defaultsOf(group)] as const)),
  [NOTIFICATIONS, NOTIFICATION_OPTIONS],
  [NOTIFICATIONS_OF_GUIDE, NOTIFICATION_OPTIONS],
]);

/** The default of an option, as oslo writes it. Undefined: unknown option. */
export function defaultText(group: string, key: string): string | undefined {
  return GROUPS.get(group)?.get(key);
}

/** Where else an option may be set, in order of precedence: in the other name of its group, or by a former name. */
export function otherPlaces(group: string, key: string): OptionNames {
  if (group === NOTIFICATIONS) return [[NOTIFICATIONS_OF_GUIDE, key]];
  const driver = DRIVER_GROUPS.find(({ name }) => name === group);
  return driver === undefined ? [] : formerPlaces(driver, key);
}

/**
 * Warnings about unknown options in the groups of notifications and of these drivers. [DEFAULT] is not checked: other libraries
 * and the service have their options there.
 */
export function unknownOptions(file: OptionFile, drivers: readonly DriverGroup[]): readonly string[] {
  return [...drivers.flatMap(namesOf), NOTIFICATIONS, NOTIFICATIONS_OF_GUIDE].flatMap((group) => {
    const formerNames = DRIVER_GROUPS.find((driver) => namesOf(driver).includes(group))?.formerNames;
    const isKnown = (key: string): boolean => defaultText(group, key) !== undefined || formerNames?.has(key) === true;
    const unknown = file.keys(group).filter((key) => !isKnown(key));
    return unknown.map((key) => `${label(group, key)} is ignored: ${reasonFor(group, key)}`);
  });
}

function reasonFor(group: string, key: string): string {
  const isDrivers = DRIVER_GROUPS.some((driver) => namesOf(driver).includes(group));
  const other = DRIVER_GROUPS.find((driver) => defaultText(driver.name, key) !== undefined);
  return isDrivers && other !== undefined ? `only supported by ${other.driver}://` : "unknown option";
}

function namesOf({ name, formerly }: DriverGroup): readonly string[] {
  return formerly === undefined ? [name] : [name, formerly];
}

function defaultsOf({ rows }: DriverGroup): OptionDefaults {
  return new Map(rows.map(([, { name, default: text = "" }]) => [name, text]));
}
