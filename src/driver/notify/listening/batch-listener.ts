import type { Driver, DriverListener, IncomingMessage } from "../../driver.js";
import { ConfigurationError } from "../../exceptions.js";
import { checked, type OptionChecks, positiveMs } from "../../options/option-checks.js";
import { integer } from "../../options/option-types.js";
import type { Target, TargetLike } from "../../target.js";
import type { NotificationTransport } from "../../transport.js";
import { type Context, noOpSerializer } from "../../values/serializer.js";
import { BatchNotificationDispatcher, type BatchNotificationEndpoint } from "./batch-dispatcher.js";
import { BatchNotice } from "./batch-notice.js";
import { Batches, type BatchLimits } from "./batches.js";
import { prioritiesOf } from "./endpoints.js";
import { LISTENER_OPTIONS, type ListenerOptions, NotificationListener } from "./listener.js";
import { listenerTargets } from "./listener-targets.js";
import { notificationReader } from "./notification-reader.js";

/** One of `batchSize` and `batchTimeoutMs` must be given. */
export type BatchListenerOptions<C extends Context = Context> = ListenerOptions<C> &
  (
    | {
        /** A batch is handled when it has so many notifications. At least 1. */
        batchSize: number;
        /** A batch is handled so many milliseconds after its first notification, if it has not been yet. Absent: only when it is full. */
        batchTimeoutMs?: number | undefined;
      }
    | {
        /** Absent: the timeout alone counts. */
        batchSize?: undefined;
        /** A batch is handled so many milliseconds after its first notification. */
        batchTimeoutMs: number;
      }
  );

/**
 * Listens as {@link getNotificationListener} does, for endpoints that get many notifications at a time: an array of those
 * that have the priority of the method and pass the filter, in the order in which they came. A batch is gone through
 * priority by priority, in the order of their names; when an endpoint answers `requeue`, or fails, that goes for all
 * notifications of the batch that have this priority, and the endpoints after it do not get them
 * (oslo_messaging/notify/dispatcher.py:107-156). All are acknowledged or requeued when the whole batch is through.
 *
 * A link has as many notifications in hand as a batch can hold, or `notify_server_credit` if that is more: without
 * `batchSize` a batch grows no larger than this for each topic and priority. `stop` takes no new ones and handles the
 * batch that has begun. Notifications whose connection goes before their batch is handled are left out: they come again.
 * Through a router notifiers wait for their batch to be handled; the transport's logger is told so.
 *
 * @example
 * ```ts
 * await using listener = getBatchNotificationListener(
 *   transport,
 *   [{ topic: "notifications" }],
 *   [{ info: async (notifications) => await store(notifications.map(({ payload }) => payload)) }],
 *   { batchSize: 100, batchTimeoutMs: 2_000 },
 * );
 * await listener.start();
 * ```
 * @throws as getNotificationListener does, and ConfigurationError without both `batchSize` and `batchTimeoutMs`.
 */
export function getBatchNotificationListener<C extends Context = Context>(
  transport: NotificationTransport,
  targets: readonly TargetLike[],
  endpoints: readonly BatchNotificationEndpoint[],
  options: BatchListenerOptions<C>,
): NotificationListener {
  const { driver, logger } = transport;
  const { allowRequeue = false, concurrency, batchSize: size, ...rest } = checked<Options<C>>(options ?? {}, OPTIONS);
  const limits = { size, timeoutMs: rest.batchTimeoutMs };
  if (size === undefined && rest.batchTimeoutMs === undefined) {
    throw new ConfigurationError("batchSize", "must be given, or batchTimeoutMs");
  }
  const sources = listenerTargets(targets, prioritiesOf(endpoints));
  const read = notificationReader(rest.serializer ?? noOpSerializer, logger);
  const dispatcher = new BatchNotificationDispatcher(endpoints, read, logger);
  return new NotificationListener({
    name: "batches",
    listen: (on, signal) =>
      listenInBatches({ driver, sources, limits, notice: new BatchNotice(limits, logger), on, signal }),
    async handle(batch: Batch) {
      const requeued = await dispatcher.dispatch(batch.filter((message) => !message.linkLost));
      for (const message of batch) {
        if (allowRequeue && requeued.has(message)) message.requeue();
        else message.acknowledge();
      }
    },
    concurrency,
    logger,
  });
}

type Batch = readonly IncomingMessage[];

interface Options<C extends Context = Context> extends ListenerOptions<C> {
  batchSize?: number | undefined;
  batchTimeoutMs?: number | undefined;
}

const OPTIONS: OptionChecks<Options> = { ...LISTENER_OPTIONS, batchSize: integer(1).check, batchTimeoutMs: positiveMs };

interface BatchListening {
  driver: Driver;
  sources: readonly Target[];
  limits: BatchLimits;
  notice: BatchNotice;
  on: (batch: Batch) => void;
  signal: AbortSignal;
}

/** What it resolves with hands over the batch that has begun when it stops. */
async function listenInBatches({
  driver,
  sources,
  limits,
  notice,
  on,
  signal,
}: BatchListening): Promise<DriverListener> {
  let listener: DriverListener | undefined;
  const batches = new Batches(limits, (batch, closing) => {
    notice.closed(batch.length, closing, listener?.peer);
    on(batch);
  });
  const add = (message: IncomingMessage): void => batches.add(message);
  try {
    const listening = await driver.listenForNotifications(sources, add, { signal, minimumCredit: limits.size });
    listener = listening;
    notice.started(listening.peer);
    // Who closes the transport alone leaves a batch behind, and its timer, which would keep the program from its end.
    void listening.closed.then(() => batches.discard());
    return {
      get peer() {
        return listening.peer;
      },
      closed: listening.closed,
      async stop() {
        try {
          await listening.stop();
        } finally {
          batches.flush();
        }
      },
      close: () => listening.close(),
    };
  } catch (error) {
    batches.discard();
    throw error;
  }
}
