import { PRIORITIES, type Priority } from "../../src/driver/notify/notification.js";
import { getNotificationListener, type NotificationListener } from "../../src/entry/web.js";
import { byId, clock, element } from "./elements.js";
import { cut, jsonText } from "./json-text.js";
import { Rows } from "./rows.js";
import type { Transports, View } from "./view.js";

const TOPIC = "notifications";
const MOST_ROWS = 200;

/** The notifications of the topic as they come; those of the chosen priorities show. */
export class NotificationsView implements View {
  readonly #list = byId("notifications", HTMLOListElement);
  readonly #rows = new Rows(this.#list, MOST_ROWS);
  readonly #count = byId("notification-count", HTMLSpanElement);
  readonly #shown = new Set<string>(PRIORITIES);
  #listener: NotificationListener | undefined;
  #came = 0;

  constructor() {
    byId("priorities", HTMLFieldSetElement).append(...PRIORITIES.map((priority) => this.#choice(priority)));
    byId("clear-notifications", HTMLButtonElement).addEventListener("click", () => this.#rows.clear());
  }

  open({ notifications }: Transports): void {
    const endpoint = Object.fromEntries(
      PRIORITIES.map((priority) => [
        priority,
        (_context: object, publisherId: string, eventType: string, payload: unknown) =>
          this.#add(priority, publisherId, eventType, payload),
      ]),
    );
    this.#listener = getNotificationListener(notifications, [{ topic: TOPIC }], [endpoint]);
    // It waits for the connection, whose status is shown, and ends by being stopped.
    this.#listener.start().catch(() => {});
  }

  async close(): Promise<void> {
    await this.#listener?.stop();
    await this.#listener?.wait();
  }

  #choice(priority: Priority): HTMLElement {
    const box = element("input", "");
    box.type = "checkbox";
    box.name = priority;
    box.checked = true;
    box.addEventListener("change", () => {
      if (box.checked) this.#shown.add(priority);
      else this.#shown.delete(priority);
      for (const row of this.#list.querySelectorAll("li")) this.#showOrHide(row);
    });
    return element("label", "choice", box, badge(priority));
  }

  #add(priority: Priority, publisherId: string, eventType: string, payload: unknown): void {
    this.#came += 1;
    this.#count.textContent = this.#came.toLocaleString("en");
    const row = element(
      "li",
      "",
      clock(new Date()),
      badge(priority),
      element("strong", "", cut(eventType)),
      element("span", "quiet", cut(publisherId)),
      element("code", "", jsonText(payload)),
    );
    row.dataset["priority"] = priority;
    this.#showOrHide(row);
    this.#rows.add(row);
  }

  #showOrHide(row: HTMLElement): void {
    row.hidden = !this.#shown.has(row.dataset["priority"] ?? "");
  }
}

function badge(priority: Priority): HTMLElement {
  const made = element("span", "badge", priority);
  made.dataset["priority"] = priority;
  return made;
}
