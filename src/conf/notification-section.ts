import { parse } from "yaml";
import { toError } from "../core/errors.js";
import { ConfigurationError } from "../driver/exceptions.js";
import { DRIVERS, type NotificationDriver } from "../driver/notify/sending/notification-message.js";
import type { NotificationRouting } from "../driver/notify/sending/routing.js";
import { integer, list, oneOf, string } from "../driver/options/option-types.js";
import type { ReadFile } from "../driver/options/tls.js";
import { isJsonObject } from "../driver/values/json.js";
import { NOTIFICATIONS, NOTIFICATIONS_OF_GUIDE } from "./known-options.js";
import type { OptionFile, OptionNames } from "./option-file.js";

/** The options of `[oslo_messaging_notifications]`. */
export interface NotificationSection {
  /** Drivers that send notifications. Empty when the file names none: no notification is sent, as in oslo. */
  readonly drivers: readonly NotificationDriver[];
  /** Topics that notifications are sent to. */
  readonly topics: readonly string[];
  /** Number of times an undelivered notification is sent again. -1: until the timeout. */
  readonly retry: number;
  /** Content of the file that `routing_config` names. Read only when one of the drivers is `routing`. */
  readonly routing?: NotificationRouting | undefined;
}

/** @throws ConfigurationError naming group and key. */
export function notificationSection(file: OptionFile, readFile: ReadFile | undefined): NotificationSection {
  const driver = oneOf(...DRIVERS);
  const places = notificationNames("driver");
  const texts = file.texts(...places).filter((text) => text !== "");
  const drivers = texts.map((text) => driver.parse(file.label(...places), text));
  return {
    drivers,
    topics: file.value(list(string, ","), ...notificationNames("topics")) ?? ["notifications"],
    retry: file.value(integer(-1), ...notificationNames("retry")) ?? -1,
    routing: drivers.includes("routing") ? routingOf(file, readFile) : undefined,
  };
}

export function notificationNames(key: string): OptionNames {
  return [
    [NOTIFICATIONS, key],
    [NOTIFICATIONS_OF_GUIDE, key],
  ];
}

function routingOf(file: OptionFile, readFile: ReadFile | undefined): NotificationRouting | undefined {
  const places = notificationNames("routing_config");
  const path = file.value(string, ...places);
  if (path === undefined || path === "") return undefined;
  const routing = yamlFile(file.label(...places), path, readFile) ?? {};
  if (isJsonObject(routing)) return routing as NotificationRouting;
  throw new ConfigurationError(file.label(...places), `${path} must be a mapping of groups`);
}

/** Parses YAML 1.1, the version of PyYAML. */
function yamlFile(label: string, path: string, readFile: ReadFile | undefined): unknown {
  if (readFile === undefined) throw new ConfigurationError(label, `${path} cannot be read: this runtime has no files`);
  try {
    const content = readFile(path);
    const text = typeof content === "string" ? content : new TextDecoder().decode(content);
    return parse(text, { version: "1.1", logLevel: "error" });
  } catch (error) {
    const [reason] = toError(error).message.split("\n"); // the other lines quote the text
    throw new ConfigurationError(label, `${path} cannot be read: ${reason}`);
  }
}
