import type { Driver, DriverListener, IncomingMessage, ListenOptions } from "../../driver.js";
import { ConfigurationError } from "../../exceptions.js";
import { checked, checkTransport, type OptionChecks, positiveMs } from "../../options/option-checks.js";
import { integer } from "../../options/option-types.js";
import { checkPool } from "../../options/pool.js";
import type { Target, TargetLike } from "../../target.js";
import type { NotificationTransport } from "../../transport.js";
import { type Context, noOpSerializer } from "../../values/serializer.js";
import { NotificationResult } from "../notification.js";
import { BatchNotificationDispatcher, type BatchNotificationEndpoint } from "./batch-dispatcher.js";
import { BatchNotice } from "./batch-notice.js";
import { Batches, type BatchLimits } from "./batches.js";
import { prioritiesOf } from "./endpoints.js";
import { LISTENER_OPTIONS, type ListenerOptions, NotificationListener } from "./listener.js";
import { listenerTargets } from "./listener-targets.js";
import { notificationReader } from "./notification-reader.js";
import { requeueNotice } from "./requeue-notice.js";

/** Options of a batch listener. At least one of `batchSize` and `batchTimeoutMs` is required. */
export type BatchListenerOptions<C extends Context = Context> = ListenerOptions<C> &
  (
    | {
        /** Number of notifications that closes a batch. At least 1. */
        batchSize: number;
        /**
         * Milliseconds from the first notification of a batch until the batch is closed, unless it is full before. When omitted,
         * only a full batch is closed.
         */
        batchTimeoutMs?: number | undefined;
      }
    | {
        /** Omitted: only the timeout closes a batch. */
        batchSize?: undefined;
        /** Milliseconds from the first notification of a batch until the batch is closed. */
        batchTimeoutMs: number;
      }
  );

/**
 * Listens like {@link getNotificationListener}, but endpoints receive notifications in batches: an array of those that have the
 * priority of the method and match the filter, in the order of their arrival. A batch is handled one priority after another,
 * in the order of their names. When an endpoint returns `requeue` or fails, all notifications of the batch with this priority
 * are requeued, and the endpoints after it do not receive them (oslo_messaging/notify/dispatcher.py:107-156). Notifications are
 * acknowledged or requeued when the whole batch has been handled.
 *
 * The credit of a link is `batchSize` or `notify_server_credit`, whichever is larger; at RabbitMQ the prefetch count is
 * `batchSize` or `rabbit_qos_prefetch_count` (0: twice the concurrency). Without `batchSize` a batch therefore holds at most as
 * many notifications for each topic and priority. `stop` accepts no more notifications and
 * handles the open batch. Notifications whose connection is lost before their batch is handled are skipped: they are delivered
 * again. Behind a router, notifiers wait until their batch has been handled; a warning is logged.
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
 * @throws as getNotificationListener, and ConfigurationError when both `batchSize` and `batchTimeoutMs` are omitted.
 */
export function getBatchNotificationListener<C extends Context = Context>(
  transport: NotificationTransport,
  targets: readonly TargetLike[],
  endpoints: readonly BatchNotificationEndpoint[],
  options: BatchListenerOptions<C>,
): NotificationListener {
  checkTransport(transport, "notify");
  const { driver, logger } = transport;
  const given = checked<BatchOptions<C>>(options, OPTIONS);
  const { allowRequeue = false, concurrency, pool, batchSize: size, ...rest } = given;
  checkPool(pool, driver);
  const limits = { size, timeoutMs: rest.batchTimeoutMs };
  if (size === undefined && rest.batchTimeoutMs === undefined) {
    throw new ConfigurationError("batchSize", "is required, unless batchTimeoutMs is given");
  }
  const topicTargets = listenerTargets(targets, prioritiesOf(endpoints));
  const read = notificationReader(rest.serializer ?? noOpSerializer, transport);
  const dispatcher = new BatchNotificationDispatcher(endpoints, read, logger, requeueNotice(allowRequeue, logger));
  return new NotificationListener({
    name: "batches",
    listen: (onBatch, listenOptions) =>
      listenInBatches({
        driver,
        topicTargets,
        limits,
        notice: new BatchNotice(limits, logger),
        onBatch,
        listenOptions: { ...listenOptions, minimumCredit: size, pool },
      }),
    async handle(batch: Batch) {
      for (const [message, result] of await dispatcher.dispatch(batch)) {
        if (allowRequeue && result === NotificationResult.REQUEUE) message.requeue();
        else message.acknowledge();
      }
    },
    concurrency,
    logger,
  });
}

type Batch = readonly IncomingMessage[];

interface BatchOptions<C extends Context = Context> extends ListenerOptions<C> {
  batchSize?: number | undefined;
  batchTimeoutMs?: number | undefined;
}

const OPTIONS: OptionChecks<BatchOptions> = {
  ...LISTENER_OPTIONS,
  batchSize: integer(1).check,
  batchTimeoutMs: positiveMs,
};

interface BatchListening {
  driver: Driver;
  topicTargets: readonly Target[];
  limits: BatchLimits;
  notice: BatchNotice;
  onBatch: (batch: Batch) => void;
  listenOptions: ListenOptions;
}

/** Attaches the links. Stopping the listener hands over the open batch. */
async function listenInBatches({
  driver,
  topicTargets,
  limits,
  notice,
  onBatch,
  listenOptions,
}: BatchListening): Promise<DriverListener> {
  let listener: DriverListener | undefined;
  const batches = new Batches(limits, (batch, closing) => {
    notice.closed(batch.length, closing, listener?.peer);
    onBatch(batch);
  });
  const add = (message: IncomingMessage): void => batches.add(message);
  try {
    const listening = await driver.listenForNotifications(topicTargets, add, listenOptions);
    listener = listening;
    notice.started(listening.peer);
    // If only the transport is closed, the open batch is discarded: its timer would keep the process alive.
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
