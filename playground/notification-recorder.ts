import { EventEmitter, once } from "node:events";
import { PRIORITIES } from "../src/driver/notify/notification.js";
import type { NotificationEndpoint, Priority } from "../src/entry/node.js";

export interface RecordedEvent {
  priority: Priority;
  eventType: string;
  payload: unknown;
}

/** Records the notifications of a listener, and waits for those that match. */
export class NotificationRecorder {
  /** Endpoint to pass to the listener. */
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

  /** Resolves with the first `count` events that match. Rejects after the timeout when fewer have arrived. */
  async wait(count: number, matches: (event: RecordedEvent) => boolean): Promise<readonly RecordedEvent[]> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    for (;;) {
      const found = this.#seen.filter(matches);
      if (found.length >= count) return found.slice(0, count);
      try {
        await once(this.#arrivals, "event", { signal });
      } catch (cause) {
        const received = `received ${found.length} of ${count} notifications`;
        throw new Error(`${received} within ${this.#timeoutMs} ms`, { cause });
      }
    }
  }
}
