import type { Priority } from "oslo-messaging";
import { PRIORITIES } from "../../../src/driver/notify/notification.js";
import { badge, byId, element } from "../parts/elements.js";

/** Filters notifications by priority and event type. */
export class NotificationFilter {
  readonly #priorities = new Set<Priority>(PRIORITIES);
  readonly #field = byId("event-filter", HTMLInputElement);
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    byId("priorities", HTMLFieldSetElement).append(...PRIORITIES.map((priority) => this.#choice(priority)));
    this.#field.addEventListener("input", onChange);
  }

  passes(priority: Priority, eventType: string): boolean {
    return this.#priorities.has(priority) && fits(eventType, this.#field.value.trim());
  }

  #choice(priority: Priority): HTMLElement {
    const box = element("input", "");
    box.type = "checkbox";
    box.name = priority;
    box.checked = true;
    box.addEventListener("change", () => {
      if (box.checked) this.#priorities.add(priority);
      else this.#priorities.delete(priority);
      this.#onChange();
    });
    return element("label", "choice", box, badge(priority));
  }
}

/**
 * Matches an event type against a pattern, ignoring case. A pattern without `*` matches any part of the event type; one with
 * `*`, such as `compute.*.end`, matches all of it.
 */
export function fits(eventType: string, pattern: string): boolean {
  const text = eventType.toLowerCase();
  const wanted = pattern.toLowerCase();
  if (!wanted.includes("*")) return text.includes(wanted);
  const parts = wanted.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
}
