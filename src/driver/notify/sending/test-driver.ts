import type { NotificationMessage, NotificationSender } from "./notification-message.js";

/** A notification that the driver `test` recorded. */
export interface RecordedNotification {
  /** The part of the context that would have been sent. */
  readonly context: object;
  /** The notification itself. */
  readonly message: NotificationMessage;
  /** Priority in upper case: `INFO`. */
  readonly priority: NotificationMessage["priority"];
  /** `retry` of the notifier. */
  readonly retry: number | undefined;
}

/**
 * Records the notifications of a notifier's driver `test` (oslo_messaging/notify/_impl_test.py).
 *
 * @example
 * ```ts
 * const testDriver = new TestDriver();
 * const notifier = new Notifier(transport, { publisherId: "compute.host1", drivers: ["test"], testDriver });
 * await notifier.info({}, "compute.instance.create", { id: 1 });
 * testDriver.notifications[0]?.message.event_type; // "compute.instance.create"
 * ```
 */
export class TestDriver {
  #notifications: RecordedNotification[] = [];

  /** The recorded notifications, in the order in which they were sent. */
  get notifications(): readonly RecordedNotification[] {
    return this.#notifications;
  }

  /** Clears the recorded notifications. An array that was read before keeps its content. */
  reset(): void {
    this.#notifications = [];
  }

  /** @internal */
  readonly send: NotificationSender = ({ context, message, retry }) => {
    this.#notifications.push({ context, message, priority: message.priority, retry });
    return [];
  };
}
