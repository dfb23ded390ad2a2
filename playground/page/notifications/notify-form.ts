import { Notifier } from "oslo-messaging";
import { toError } from "../../../src/core/errors.js";
import { PRIORITIES } from "../../../src/driver/notify/notification.js";
import { byId, element, typed } from "../parts/elements.js";
import { jsonIn } from "../parts/json-text.js";
import type { BusTransports, View } from "../view.js";

const TIMEOUT_MS = 5_000;

/** Form that sends a notification and shows its outcome. */
export class NotifyForm implements View {
  readonly #form = byId("notify-form", HTMLFormElement);
  readonly #fields = byId("notify", HTMLFieldSetElement);
  readonly #outcome = byId("notify-outcome", HTMLOutputElement);
  readonly #publisherId: string;
  #notifier: Notifier | undefined;

  constructor(publisherId: string) {
    this.#publisherId = publisherId;
    const select = byId("notify-priority", HTMLSelectElement);
    select.append(...PRIORITIES.map((priority) => element("option", "", priority)));
    select.value = "info";
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send(new FormData(this.#form));
    });
  }

  open({ notifications }: BusTransports): void {
    this.#notifier = new Notifier(notifications, { publisherId: this.#publisherId });
    this.#fields.disabled = false;
  }

  async close(): Promise<void> {
    this.#notifier = undefined;
    this.#fields.disabled = true;
  }

  async #send(form: FormData): Promise<void> {
    const priority = PRIORITIES.find((name) => name === typed(form, "priority")) ?? "info";
    const started = performance.now();
    this.#show("waiting", "waiting");
    try {
      const payload: unknown = jsonIn(typed(form, "payload") ?? "null", "the payload is");
      await this.#notifier?.[priority]({}, typed(form, "eventType") ?? "", payload, { timeoutMs: TIMEOUT_MS });
      this.#show("ok", `accepted after ${(performance.now() - started).toFixed(1)} ms`);
    } catch (error) {
      this.#show("failed", toError(error).message);
    }
  }

  #show(outcome: string, text: string): void {
    this.#outcome.dataset["outcome"] = outcome;
    this.#outcome.textContent = text;
  }
}
