import type { Logger } from "../../core/logger.js";
import type { IncomingMessage } from "../driver.js";
import { isJsonObject } from "../json.js";
import type { Context, Serializer } from "../serializer.js";
import { stackText } from "../stack-text.js";
import { NotificationFilter } from "./filter.js";
import {
  type Notification,
  type NotificationMetadata,
  NotificationResult,
  PRIORITIES,
  type Priority,
} from "./notification.js";

/** `Nothing`: what a handler returns that has nothing to say. */
type Handled<Nothing> = NotificationResult | Nothing | Promise<NotificationResult | Nothing>;

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
export type NotificationEndpoint = {
  /** What it does not match, the endpoint does not get. */
  readonly filterRule?: NotificationFilter | undefined;
} & {
  [P in Priority]?: NotificationHandler | undefined;
};

/** Gives notifications to the endpoints that handle their priority and let them pass (oslo_messaging/notify/dispatcher.py). */
export class NotificationDispatcher<C extends Context> {
  readonly #endpoints: readonly NotificationEndpoint[];
  readonly #serializer: Serializer<C>;
  readonly #logger: Logger;
  /** Those that an endpoint handles. */
  readonly priorities: readonly Priority[];

  /** @throws TypeError for an endpoint that is none. */
  constructor(endpoints: readonly NotificationEndpoint[], serializer: Serializer<C>, logger: Logger) {
    for (const [index, endpoint] of endpoints.entries()) check(endpoint, index);
    this.#endpoints = endpoints;
    this.#serializer = serializer;
    this.#logger = logger;
    this.priorities = PRIORITIES.filter((priority) => endpoints.some((endpoint) => endpoint[priority] !== undefined));
  }

  /** Never rejects: what fails is logged. What cannot be read, or that nobody handles, counts as handled: it would only come again. */
  async dispatch({ body, context, messageId }: IncomingMessage): Promise<NotificationResult> {
    if (!isJsonObject(body)) {
      this.#logger.warn("dropped a notification that is not an object", { messageId });
      return NotificationResult.HANDLED;
    }
    const { publisher_id, event_type, message_id, timestamp, priority: level, payload } = body;
    const priority = PRIORITIES.find((known) => known === text(level).toLowerCase());
    if (priority === undefined) {
      this.#logger.warn("dropped a notification of no known priority", { messageId: text(message_id).slice(0, 100) });
      return NotificationResult.HANDLED;
    }
    try {
      const known = this.#serializer.deserializeContext(context);
      return await this.#handle(priority, {
        context: known,
        publisherId: text(publisher_id),
        eventType: text(event_type),
        payload: this.#serializer.deserializeEntity(known, payload),
        metadata: { messageId: text(message_id), timestamp: text(timestamp) },
      });
    } catch (error) {
      this.#logger.error(`a notification endpoint failed: ${stackText(error)}`, {
        priority,
        eventType: text(event_type),
      });
      return NotificationResult.REQUEUE;
    }
  }

  async #handle(priority: Priority, notification: Notification): Promise<NotificationResult> {
    const { context, publisherId, eventType, payload, metadata } = notification;
    for (const endpoint of this.#endpoints) {
      if (endpoint[priority] === undefined || endpoint.filterRule?.matches(notification) === false) continue;
      const result = await endpoint[priority](context, publisherId, eventType, payload, metadata);
      if (result === NotificationResult.REQUEUE) return result;
    }
    return NotificationResult.HANDLED;
  }
}

function check(endpoint: unknown, index: number): void {
  if (!isJsonObject(endpoint)) throw new TypeError(`endpoint ${index} is not an object`);
  for (const priority of PRIORITIES) {
    const handler = endpoint[priority];
    if (handler !== undefined && typeof handler !== "function") {
      throw new TypeError(`${priority} of endpoint ${index} must be a function`);
    }
  }
  if (endpoint["filterRule"] !== undefined && !(endpoint["filterRule"] instanceof NotificationFilter)) {
    throw new TypeError(`filterRule of endpoint ${index} must be a NotificationFilter`);
  }
}

/** A member of a stranger's message. Python's notifiers send null for what they were not given. */
function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
