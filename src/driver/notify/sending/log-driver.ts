import type { Logger } from "../../../core/logger.js";
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
export function logDriver(logger: Logger): NotificationSender {
  return ({ message, priority }) => [log(logger, message, priority)];
}

async function log(logger: Logger, message: NotificationMessage, priority: Priority): Promise<void> {
  const level = LEVELS.get(priority);
  const name = `oslo.messaging.notification.${message.event_type}`;
  if (level === undefined) {
    logger.warn(`${name} is not logged: the logger has no level for priority "${priority}"`);
    return;
  }
  // Converted to plain JSON first: a toJSON method may return a password.
  const plain = fromJson(toJson(message), "a notification");
  logger[level](`${name} ${toJson(Object(maskPasswords(plain)))}`);
}
