import type { Logger } from "../../../core/logger.js";
import type { Log } from "../../../core/recurring-warnings.js";
import { fromJson, toJson } from "../../values/json.js";
import type { Priority } from "../notification.js";
import type { NotificationMessage, NotificationSender } from "./notification-message.js";
import { maskPasswords } from "./password-mask.js";

/** Log level by priority. Loggers have no level `critical`. As in Python, there is none for `audit` and `sample`. */
const LEVELS: ReadonlyMap<Priority, keyof Logger> = new Map<Priority, keyof Logger>([
  ["debug", "debug"],
  ["info", "info"],
  ["warn", "warn"],
  ["error", "error"],
  ["critical", "error"],
]);

/**
 * Writes notifications to the logger, at the level of their priority, as JSON with passwords masked
 * (oslo_messaging/notify/_impl_log.py). A priority without a level logs a warning instead.
 */
export function logDriver(transport: Log): NotificationSender {
  return ({ message, priority }) => [log(transport, message, priority)];
}

async function log({ logger, warnings }: Log, message: NotificationMessage, priority: Priority): Promise<void> {
  const level = LEVELS.get(priority);
  const name = `oslo.messaging.notification.${message.event_type}`;
  if (level === undefined) {
    const noLevel = `the logger has no level for priority "${priority}"`;
    warnings.warn(noLevel, `${name} is not logged: ${noLevel}`);
    return;
  }
  // Converted to plain JSON first: a toJSON method may return a password.
  const plain = fromJson(toJson(message), "a notification");
  logger[level](`${name} ${toJson(Object(maskPasswords(plain)))}`);
}
