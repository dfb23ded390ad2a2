/** The priorities of oslo, in its order (oslo_messaging/notify/dispatcher.py:27). */
export const PRIORITIES = ["audit", "debug", "info", "warn", "error", "critical", "sample"] as const;

/** How much a notification matters; `sample` is for measurements. */
export type Priority = (typeof PRIORITIES)[number];

/** What the notifier says about the message itself. */
export interface NotificationMetadata {
  /** A UUID, another one for every notification. */
  messageId: string;
  /** UTC, as Python prints it: `2026-11-23 10:53:28.419873`. */
  timestamp: string;
}

/** Something that happened, as a listener gets it. `C`, `P`: what an endpoint knows of its contexts and payloads. Nothing is checked. */
export interface Notification<C extends object = object, P = unknown> {
  /** What went along; mostly `{}`, for it may hold secrets. */
  context: C;
  /** Who told: mostly `service.host`. */
  publisherId: string;
  /** What happened: `compute.instance.create.end`. */
  eventType: string;
  /** To whom and how: any JSON value. */
  payload: P;
  /** About the message itself. */
  metadata: NotificationMetadata;
}

/** What a handler says about a notification. `requeue`: back to the message bus, for another attempt, here or elsewhere. */
export const NotificationResult = Object.freeze({
  /** Done, or nothing to be done. The same as to say nothing. */
  HANDLED: "handled",
  /** Not now. No further endpoint gets it. */
  REQUEUE: "requeue",
} as const);

export type NotificationResult = "handled" | "requeue";
