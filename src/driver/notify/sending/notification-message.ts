import type { Priority } from "../notification.js";

/** The drivers of oslo.messaging.notify.drivers. */
export const DRIVERS = ["messaging", "messagingv2", "log", "noop", "test", "routing"] as const;

/**
 * Destination of notifications. `messagingv2`: the message bus, in the envelope of version 2.0; `messaging`: the same without
 * envelope; `log`: the transport's logger, with passwords masked; `noop`: discarded; `test`: a {@link TestDriver}; `routing`:
 * other drivers, selected by event type and priority.
 */
export type NotificationDriver = (typeof DRIVERS)[number];

/** A notification on the wire (oslo_messaging/notify/notifier.py:323-328). */
export interface NotificationMessage {
  /** UUID of the notification. */
  readonly message_id: string;
  /** ID of the publisher; null when `prepare` has cleared it. */
  readonly publisher_id: string | null;
  /** Type of the event. */
  readonly event_type: string;
  /** Priority in upper case: `INFO`. */
  readonly priority: Uppercase<Priority>;
  /** Details of the event: any JSON value. */
  readonly payload: unknown;
  /** Time in UTC, as Python prints it. */
  readonly timestamp: string;
}

/** An outgoing notification, as drivers receive it. */
export interface OutgoingNotification {
  /** The part of the context that is sent. */
  readonly context: object;
  readonly message: NotificationMessage;
  readonly priority: Priority;
  readonly retry: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Sends a notification by one driver. Returns a promise for each message that it sends. It does not throw: the promises reject. */
export type NotificationSender = (outgoing: OutgoingNotification) => readonly Promise<void>[];
