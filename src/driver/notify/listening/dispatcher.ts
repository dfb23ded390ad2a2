import type { Logger } from "../../../core/logger.js";
import type { IncomingMessage } from "../../driver.js";
import { stackText } from "../../values/stack-text.js";
import { type NotificationMetadata, NotificationResult } from "../notification.js";
import type { Endpoint, Handled } from "./endpoints.js";
import type { ReadMessage, ReadNotification } from "./notification-reader.js";

/** Declared as a method so that its parameters are bivariant: endpoints may use narrower types. */
interface NotificationHandling {
  handle(
    context: object,
    publisherId: string,
    eventType: string,
    payload: unknown,
    metadata: NotificationMetadata,
  ): Handled<void>;
}

/** Handles the notifications of one priority. An error is logged and counts as `requeue`. */
export type NotificationHandler = NotificationHandling["handle"];

/** An object with a method for each priority that it handles, and an optional filter. */
export type NotificationEndpoint = Endpoint<NotificationHandler>;

/** Passes each notification to the endpoints with its priority and a matching filter (oslo_messaging/notify/dispatcher.py). */
export class NotificationDispatcher {
  readonly #endpoints: readonly NotificationEndpoint[];
  readonly #read: ReadMessage;
  readonly #logger: Logger;
  readonly #onRequeue: () => void;

  /** `onRequeue` is called when an endpoint returns `requeue`. */
  constructor(endpoints: readonly NotificationEndpoint[], read: ReadMessage, logger: Logger, onRequeue: () => void) {
    this.#endpoints = endpoints;
    this.#read = read;
    this.#logger = logger;
    this.#onRequeue = onRequeue;
  }

  /** Resolves with the result of the endpoints. Never rejects: errors are logged. */
  async dispatch(message: IncomingMessage): Promise<NotificationResult> {
    const read = this.#read(message);
    if (typeof read === "string") return read;
    try {
      return await this.#handle(read);
    } catch (error) {
      const { priority, notification } = read;
      const { eventType } = notification;
      this.#logger.error(`a notification endpoint failed: ${stackText(error)}`, { priority, eventType });
      return NotificationResult.REQUEUE;
    }
  }

  async #handle({ priority, notification }: ReadNotification): Promise<NotificationResult> {
    const { context, publisherId, eventType, payload, metadata } = notification;
    for (const endpoint of this.#endpoints) {
      if (endpoint[priority] === undefined || endpoint.filterRule?.matches(notification) === false) continue;
      const result = await endpoint[priority](context, publisherId, eventType, payload, metadata);
      if (result === NotificationResult.REQUEUE) {
        this.#onRequeue();
        return result;
      }
    }
    return NotificationResult.HANDLED;
  }
}
