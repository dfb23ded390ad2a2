import type { Logger } from "../../../core/logger.js";
import type { IncomingMessage } from "../../driver.js";
import { stackText } from "../../values/stack-text.js";
import { type NotificationMetadata, NotificationResult } from "../notification.js";
import type { Endpoint, Handled } from "./endpoints.js";
import type { ReadMessage, ReadNotification } from "./notification-reader.js";

/** A method, so that an endpoint may say more about its context and payload than that they are something. */
interface Handling {
  handle(
    context: object,
    publisherId: string,
    eventType: string,
    payload: unknown,
    metadata: NotificationMetadata,
  ): Handled<void>;
}

/** Handles the notifications of one priority. What it throws is logged, and means `requeue`. */
export type NotificationHandler = Handling["handle"];

/** An object with a method for every priority that it handles, and perhaps a filter. */
export type NotificationEndpoint = Endpoint<NotificationHandler>;

/** Gives notifications to the endpoints that handle their priority and let them pass (oslo_messaging/notify/dispatcher.py). */
export class NotificationDispatcher {
  readonly #endpoints: readonly NotificationEndpoint[];
  readonly #read: ReadMessage;
  readonly #logger: Logger;

  constructor(endpoints: readonly NotificationEndpoint[], read: ReadMessage, logger: Logger) {
    this.#endpoints = endpoints;
    this.#read = read;
    this.#logger = logger;
  }

  /** Never rejects: what fails is logged. */
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
      if (result === NotificationResult.REQUEUE) return result;
    }
    return NotificationResult.HANDLED;
  }
}
