import {
  type NotificationEndpoint,
  type NotificationMetadata,
  Notifier,
  type NotifierOptions,
  type TransportOptions,
} from "@/src/entry/node.js";
import { Inbox } from "../support/inbox.js";
import type { Stage } from "./stage.js";

export const PRIORITIES = ["audit", "debug", "info", "warn", "error", "critical", "sample"] as const;

/** A notification as an endpoint got it. */
export interface Seen {
  priority: string;
  context: object;
  publisherId: string;
  eventType: string;
  payload: unknown;
  metadata: NotificationMetadata;
}

/** Of the stage's topic, unless told. */
export function notifierOf(stage: Stage, options?: Partial<NotifierOptions>, transport?: TransportOptions): Notifier {
  return new Notifier(stage.notificationTransport(transport), {
    publisherId: "test.host",
    topics: [stage.topic],
    ...options,
  });
}

/** Listens to all priorities, beside other endpoints. Gives what resolves with the next notification of an event type. */
export async function listen(
  stage: Stage,
  topics?: readonly string[],
  others: readonly NotificationEndpoint[] = [],
): Promise<(eventType: string) => Promise<Seen>> {
  const inbox = new Inbox<Seen>("the listener");
  await stage.listen([...others, recorder(inbox)], { topics });
  return (eventType) => inbox.take(eventType, (seen) => (seen.eventType === eventType ? seen : undefined));
}

type Handler = (
  context: object,
  publisherId: string,
  eventType: string,
  payload: unknown,
  metadata: NotificationMetadata,
) => void;

/** An endpoint for all priorities. */
export function recorder(inbox: Pick<Inbox<Seen>, "put">): Record<(typeof PRIORITIES)[number], Handler> {
  const handlers = PRIORITIES.map((priority): [string, Handler] => [
    priority,
    (context, publisherId, eventType, payload, metadata) =>
      inbox.put({ priority, context, publisherId, eventType, payload, metadata }),
  ]);
  return Object.fromEntries(handlers) as Record<(typeof PRIORITIES)[number], Handler>;
}
