import { toError } from "../../../core/errors.js";
import { kindOf } from "../../../core/kinds.js";
import { ConfigurationError } from "../../exceptions.js";
import {
  abortSignal,
  callback,
  checked,
  checkedOverrides,
  checkTransport,
  type OptionChecks,
  overridden,
  positiveMs,
  serializer,
} from "../../options/option-checks.js";
import { integer, list, oneOf, string } from "../../options/option-types.js";
import type { Overrides } from "../../target.js";
import type { NotificationTransport } from "../../transport.js";
import { uuid4 } from "../../values/ids.js";
import { isJsonObject } from "../../values/json.js";
import { type Context, noOpSerializer, type Serializer } from "../../values/serializer.js";
import { stackText } from "../../values/stack-text.js";
import type { Priority } from "../notification.js";
import { senderFor } from "./drivers.js";
import {
  DRIVERS,
  type NotificationDriver,
  type NotificationMessage,
  type NotificationSender,
} from "./notification-message.js";
import { type NotificationRouting, routesOf } from "./routing.js";
import type { TestDriver } from "./test-driver.js";

/** Options of a notifier. */
export interface NotifierOptions<C extends Context = Context> {
  /** ID of the publisher, usually `service.host`. */
  publisherId: string;
  /** Topics that each notification is sent to. Default `["notifications"]`. */
  topics?: readonly string[] | undefined;
  /** Drivers that send each notification. Default `["messagingv2"]`. With an empty array nothing is sent. */
  drivers?: readonly NotificationDriver[] | undefined;
  /** Selects the drivers of each notification. Required by the driver `routing`. */
  routing?: NotificationRouting | undefined;
  /** Records notifications. Required by the driver `test`. */
  testDriver?: TestDriver | undefined;
  /** Serializes contexts and payloads. When omitted, they are sent unchanged. */
  serializer?: Serializer<C> | undefined;
  /** Number of times an undelivered notification is sent again. -1 or omitted: until the timeout, and for ever without one. */
  retry?: number | undefined;
  /**
   * Returns the part of the context that is sent in its place. When omitted, an empty context is sent: contexts usually hold a
   * token, and many services read notifications (oslo_messaging/notify/notifier.py:173-188).
   */
  sanitizeContext?: ((context: C) => object) | undefined;
  /**
   * Called with each error, while the promises of this notifier resolve; oslo likewise only logs errors. When omitted, the
   * promises reject.
   */
  onFailure?: ((error: Error) => void) | undefined;
}

/** Options of one notification. */
export interface NotifyOptions {
  /** Timeout in milliseconds, above 0. Default over amqp://: `default_notify_timeout`; over rabbit://: none, as in oslo. */
  timeoutMs?: number | undefined;
  /** Cancels the wait: the promise rejects with the reason of the signal. */
  signal?: AbortSignal | undefined;
}

/**
 * Sends one notification. Resolves when the message bus has accepted it; behind a router, when a listener has acknowledged it.
 * At RabbitMQ its queue is declared first, so that it waits for its first listener.
 *
 * @throws MessageDeliveryFailure when it cannot be delivered, or over amqp:// not within the default timeout.
 * @throws MessagingTimeout when it is not delivered within the `timeoutMs` given here.
 * @throws TypeError for a context that is not an object, an event type that is not a string, and a value of the payload that
 *   JSON cannot hold, by its path.
 * @throws ConfigurationError for an unknown or invalid option, by name.
 * @throws the reason of `signal` when it aborts.
 */
export type Notify<C extends Context> = (
  context: C,
  eventType: string,
  payload: unknown,
  options?: NotifyOptions,
) => Promise<void>;

/**
 * Sends notifications about events to listeners (oslo_messaging/notify/notifier.py), with one method for each priority.
 *
 * @example
 * ```ts
 * const notifier = new Notifier(transport, { publisherId: "compute.host1" });
 * await notifier.info({}, "compute.instance.create", { id: 1 });
 * ```
 * @throws TypeError for a transport that is not made by getNotificationTransport.
 * @throws ConfigurationError for an unknown or invalid option, by name.
 */
export class Notifier<C extends Context = Context> {
  readonly #transport: NotificationTransport;
  readonly #options: NotifierOptions<C>;
  readonly #senders: readonly NotificationSender[];
  #publisherId: string | undefined;
  /** Sends a notification of priority `audit`. */
  readonly audit: Notify<C> = this.#notify("audit");
  /** Sends a notification of priority `debug`. */
  readonly debug: Notify<C> = this.#notify("debug");
  /** Sends a notification of priority `info`. */
  readonly info: Notify<C> = this.#notify("info");
  /** Sends a notification of priority `warn`. */
  readonly warn: Notify<C> = this.#notify("warn");
  /** Sends a notification of priority `error`. */
  readonly error: Notify<C> = this.#notify("error");
  /** Sends a notification of priority `critical`. */
  readonly critical: Notify<C> = this.#notify("critical");
  /** Sends a notification of priority `sample`. */
  readonly sample: Notify<C> = this.#notify("sample");

  constructor(transport: NotificationTransport, options: NotifierOptions<C>) {
    checkTransport(transport, "notify");
    this.#transport = transport;
    this.#options = checked<NotifierOptions<C>>(options, OPTIONS);
    this.#publisherId = this.#options.publisherId;
    if (this.#publisherId === undefined) throw new ConfigurationError("publisherId", "is required");
    const { drivers = ["messagingv2"], topics = ["notifications"], testDriver, routing } = this.#options;
    this.#senders = drivers.map((name) => senderFor(name, { transport, topics, testDriver, routing }));
  }

  /** False when `noop` is the only driver, so that callers need not prepare notifications. */
  isEnabled(): boolean {
    const { drivers = [] } = this.#options;
    return !(drivers.length === 1 && drivers[0] === "noop");
  }

  /**
   * Returns another notifier of the same transport. An omitted key inherits, `null` clears.
   *
   * @throws ConfigurationError for an unknown or invalid key, by name.
   */
  prepare(overrides: Overrides<{ publisherId: string; retry: number }>): Notifier<C> {
    const { publisherId, retry } = checkedOverrides(overrides, PREPARE);
    const prepared = new Notifier(this.#transport, { ...this.#options, retry: overridden(this.#options.retry, retry) });
    prepared.#publisherId = overridden(this.#publisherId, publisherId);
    return prepared;
  }

  #notify(priority: Priority): Notify<C> {
    return async (context, eventType, payload, options = {}) => {
      try {
        await this.#send(priority, context, eventType, payload, options);
      } catch (error) {
        const { onFailure } = this.#options;
        if (onFailure === undefined) throw error;
        await this.#report(onFailure, error);
      }
    };
  }

  /** Sends to every topic by every driver, also after one of them fails. */
  async #send(
    priority: Priority,
    context: C,
    eventType: string,
    payload: unknown,
    options: NotifyOptions,
  ): Promise<void> {
    if (!isJsonObject(context)) throw wrongEvent("the context of a notification must be an object", context);
    if (typeof eventType !== "string") throw wrongEvent("the event type of a notification must be a string", eventType);
    const { timeoutMs, signal } = checked(options, NOTIFY);
    const { retry } = this.#options;
    const outgoing = {
      context: this.#contextOnWire(context),
      message: this.#message(priority, context, eventType, payload),
      priority,
      retry,
      timeoutMs,
      signal,
    };
    const sends = this.#senders.flatMap((send) => send(outgoing));
    const results = await Promise.allSettled(sends);
    const [first, ...others] = results.filter((result) => result.status === "rejected");
    for (const { reason } of others) {
      const text = `a notification failed for another topic or driver too: ${stackText(reason)}`;
      this.#transport.warnings.warn("another failure", text);
    }
    if (first !== undefined) throw first.reason;
  }

  #contextOnWire(context: C): object {
    const { sanitizeContext, serializer = noOpSerializer } = this.#options;
    // The result replaces the context, so the serializer accepts it too.
    return sanitizeContext === undefined ? {} : serializer.serializeContext(sanitizeContext(context) as C);
  }

  /** oslo_messaging/notify/notifier.py:323-328. */
  #message(priority: Priority, context: C, eventType: string, payload: unknown): NotificationMessage {
    const { serializer = noOpSerializer } = this.#options;
    return {
      message_id: uuid4(),
      publisher_id: this.#publisherId ?? null,
      event_type: eventType,
      priority: priority.toUpperCase() as Uppercase<Priority>,
      payload: serializer.serializeEntity(context, payload) ?? null,
      timestamp: timestamp(new Date()),
    };
  }

  async #report(onFailure: (error: Error) => void, error: unknown): Promise<void> {
    try {
      // Awaited because the function may be async: its rejection must be caught.
      await onFailure(toError(error));
    } catch (thrown) {
      this.#transport.logger.error(`onFailure of a notifier failed: ${stackText(thrown)}`);
    }
  }
}

function wrongEvent(reason: string, value: unknown): TypeError {
  return new TypeError(`${reason}, not ${kindOf(value)}: a notification has (context, eventType, payload, options)`);
}

const RETRY = integer(-1).check;

const OPTIONS: OptionChecks<NotifierOptions> = {
  publisherId: string.check,
  topics: list(string, ",").check,
  drivers: list(oneOf(...DRIVERS), ",").check,
  routing(_key, value) {
    routesOf(value);
    return value;
  },
  testDriver(key, value) {
    // By its shape: it may be of a second copy of this library.
    if (typeof Object(value).send === "function" && Array.isArray(Object(value).notifications)) return value;
    throw new ConfigurationError(key, `must be a TestDriver, not ${kindOf(value)}`);
  },
  serializer,
  retry: RETRY,
  sanitizeContext: callback,
  onFailure: callback,
};

const NOTIFY: OptionChecks<NotifyOptions> = { timeoutMs: positiveMs, signal: abortSignal };

const PREPARE = { publisherId: string.check, retry: RETRY };

/** UTC time as Python prints it, without time zone; the fraction is omitted when it is 0. */
function timestamp(now: Date): string {
  return now.toISOString().replace("T", " ").replace(".000Z", "").replace("Z", "000");
}
