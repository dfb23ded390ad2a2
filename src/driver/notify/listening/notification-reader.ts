import type { Logger } from "../../../core/logger.js";
import type { IncomingMessage } from "../../driver.js";
import { isJsonObject } from "../../values/json.js";
import type { Context, Serializer } from "../../values/serializer.js";
import { stackText } from "../../values/stack-text.js";
import { type Notification, NotificationResult, PRIORITIES, type Priority } from "../notification.js";

/** A notification, and the method of endpoints that it is for. */
export interface ReadNotification {
  readonly priority: Priority;
  readonly notification: Notification;
}

/** Makes of a message what endpoints get (oslo_messaging/notify/dispatcher.py:87-104), or says what becomes of it. */
export type ReadMessage = (message: IncomingMessage) => ReadNotification | NotificationResult;

/**
 * What is no notification is logged, and counts as handled: it would only come again. What the serializer fails on is
 * logged, and to be requeued.
 */
export function notificationReader<C extends Context>(serializer: Serializer<C>, logger: Logger): ReadMessage {
  return ({ body, context, messageId }) => {
    if (!isJsonObject(body)) {
      logger.warn("dropped a notification that is not an object", { messageId });
      return NotificationResult.HANDLED;
    }
    const { publisher_id, event_type, message_id, timestamp, priority: level, payload } = body;
    const priority = PRIORITIES.find((known) => known === text(level).toLowerCase());
    if (priority === undefined) {
      logger.warn("dropped a notification of no known priority", { messageId: text(message_id).slice(0, 100) });
      return NotificationResult.HANDLED;
    }
    const eventType = text(event_type);
    try {
      const known = serializer.deserializeContext(context);
      const notification = {
        context: known,
        publisherId: text(publisher_id),
        eventType,
        payload: serializer.deserializeEntity(known, payload),
        metadata: { messageId: text(message_id), timestamp: text(timestamp) },
      };
      return { priority, notification };
    } catch (error) {
      logger.error(`a notification could not be deserialized: ${stackText(error)}`, { priority, eventType });
      return NotificationResult.REQUEUE;
    }
  };
}

/** A member of a stranger's message. Python's notifiers send null for what they were not given. */
function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
