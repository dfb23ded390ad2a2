import type { Driver } from "../../driver.js";
import { Target } from "../../target.js";
import type { Priority } from "../notification.js";
import type { NotificationSender } from "./notification-message.js";

/**
 * Sends notifications over the message bus to every topic, with or without the envelope of version 2.0
 * (oslo_messaging/notify/messaging.py).
 */
export function messagingDriver(driver: Driver, topics: readonly string[], envelope: boolean): NotificationSender {
  const targets = new Map<Priority, readonly Target[]>();
  return ({ context, message: body, priority, retry, timeoutMs, signal }) => {
    let ofPriority = targets.get(priority);
    if (ofPriority === undefined) {
      ofPriority = topics.map((topic) => new Target({ topic: `${topic}.${priority}` }));
      targets.set(priority, ofPriority);
    }
    return ofPriority.map((target) => driver.notify({ target, context, body, envelope, retry, timeoutMs, signal }));
  };
}
