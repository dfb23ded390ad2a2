import type { Log } from "../../../core/recurring-warnings.js";
import type { IncomingMessage } from "../../driver.js";
import { isJsonObject } from "../../values/json.js";
import type { Context, Serializer } from "../../values/serializer.js";
import { stackText } from "../../values/stack-text.js";
import { type Notification, NotificationResult, PRIORITIES, type Priority } from "../notification.js";

/** A notification and its priority, which is the name of the endpoint method that handles it. */
export interface ReadNotification {
  readonly priority: Priority;
  readonly notification: Notification;
}

/** Reads the notification of a message (oslo_messaging/notify/dispatcher.py:87-104), or returns the result of a malformed one. */
export type ReadMessage = (message: IncomingMessage) => ReadNotification | NotificationResult;

/**
 * Returns the function that reads notifications. A malformed notification is logged and counts as handled, because delivering
 * it again would not help. A notification that the serializer fails on is logged and requeued.
 */
export function notificationReader<C extends Context>(
  serializer: Serializer<C>,
  { logger, warnings }: Log,
): ReadMessage {
  return ({ body, context, messageId }) => {
    if (!isJsonObject(body)) {
      warnings.warn("no object", "discarded a notification that is not an object", { messageId });
      return NotificationResult.HANDLED;
    }
    const { publisher_id, event_type, message_id, timestamp, priority: level, payload } = body;
    const priority = PRIORITIES.find((name) => name === text(level).toLowerCase());
    if (priority === undefined) {
      const messageId = text(message_id).slice(0, 100);
      warnings.warn("unknown priority", "discarded a notification with an unknown priority", { messageId });
      return NotificationResult.HANDLED;
    }
    const eventType = text(event_type);
    try {
      const deserialized = serializer.deserializeContext(context);
      const notification = {
        context: deserialized,
        publisherId: text(publisher_id),
        eventType,
        payload: serializer.deserializeEntity(deserialized, payload),
        metadata: { messageId: text(message_id), timestamp: text(timestamp) },
      };
      return { priority, notification };
    } catch (error) {
      logger.error(`cannot deserialize a notification: ${stackText(error)}`, { priority, eventType });
      return NotificationResult.REQUEUE;
    }
  };
}

/** A text member of untrusted input. Python's notifiers send null for omitted values. */
function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
