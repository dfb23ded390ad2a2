import type { Logger } from "../../../core/logger.js";
import type { IncomingMessage } from "../../driver.js";
import { stackText } from "../../values/stack-text.js";
import { type Notification, NotificationResult, PRIORITIES, type Priority } from "../notification.js";
import type { Endpoint, Handled } from "./endpoints.js";
import type { ReadMessage } from "./notification-reader.js";

/** Declared as a method so that its parameters are bivariant: endpoints may use narrower types. */
interface BatchHandling {
  handle(notifications: readonly Notification[]): Handled<void>;
}

/** Handles the notifications of one priority in a batch. An error is logged and counts as `requeue`. */
export type BatchNotificationHandler = BatchHandling["handle"];

/** An object with a method for each priority that it handles, and an optional filter. */
export type BatchNotificationEndpoint = Endpoint<BatchNotificationHandler>;

interface Member {
  readonly message: IncomingMessage;
  readonly notification: Notification;
}

/** Order in which the priorities of a batch are handled: by name (oslo_messaging/notify/dispatcher.py:122-124). */
const BY_NAME: readonly Priority[] = [...PRIORITIES].sort();

/** Passes batches of notifications, grouped by priority, to the endpoints (oslo_messaging/notify/dispatcher.py:107-156). */
export class BatchNotificationDispatcher {
  readonly #endpoints: readonly BatchNotificationEndpoint[];
  readonly #read: ReadMessage;
  readonly #logger: Logger;
  readonly #onRequeue: () => void;

  /** `onRequeue` is called when an endpoint returns `requeue`. */
  constructor(
    endpoints: readonly BatchNotificationEndpoint[],
    read: ReadMessage,
    logger: Logger,
    onRequeue: () => void,
  ) {
    this.#endpoints = endpoints;
    this.#read = read;
    this.#logger = logger;
    this.#onRequeue = onRequeue;
  }

  /**
   * Resolves with the result of each message that was handled. Messages whose link is lost before their priority is handled
   * have none: they are delivered again. Never rejects: errors are logged.
   */
  async dispatch(batch: readonly IncomingMessage[]): Promise<ReadonlyMap<IncomingMessage, NotificationResult>> {
    const results = new Map<IncomingMessage, NotificationResult>();
    const groups = new Map<Priority, Member[]>(BY_NAME.map((priority) => [priority, []]));
    for (const message of batch) {
      if (message.linkLost) continue;
      const read = this.#read(message);
      if (typeof read === "string") results.set(message, read);
      else groups.get(read.priority)?.push({ message, notification: read.notification });
    }
    for (const [priority, members] of groups) {
      // The connection may have been lost while earlier groups were handled.
      const present = members.filter(({ message }) => !message.linkLost);
      const notifications = present.map(({ notification }) => notification);
      const result = await this.#handle(priority, notifications);
      for (const { message } of present) results.set(message, result);
    }
    return results;
  }

  async #handle(priority: Priority, notifications: readonly Notification[]): Promise<NotificationResult> {
    try {
      for (const endpoint of this.#endpoints) {
        if (endpoint[priority] === undefined) continue;
        const passing = notifications.filter((notification) => endpoint.filterRule?.matches(notification) !== false);
        if (passing.length === 0) continue;
        const result = await endpoint[priority](passing);
        if (result === NotificationResult.REQUEUE) {
          this.#onRequeue();
          return result;
        }
      }
      return NotificationResult.HANDLED;
    } catch (error) {
      const count = notifications.length;
      this.#logger.error(`a notification endpoint failed on a batch: ${stackText(error)}`, { priority, count });
      return NotificationResult.REQUEUE;
    }
  }
}
