import { EventEmitter, once } from "node:events";
import { PRIORITIES } from "../src/driver/notify/notification.js";
import type { NotificationEndpoint, Priority } from "../src/entry/node.js";

export interface RecordedEvent {
  priority: Priority;
  eventType: string;
  payload: unknown;
}

/** The notifications that a listener has seen, for whoever waits for some of them. */
export class NotificationRecorder {
  /** For the listener. */
  readonly endpoint: NotificationEndpoint;
  readonly #timeoutMs: number;
  readonly #seen: RecordedEvent[] = [];
  readonly #arrivals = new EventEmitter();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.endpoint = Object.fromEntries(
      PRIORITIES.map((priority) => [
        priority,
        (_context: object, _publisherId: string, eventType: string, payload: unknown) => {
          this.#seen.push({ priority, eventType, payload });
          this.#arrivals.emit("event");
        },
      ]),
    );
  }

  /** Resolves with the first `count` that are so. Rejects when they have not come in time. */
  async wait(count: number, isIt: (event: RecordedEvent) => boolean): Promise<readonly RecordedEvent[]> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    for (;;) {
      const found = this.#seen.filter(isIt);
      if (found.length >= count) return found.slice(0, count);
      try {
        await once(this.#arrivals, "event", { signal });
      } catch (cause) {
        const came = `${found.length} of ${count} notifications came`;
        throw new Error(`${came} within ${this.#timeoutMs} ms`, { cause });
      }
    }
  }
}
