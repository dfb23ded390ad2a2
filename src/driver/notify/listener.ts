import { ConfigurationError, InvalidTarget } from "../exceptions.js";
import { MessageHandlingServer } from "../message-handling-server.js";
import { checked, type OptionChecks, serializer } from "../option-checks.js";
import { boolean, integer } from "../option-types.js";
import { type Context, noOpSerializer, type Serializer } from "../serializer.js";
import { Target, type TargetLike, toTarget } from "../target.js";
import type { NotificationTransport } from "../transport.js";
import { NotificationDispatcher, type NotificationEndpoint } from "./dispatcher.js";
import { NotificationResult, type Priority } from "./notification.js";

/** How a notification listener works. */
export interface ListenerOptions<C extends Context = Context> {
  /**
   * Give back to the message bus what an endpoint answers with `requeue`, or fails on. Default false: it is acknowledged,
   * and gone. What always fails comes again and again.
   */
  allowRequeue?: boolean | undefined;
  /** Reads contexts and payloads. Absent: they are as they came. */
  serializer?: Serializer<C> | undefined;
  /** How many notifications are handled at once. Default 64. The others wait, unacknowledged. */
  concurrency?: number | undefined;
}

/** Made by {@link getNotificationListener}. */
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
  const { allowRequeue = false, concurrency, ...rest } = checked<ListenerOptions<C>>(options, OPTIONS);
  const dispatcher = new NotificationDispatcher(endpoints, rest.serializer ?? noOpSerializer, logger);
  if (targets.length === 0) throw new ConfigurationError("targets", "there must be one at least");
  if (dispatcher.priorities.length === 0) throw new ConfigurationError("endpoints", "none handles any priority");
  const sources = targets.flatMap((target) => sourcesOf(toTarget(target), dispatcher.priorities));
  return new NotificationListener({
    listen: (on, signal) => driver.listenForNotifications(sources, on, { signal }),
    async handle(message) {
      const result = await dispatcher.dispatch(message);
      if (allowRequeue && result === NotificationResult.REQUEUE) message.requeue();
      else message.acknowledge();
    },
    concurrency,
    logger,
  });
}

const OPTIONS: OptionChecks<ListenerOptions> = {
  allowRequeue: boolean.check,
  serializer,
  concurrency: integer(1).check,
};

function sourcesOf(target: Target, priorities: readonly Priority[]): readonly Target[] {
  const { topic } = target;
  if (!topic) throw new InvalidTarget("A target must have topic specified", target);
  return priorities.map((priority) => new Target({ topic: `${topic}.${priority}` }));
}
