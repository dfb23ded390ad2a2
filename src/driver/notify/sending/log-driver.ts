import type { Logger } from "../../../core/logger.js";
import { fromJson, toJson } from "../../values/json.js";
import type { Priority } from "../notification.js";
import type { NotificationMessage, NotificationSender } from "./notification-message.js";
import { maskPasswords } from "./password-mask.js";

/** Loggers have no level of their own for `critical`; nothing is said about `audit` and `sample` in Python either. */
const LEVELS: ReadonlyMap<Priority, keyof Logger> = new Map<Priority, keyof Logger>([
  ["debug", "debug"],
  ["info", "info"],
  ["warn", "warn"],
  ["error", "error"],
  ["critical", "error"],
]);

/**
 * To the logger, at the level of the priority, as JSON with passwords masked (oslo_messaging/notify/_impl_log.py). For a
 * priority that is no level there is a warning instead.
 */
export function logDriver(logger: Logger): NotificationSender {
  return ({ message, priority }) => [log(logger, message, priority)];
}

async function log(logger: Logger, message: NotificationMessage, priority: Priority): Promise<void> {
  const level = LEVELS.get(priority);
  const name = `oslo.messaging.notification.${message.event_type}`;
  if (level === undefined) {
    logger.warn(`${name} is not logged: ${priority} is no level of the log`);
    return;
  }
  // As plain JSON first: what objects become in it may hold a password too.
  const plain = fromJson(toJson(message), "a notification");
  logger[level](`${name} ${toJson(Object(maskPasswords(plain)))}`);
}
