import { toError } from "../../src/core/errors.js";
import { getRpcClient } from "../../src/entry/web.js";
import { byId, clock, element, typed } from "./elements.js";
import { type Example, examples } from "./examples.js";
import { failure } from "./failure.js";
import { jsonText } from "./json-text.js";
import { Rows } from "./rows.js";
import type { Transports, View } from "./view.js";

const MOST_ROWS = 50;

/** Calls, casts and fans out what is typed, and shows what becomes of it. */
export class RpcConsole implements View {
  readonly #form = byId("console-form", HTMLFormElement);
  readonly #fields = byId("console", HTMLFieldSetElement);
  readonly #rows = new Rows(byId("exchanges", HTMLOListElement), MOST_ROWS);
  #transports: Transports | undefined;

  /** @param pageName Goes along as the context of every request. */
  constructor(pageName: string) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const verb = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "call";
      void this.#perform(verb, new FormData(this.#form), { page: pageName });
    });
    byId("examples", HTMLFieldSetElement).append(...examples(pageName).map((example) => this.#button(example)));
  }

  open(transports: Transports): void {
    this.#transports = transports;
    this.#fields.disabled = false;
  }

  async close(): Promise<void> {
    this.#transports = undefined;
    this.#fields.disabled = true;
  }

  #button({ label, ...fields }: Example): HTMLButtonElement {
    const button = element("button", "small", label);
    button.type = "button";
    button.addEventListener("click", () => {
      for (const [name, value] of Object.entries(fields)) {
        const field = this.#form.elements.namedItem(name);
        if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.value = value;
      }
    });
    return button;
  }

  async #perform(verb: string, form: FormData, context: object): Promise<void> {
    const row = new ExchangeRow(verb, form);
    this.#rows.add(row.element);
    try {
      row.succeed(await this.#send(verb, form, context));
    } catch (error) {
      row.fail(toError(error));
    }
  }

  async #send(verb: string, form: FormData, context: object): Promise<string> {
    if (this.#transports === undefined) throw new Error("there is no connection");
    const target = {
      topic: typed(form, "topic"),
      server: typed(form, "server"),
      namespace: typed(form, "namespace"),
      version: typed(form, "version"),
      fanout: verb === "fanout",
    };
    const timeoutMs = Number(typed(form, "timeout")) * 1_000;
    const client = getRpcClient(this.#transports.rpc, target, { timeoutMs });
    const method = typed(form, "method") ?? "";
    const args: object = JSON.parse(typed(form, "args") ?? "{}"); // the client refuses what is none
    if (verb === "call") return jsonText(await client.call(context, method, args), 2);
    await client.cast(context, method, args);
    return "handed over";
  }
}

/** One request and what became of it. */
class ExchangeRow {
  readonly element: HTMLElement;
  readonly #started = performance.now();
  readonly #outcome = element("span", "badge", "waiting");
  readonly #latency = element("span", "quiet");

  constructor(verb: string, form: FormData) {
    const [topic, server, method] = ["topic", "server", "method"].map((name) => typed(form, name));
    const what = `${verb} ${topic}${server === undefined ? "" : `/${server}`} ${method}`;
    this.element = element("li", "", this.#outcome, element("code", "grow", what), this.#latency, clock(new Date()));
    this.#show("waiting");
  }

  succeed(result: string): void {
    this.#show("ok", element("pre", "", result));
  }

  fail(error: Error): void {
    this.#show("failed", failure(error));
  }

  #show(outcome: string, ...details: readonly HTMLElement[]): void {
    this.element.dataset["outcome"] = outcome;
    this.#outcome.textContent = outcome;
    if (outcome !== "waiting") this.#latency.textContent = `${(performance.now() - this.#started).toFixed(1)} ms`;
    this.element.append(...details);
  }
}
