import type { Priority } from "../notification.js";

/** The drivers of oslo.messaging.notify.drivers. */
export const DRIVERS = ["messaging", "messagingv2", "log", "noop", "test", "routing"] as const;

/**
 * Where notifications go: `messagingv2` over the message bus in the envelope of version 2.0, `messaging` without; `log`
 * into the transport's logger, with passwords masked; `noop` nowhere; `test` into a {@link TestDriver}; `routing` to other
 * drivers, by event type and priority.
 */
export type NotificationDriver = (typeof DRIVERS)[number];

/** A notification as it travels (oslo_messaging/notify/notifier.py:323-328). */
export interface NotificationMessage {
  /** A UUID, another one for every notification. */
  readonly message_id: string;
  /** Who tells; null when `prepare` has cleared it. */
  readonly publisher_id: string | null;
  /** What happened. */
  readonly event_type: string;
  /** `INFO`. */
  readonly priority: Uppercase<Priority>;
  /** To whom and how: any JSON value. */
  readonly payload: unknown;
  /** UTC, as Python prints it. */
  readonly timestamp: string;
}

/** A notification on its way out, as drivers get it. */
export interface OutgoingNotification {
  /** What of the context goes along. */
  readonly context: object;
  readonly message: NotificationMessage;
  readonly priority: Priority;
  readonly retry: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Sends notifications in one way: a promise for each that it sends. It does not throw: they reject. */
export type NotificationSender = (outgoing: OutgoingNotification) => readonly Promise<void>[];
