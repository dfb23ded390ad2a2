import { toError } from "../../../core/errors.js";
import { ConfigurationError } from "../../exceptions.js";
import {
  abortSignal,
  callback,
  checked,
  checkedOverrides,
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
import { TestDriver } from "./test-driver.js";

/** How a notifier works. */
export interface NotifierOptions<C extends Context = Context> {
  /** Who tells: mostly `service.host`. */
  publisherId: string;
  /** Default `["notifications"]`. A notification goes to each of them. */
  topics?: readonly string[] | undefined;
  /** Default `["messagingv2"]`. A notification goes out by each of them; with none, not at all. */
  drivers?: readonly NotificationDriver[] | undefined;
  /** Which drivers the driver `routing`, which needs it, gives a notification to. */
  routing?: NotificationRouting | undefined;
  /** Where the driver `test`, which needs it, puts notifications. */
  testDriver?: TestDriver | undefined;
  /** Writes contexts and payloads. Absent: they go as they are. */
  serializer?: Serializer<C> | undefined;
  /** How often a notification that could not be delivered is sent again. -1 or absent: until the time is up. */
  retry?: number | undefined;
  /**
   * What of the context may go along, in its place. Absent: nothing. A context mostly holds a token, and notifications
   * are read by many (oslo_messaging/notify/notifier.py:173-188).
   */
  sanitizeContext?: ((context: C) => object) | undefined;
  /** Given: every promise of this notifier resolves, and this gets the errors, as oslo only logs them. Absent: they reject. */
  onFailure?: ((error: Error) => void) | undefined;
}

/** What goes for one notification. */
export interface NotifyOptions {
  /** Above 0. Absent: the driver's `default_notify_timeout`. */
  timeoutMs?: number | undefined;
  /** Ends the wait with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Sends one notification. Resolves when the message bus has taken it: through a router, when a listener has acknowledged it.
 *
 * @throws MessageDeliveryFailure, or MessagingTimeout when `timeoutMs` was given; TypeError for a context that is no object,
 *   or a payload that JSON cannot hold; ConfigurationError for a bad option, by name; the reason of `signal`.
 */
export type Notify<C extends Context> = (
  context: C,
  eventType: string,
  payload: unknown,
  options?: NotifyOptions,
) => Promise<void>;

/**
 * Tells whoever listens what happened (oslo_messaging/notify/notifier.py): a method for each priority.
 *
 * @example
 * ```ts
 * const notifier = new Notifier(transport, { publisherId: "compute.host1" });
 * await notifier.info({}, "compute.instance.create", { id: 1 });
 * ```
 * @throws ConfigurationError for an option that does not exist or is out of range, by name.
 */
export class Notifier<C extends Context = Context> {
  readonly #transport: NotificationTransport;
  readonly #options: NotifierOptions<C>;
  readonly #sendings: readonly NotificationSender[];
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
    this.#transport = transport;
    this.#options = checked<NotifierOptions<C>>(options, OPTIONS);
    this.#publisherId = this.#options.publisherId;
    if (this.#publisherId === undefined) throw new ConfigurationError("publisherId", "is required");
    const { drivers = ["messagingv2"], topics = ["notifications"], testDriver, routing } = this.#options;
    this.#sendings = drivers.map((name) => senderFor(name, { transport, topics, testDriver, routing }));
  }

  /** False when notifications go to the driver `noop` and nowhere else, so that nobody has to make them. */
  isEnabled(): boolean {
    const { drivers = [] } = this.#options;
    return !(drivers.length === 1 && drivers[0] === "noop");
  }

  /** Another notifier of the same transport. An absent key inherits, `null` clears. */
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
        await this.#tell(onFailure, error);
      }
    };
  }

  /** To every topic by every driver. One that fails does not keep the others from being tried. */
  async #send(
    priority: Priority,
    context: C,
    eventType: string,
    payload: unknown,
    options: NotifyOptions,
  ): Promise<void> {
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
    const sends = this.#sendings.flatMap((send) => send(outgoing));
    const results = await Promise.allSettled(sends);
    const [first, ...others] = results.filter((result) => result.status === "rejected");
    for (const { reason } of others) {
      this.#transport.logger.warn(`a notification failed on another way too: ${stackText(reason)}`);
    }
    if (first !== undefined) throw first.reason;
  }

  #contextOnWire(context: C): object {
    if (!isJsonObject(context)) throw new TypeError("the context of a notification must be an object");
    const { sanitizeContext, serializer = noOpSerializer } = this.#options;
    // In the place of the context: what serializes the one serializes the other.
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

  async #tell(onFailure: (error: Error) => void, error: unknown): Promise<void> {
    try {
      // Awaited in case it is async after all: then its rejection is ours to catch.
      await onFailure(toError(error));
    } catch (thrown) {
      this.#transport.logger.error(`onFailure of a notifier failed: ${stackText(thrown)}`);
    }
  }
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
    if (value instanceof TestDriver) return value;
    throw new ConfigurationError(key, "must be a TestDriver");
  },
  serializer,
  retry: RETRY,
  sanitizeContext: callback,
  onFailure: callback,
};

const NOTIFY: OptionChecks<NotifyOptions> = { timeoutMs: positiveMs, signal: abortSignal };

const PREPARE = { publisherId: string.check, retry: RETRY };

/** As Python prints a naive UTC time: no fraction when there is none. */
function timestamp(now: Date): string {
  return now.toISOString().replace("T", " ").replace(".000Z", "").replace("Z", "000");
}
