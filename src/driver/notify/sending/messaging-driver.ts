import type { Driver } from "../../driver.js";
import { Target } from "../../target.js";
import type { Priority } from "../notification.js";
import type { NotificationSender } from "./notification-message.js";

/** Over the message bus, to every topic: with the envelope of version 2.0 or without (oslo_messaging/notify/messaging.py). */
export function messagingDriver(driver: Driver, topics: readonly string[], envelope: boolean): NotificationSender {
  const targets = new Map<Priority, readonly Target[]>();
  return ({ context, message: body, priority, retry, timeoutMs, signal }) => {
    let known = targets.get(priority);
    if (known === undefined) {
      known = topics.map((topic) => new Target({ topic: `${topic}.${priority}` }));
      targets.set(priority, known);
    }
    return known.map((target) => driver.notify({ target, context, body, envelope, retry, timeoutMs, signal }));
  };
}
