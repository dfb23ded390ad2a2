import type { IncomingMessage } from "../../driver.js";
import { checked, checkTransport, type OptionChecks, serializer } from "../../options/option-checks.js";
import { boolean, integer, string } from "../../options/option-types.js";
import { checkPool } from "../../options/pool.js";
import { MessageHandlingServer } from "../../serving/message-handling-server.js";
import type { TargetLike } from "../../target.js";
import type { NotificationTransport } from "../../transport.js";
import { type Context, noOpSerializer, type Serializer } from "../../values/serializer.js";
import { NotificationResult } from "../notification.js";
import { NotificationDispatcher, type NotificationEndpoint } from "./dispatcher.js";
import { prioritiesOf } from "./endpoints.js";
import { listenerTargets } from "./listener-targets.js";
import { notificationReader } from "./notification-reader.js";
import { requeueNotice } from "./requeue-notice.js";

/** Options of a notification listener. */
export interface ListenerOptions<C extends Context = Context> {
  /**
   * Requeue a notification when an endpoint returns `requeue` or fails. A notification that always fails is delivered again
   * and again. Default false: it is acknowledged, and thereby discarded, with a warning when an endpoint first returns
   * `requeue`.
   */
  allowRequeue?: boolean | undefined;
  /** Deserializes contexts and payloads. When omitted, they are passed on unchanged. */
  serializer?: Serializer<C> | undefined;
  /** Number of notifications, or batches, that are handled concurrently. Default 64. The others wait, unacknowledged. */
  concurrency?: number | undefined;
  /**
   * Name of a pool, for RabbitMQ only. Each pool receives every notification, and its listeners share them: they consume
   * one queue of this name (oslo_messaging/notify/listener.py). Default: the listeners of a topic share its notifications.
   */
  pool?: string | undefined;
}

/** A listener, made by {@link getNotificationListener} or {@link getBatchNotificationListener}. */
export class NotificationListener extends MessageHandlingServer {}

/**
 * Listens for notifications to the topics of `targets`, of every priority for which an endpoint has a method: `audit`,
 * `debug`, `info`, `warn`, `error`, `critical`, `sample`. The endpoints receive a notification in order, until one returns
 * `requeue`. It is acknowledged after the last one: delivery is at least once (oslo_messaging/notify/listener.py). Over
 * `amqp://` the exchange of a target is ignored, because notifiers never set one. At RabbitMQ it is the exchange of the
 * notifiers, their `control_exchange`.
 *
 * @example
 * ```ts
 * await using listener = getNotificationListener(transport, [{ topic: "notifications" }], [
 *   { info: (_context, publisherId, eventType) => console.log(publisherId, eventType) },
 * ]);
 * await listener.start();
 * ```
 * @throws InvalidTarget for a target without a topic, or with an unknown member.
 * @throws TypeError for a transport that is not made by getNotificationTransport, targets or endpoints that are not in an array,
 *   and an endpoint that has no method for a priority, or one for a name that is similar to a priority, such as `warning`.
 *   Other methods are the endpoint's own.
 * @throws ConfigurationError for an unknown or invalid option, by name, and when there are no targets or no endpoints.
 */
export function getNotificationListener<C extends Context = Context>(
  transport: NotificationTransport,
  targets: readonly TargetLike[],
  endpoints: readonly NotificationEndpoint[],
  options: ListenerOptions<C> = {},
): NotificationListener {
  checkTransport(transport, "notify");
  const { driver, logger } = transport;
  const { allowRequeue = false, concurrency, pool, ...rest } = checked<ListenerOptions<C>>(options, LISTENER_OPTIONS);
  checkPool(pool, driver);
  const topicTargets = listenerTargets(targets, prioritiesOf(endpoints));
  const read = notificationReader(rest.serializer ?? noOpSerializer, transport);
  const dispatcher = new NotificationDispatcher(endpoints, read, logger, requeueNotice(allowRequeue, logger));
  return new NotificationListener({
    name: "messages",
    listen: (onMessage, listenOptions) =>
      driver.listenForNotifications(topicTargets, onMessage, { ...listenOptions, pool }),
    async handle(message: IncomingMessage) {
      if (message.linkLost) return; // its link was lost while it waited: it is delivered again
      const result = await dispatcher.dispatch(message);
      if (allowRequeue && result === NotificationResult.REQUEUE) message.requeue();
      else message.acknowledge();
    },
    concurrency,
    logger,
  });
}

/** Checks of the options that both kinds of listeners have. */
export const LISTENER_OPTIONS: OptionChecks<ListenerOptions> = {
  allowRequeue: boolean.check,
  serializer,
  concurrency: integer(1).check,
  pool: string.check,
};
