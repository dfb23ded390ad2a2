import { getRpcClient } from "oslo-messaging";
import { toError } from "../../../src/core/errors.js";
import { isJsonObject } from "../../../src/driver/values/json.js";
import { byId, element, fieldOf, typed } from "../parts/elements.js";
import { jsonIn, jsonText } from "../parts/json-text.js";
import { Rows } from "../parts/rows.js";
import type { BusTransports, View } from "../view.js";
import { type Example, examples, PYTHON_EXAMPLE } from "./examples.js";
import { ExchangeRow } from "./exchange-row.js";
import { REQUEST_FIELDS, type Request, titleOf } from "./request.js";
import { RequestHistory } from "./request-history.js";

const MOST_ROWS = 50;
/** Time limit for the Python server, which starts together with the intermediary. */
const PYTHON_WAIT_MS = 60_000;

export interface RpcConsoleInit {
  /** Sent in the context of each request. */
  pageName: string;
  /** Called with the duration of each successful call, in milliseconds. */
  onLatency: (ms: number) => void;
}

/** Console that sends calls, casts and fanouts, and shows their outcomes. */
export class RpcConsole implements View {
  readonly #init: RpcConsoleInit;
  readonly #form = byId("console-form", HTMLFormElement);
  readonly #fields = byId("console", HTMLFieldSetElement);
  readonly #rows = new Rows(byId("exchanges", HTMLOListElement), MOST_ROWS);
  readonly #outcome = byId("exchange-outcome", HTMLElement);
  readonly #history = new RequestHistory();
  readonly #python: HTMLButtonElement;
  #bus: BusTransports | undefined;
  #leaving = new AbortController();

  constructor(init: RpcConsoleInit) {
    this.#init = init;
    this.#python = this.#button(PYTHON_EXAMPLE);
    this.#python.hidden = true;
    const buttons = examples(init.pageName).map((example) => this.#button(example));
    byId("examples", HTMLElement).append(...buttons, this.#python);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#perform(this.#typed(event.submitter instanceof HTMLButtonElement ? event.submitter.value : "call"));
    });
    this.#form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    byId("clear-exchanges", HTMLButtonElement).addEventListener("click", () => {
      this.#rows.clear();
      this.#history.clear();
    });
    const earlier = this.#history.requests.map((request) => ExchangeRow.earlier(request, () => this.#again(request)));
    this.#rows.add(...earlier.map(({ element }) => element).reverse());
  }

  open(bus: BusTransports): void {
    this.#bus = bus;
    this.#fields.disabled = false;
    this.#leaving = new AbortController();
    if (bus.place !== "embedded") return;
    // Reserve its space now, so that the form does not jump when it appears.
    this.#python.classList.add("to-come");
    this.#python.hidden = false;
    void this.#lookForPython(bus, this.#leaving.signal);
  }

  async close(): Promise<void> {
    this.#leaving.abort();
    this.#bus = undefined;
    this.#fields.disabled = true;
    this.#python.hidden = true;
  }

  /** Fills the fields of the form. */
  fill(fields: Partial<Request>): void {
    for (const name of REQUEST_FIELDS) {
      const value = fields[name];
      if (value !== undefined) fieldOf(this.#form, name).value = value;
    }
  }

  #button({ label, ...fields }: Example): HTMLButtonElement {
    const button = element("button", "small", label);
    button.type = "button";
    button.addEventListener("click", () => this.fill({ namespace: "", version: "", ...fields }));
    return button;
  }

  async #lookForPython({ rpc }: BusTransports, signal: AbortSignal): Promise<void> {
    const { topic, server, method } = PYTHON_EXAMPLE;
    try {
      await getRpcClient(rpc, { topic, server }).call({}, method, {}, { timeoutMs: PYTHON_WAIT_MS, signal });
      this.#python.classList.remove("to-come");
    } catch {} // no Python server, or the page has disconnected
  }

  #again(request: Request): void {
    this.fill(request);
    void this.#perform(request);
  }

  #typed(verb: string): Request {
    const form = new FormData(this.#form);
    const text = (name: string): string => typed(form, name) ?? "";
    return {
      verb: verb === "cast" || verb === "fanout" ? verb : "call",
      topic: text("topic"),
      server: text("server"),
      namespace: text("namespace"),
      version: text("version"),
      method: text("method"),
      timeout: text("timeout"),
      args: text("args"),
    };
  }

  async #perform(request: Request): Promise<void> {
    const row = new ExchangeRow(request, () => this.#again(request));
    this.#rows.add(row.element);
    this.#history.add(request);
    const started = performance.now();
    try {
      const result = await this.#send(request);
      const ms = performance.now() - started;
      row.succeed(result, ms);
      this.#outcome.textContent = `${titleOf(request)}: ok`;
      if (request.verb === "call") this.#init.onLatency(ms);
    } catch (thrown) {
      const error = toError(thrown);
      row.fail(error, performance.now() - started);
      this.#outcome.textContent = `${titleOf(request)}: ${error.message}`;
    }
  }

  async #send({ verb, topic, server, namespace, version, method, timeout, args }: Request): Promise<string> {
    if (this.#bus === undefined) throw new Error("not connected: press Connect first");
    const target = {
      topic,
      server: server || undefined,
      namespace: namespace || undefined,
      version: version || undefined,
      fanout: verb === "fanout",
    };
    const client = getRpcClient(this.#bus.rpc, target, { timeoutMs: Number(timeout) * 1_000 });
    const context = { page: this.#init.pageName };
    const parsed = argumentsOf(args);
    if (verb === "call") return jsonText(await client.call(context, method, parsed), 2);
    await client.cast(context, method, parsed);
    return "sent";
  }
}

/**
 * Parses the arguments; an empty text means no arguments.
 *
 * @throws SyntaxError when the text is not JSON.
 * @throws TypeError when the JSON is not an object.
 */
function argumentsOf(text: string): object {
  const value = jsonIn(text || "{}", "the arguments are");
  if (!isJsonObject(value)) throw new TypeError('the arguments must be a JSON object, such as {"arg": 1}');
  return value;
}
