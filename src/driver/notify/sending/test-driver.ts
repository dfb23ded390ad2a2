import type { NotificationMessage, NotificationSender } from "./notification-message.js";

/** What the driver `test` was given. */
export interface RecordedNotification {
  /** What of the context would have gone along. */
  readonly context: object;
  /** The notification itself. */
  readonly message: NotificationMessage;
  /** `INFO`. */
  readonly priority: NotificationMessage["priority"];
  /** The notifier's. */
  readonly retry: number | undefined;
}

/**
 * Where a notifier's driver `test` puts its notifications (oslo_messaging/notify/_impl_test.py).
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

  /** In the order in which they were sent. */
  get notifications(): readonly RecordedNotification[] {
    return this.#notifications;
  }

  /** There is a new, empty array from here on. */
  reset(): void {
    this.#notifications = [];
  }

  /** @internal */
  readonly send: NotificationSender = ({ context, message, retry }) => {
    this.#notifications.push({ context, message, priority: message.priority, retry });
    return [];
  };
}
