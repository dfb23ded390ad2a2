/** The priorities of oslo, in its order (oslo_messaging/notify/dispatcher.py:27). */
export const PRIORITIES = ["audit", "debug", "info", "warn", "error", "critical", "sample"] as const;

export type Priority = (typeof PRIORITIES)[number];

export interface NotificationMetadata {
  messageId: string;
  /** UTC, as Python prints it: `2026-11-23 10:53:28.419873`. */
  timestamp: string;
}

export interface Notification {
  context: object;
  publisherId: string;
  eventType: string;
  payload: unknown;
  metadata: NotificationMetadata;
}

/** What a handler says about a notification. `requeue`: back to the message bus, for another attempt, here or elsewhere. */
export const NotificationResult = Object.freeze({ HANDLED: "handled", REQUEUE: "requeue" } as const);

export type NotificationResult = "handled" | "requeue";
