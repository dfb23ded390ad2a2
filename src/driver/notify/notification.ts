/** The priorities of oslo, in oslo's order (oslo_messaging/notify/dispatcher.py:27). */
export const PRIORITIES = ["audit", "debug", "info", "warn", "error", "critical", "sample"] as const;

/** Priority of a notification; `sample` is for measurements. */
export type Priority = (typeof PRIORITIES)[number];

/** Metadata that the notifier adds to a notification. */
export interface NotificationMetadata {
  /** UUID of the notification. */
  messageId: string;
  /** Time in UTC, as Python prints it: `2026-11-23 10:53:28.419873`. */
  timestamp: string;
}

/**
 * A notification as endpoints receive it. `C` and `P` are the types of context and payload that an endpoint expects; neither is
 * checked.
 */
export interface Notification<C extends object = object, P = unknown> {
  /** The context that was sent. Usually `{}`, because contexts may hold secrets. */
  context: C;
  /** ID of the publisher, usually `service.host`. */
  publisherId: string;
  /** Type of the event: `compute.instance.create.end`. */
  eventType: string;
  /** Details of the event: any JSON value. */
  payload: P;
  /** ID and time of the notification. */
  metadata: NotificationMetadata;
}

/** Result of a handler. `requeue` returns the notification to the message bus, to be delivered again here or elsewhere. */
export const NotificationResult = Object.freeze({
  /** Handled or ignored. The same as returning nothing. */
  HANDLED: "handled",
  /** Deliver again later. The remaining endpoints do not receive it. */
  REQUEUE: "requeue",
} as const);

export type NotificationResult = "handled" | "requeue";
