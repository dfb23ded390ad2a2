/** The priorities of oslo, in its order (oslo_messaging/notify/dispatcher.py:27). */
export const PRIORITIES = ["audit", "debug", "info", "warn", "error", "critical", "sample"] as const;

export type Priority = (typeof PRIORITIES)[number];

export interface NotificationMetadata {
  messageId: string;
  /** UTC, as Python prints it: `2026-11-23 10:53:28.419873`. */
  timestamp: string;
}

/** `C`, `P`: what an endpoint knows of its contexts and payloads. Nothing is checked. */
export interface Notification<C extends object = object, P = unknown> {
  context: C;
  publisherId: string;
  eventType: string;
  payload: P;
  metadata: NotificationMetadata;
}

/** What a handler says about a notification. `requeue`: back to the message bus, for another attempt, here or elsewhere. */
export const NotificationResult = Object.freeze({ HANDLED: "handled", REQUEUE: "requeue" } as const);

export type NotificationResult = "handled" | "requeue";
