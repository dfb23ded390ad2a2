import type { IncomingMessage } from "../../driver.js";
import { checked, type OptionChecks, serializer } from "../../options/option-checks.js";
import { boolean, integer } from "../../options/option-types.js";
import { MessageHandlingServer } from "../../serving/message-handling-server.js";
import type { TargetLike } from "../../target.js";
import type { NotificationTransport } from "../../transport.js";
import { type Context, noOpSerializer, type Serializer } from "../../values/serializer.js";
import { NotificationResult } from "../notification.js";
import { NotificationDispatcher, type NotificationEndpoint } from "./dispatcher.js";
import { prioritiesOf } from "./endpoints.js";
import { listenerTargets } from "./listener-targets.js";
import { notificationReader } from "./notification-reader.js";

/** How a notification listener works. */
export interface ListenerOptions<C extends Context = Context> {
  /**
   * Give back to the message bus what an endpoint answers with `requeue`, or fails on. Default false: it is acknowledged,
   * and gone. What always fails comes again and again.
   */
  allowRequeue?: boolean | undefined;
  /** Reads contexts and payloads. Absent: they are as they came. */
  serializer?: Serializer<C> | undefined;
  /** How many notifications, or batches of them, are handled at once. Default 64. The others wait, unacknowledged. */
  concurrency?: number | undefined;
}

/** Made by {@link getNotificationListener} and {@link getBatchNotificationListener}. */
export class NotificationListener extends MessageHandlingServer {}

/**
 * Listens for notifications to the topics of `targets`, of every priority for which an endpoint has a method: `audit`,
 * `debug`, `info`, `warn`, `error`, `critical`, `sample`. Every endpoint gets a notification, in order, until one answers
 * `requeue`. It is acknowledged when all are through: at least once (oslo_messaging/notify/listener.py).
 * The exchange of a target is not used: notifiers never name one.
 *
 * @example
 * ```ts
 * await using listener = getNotificationListener(transport, [{ topic: "notifications" }], [
 *   { info: (_context, publisherId, eventType) => console.log(publisherId, eventType) },
 * ]);
 * await listener.start();
 * ```
 * @throws InvalidTarget without a topic; TypeError for an endpoint that is none; ConfigurationError for an option that
 *   does not exist or is out of range, by name, and when there is nothing to listen for.
 */
export function getNotificationListener<C extends Context = Context>(
  transport: NotificationTransport,
  targets: readonly TargetLike[],
  endpoints: readonly NotificationEndpoint[],
  options: ListenerOptions<C> = {},
): NotificationListener {
  const { driver, logger } = transport;
  const { allowRequeue = false, concurrency, ...rest } = checked<ListenerOptions<C>>(options, LISTENER_OPTIONS);
  const sources = listenerTargets(targets, prioritiesOf(endpoints));
  const read = notificationReader(rest.serializer ?? noOpSerializer, logger);
  const dispatcher = new NotificationDispatcher(endpoints, read, logger);
  return new NotificationListener({
    name: "messages",
    listen: (on, signal) => driver.listenForNotifications(sources, on, { signal }),
    async handle(message: IncomingMessage) {
      if (message.linkLost) return; // it had to wait for its slot, and comes again
      const result = await dispatcher.dispatch(message);
      if (allowRequeue && result === NotificationResult.REQUEUE) message.requeue();
      else message.acknowledge();
    },
    concurrency,
    logger,
  });
}

/** What listeners of both kinds take. */
export const LISTENER_OPTIONS: OptionChecks<ListenerOptions> = {
  allowRequeue: boolean.check,
  serializer,
  concurrency: integer(1).check,
};
