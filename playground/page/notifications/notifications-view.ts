import { getNotificationListener, type NotificationListener, type Priority } from "oslo-messaging";
import { PRIORITIES } from "../../../src/driver/notify/notification.js";
import { badge, byId, clock, counted, element } from "../parts/elements.js";
import { cut, jsonText } from "../parts/json-text.js";
import { PauseButton } from "../parts/pause-button.js";
import type { BusTransports, View } from "../view.js";
import { NotificationFilter } from "./notification-filter.js";

const TOPIC = "notifications";
const MOST_KEPT = 200;

interface Seen {
  priority: Priority;
  eventType: string;
  row: HTMLElement;
}

/** Shows the notifications on topic `notifications` that match the filter, newest first. */
export class NotificationsView implements View {
  readonly #list = byId("notification-list", HTMLOListElement);
  readonly #count = byId("notification-count", HTMLElement);
  readonly #pause = new PauseButton(byId("pause-notifications", HTMLButtonElement));
  readonly #filter = new NotificationFilter(() => this.#showKept());
  /** Newest first. */
  #kept: readonly Seen[] = [];
  #listener: NotificationListener | undefined;
  #received = 0;

  constructor() {
    byId("clear-notifications", HTMLButtonElement).addEventListener("click", () => {
      this.#kept = [];
      this.#showKept();
    });
  }

  open({ notifications }: BusTransports): void {
    const endpoint = Object.fromEntries(
      PRIORITIES.map((priority) => [
        priority,
        (_context: object, publisherId: string, eventType: string, payload: unknown) =>
          this.#add(priority, publisherId, eventType, payload),
      ]),
    );
    this.#listener = getNotificationListener(notifications, [{ topic: TOPIC }], [endpoint]);
    // `start` waits for a connection, whose status is shown elsewhere, until the listener is stopped.
    this.#listener.start().catch(() => {});
  }

  async close(): Promise<void> {
    await this.#listener?.stop();
    await this.#listener?.wait();
  }

  /** Counts a notification, and keeps it unless the list is paused. */
  #add(priority: Priority, publisherId: string, eventType: string, payload: unknown): void {
    this.#received += 1;
    if (!this.#pause.paused) {
      const row = rowOf(priority, publisherId, eventType, payload);
      const seen = { priority, eventType, row };
      this.#kept.at(MOST_KEPT - 1)?.row.remove();
      this.#kept = [seen, ...this.#kept.slice(0, MOST_KEPT - 1)];
      if (this.#passes(seen)) this.#list.prepend(row);
    }
    this.#showCount();
  }

  #showKept(): void {
    this.#list.replaceChildren(...this.#kept.filter((seen) => this.#passes(seen)).map(({ row }) => row));
    this.#showCount();
  }

  #passes({ priority, eventType }: Seen): boolean {
    return this.#filter.passes(priority, eventType);
  }

  #showCount(): void {
    this.#count.textContent = `${counted(this.#received)} received, ${counted(this.#list.childElementCount)} shown`;
  }
}

function rowOf(priority: Priority, publisherId: string, eventType: string, payload: unknown): HTMLElement {
  const line = element(
    "div",
    "line",
    clock(new Date()),
    badge(priority),
    element("strong", "", cut(eventType)),
    element("span", "quiet", cut(publisherId)),
  );
  return element("li", "", line, element("code", "", jsonText(payload)));
}
