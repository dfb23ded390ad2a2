import { getRpcClient } from "oslo-messaging";
import { byId, counted, fieldOf } from "../parts/elements.js";
import type { BusTransports, View } from "../view.js";
import { load } from "./load.js";

const TIMEOUT_MS = 5_000;

/** Form that calls a server many times, to measure it. */
export class LoadForm implements View {
  readonly #form = byId("load-form", HTMLFormElement);
  readonly #start = byId("start-load", HTMLButtonElement);
  readonly #stop = byId("stop-load", HTMLButtonElement);
  readonly #outcome = byId("load-outcome", HTMLOutputElement);
  readonly #onLatency: (ms: number) => void;
  #bus: BusTransports | undefined;
  #running: AbortController | undefined;

  constructor(onLatency: (ms: number) => void) {
    this.#onLatency = onLatency;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run();
    });
    this.#stop.addEventListener("click", () => this.#running?.abort());
  }

  open(bus: BusTransports): void {
    this.#bus = bus;
    this.#showButtons();
  }

  async close(): Promise<void> {
    this.#running?.abort();
    this.#bus = undefined;
    this.#showButtons();
  }

  async #run(): Promise<void> {
    if (this.#bus === undefined || this.#running !== undefined) return;
    const calls = this.#number("calls");
    const running = new AbortController();
    this.#running = running;
    this.#showButtons();
    const topic = fieldOf(this.#form, "topic").value.trim();
    const started = performance.now();
    let progress = "no call finished";
    this.#outcome.ariaBusy = "true"; // screen readers announce only the final text
    this.#outcome.textContent = "running";
    await load({
      client: getRpcClient(this.#bus.rpc, { topic }, { timeoutMs: TIMEOUT_MS }),
      calls,
      concurrency: this.#number("concurrency"),
      signal: running.signal,
      onLatency: this.#onLatency,
      onProgress: (done, failed, lastError) => {
        const failures = lastError === undefined ? "" : `, ${counted(failed)} failed; last error: ${lastError.message}`;
        progress = `${counted(done)} of ${counted(calls)}${failures}`;
        this.#outcome.textContent = progress;
      },
    });
    this.#running = undefined;
    this.#outcome.ariaBusy = "false";
    this.#outcome.textContent = `${progress}, in ${((performance.now() - started) / 1_000).toFixed(1)} s`;
    this.#showButtons();
  }

  #number(name: string): number {
    return Number(fieldOf(this.#form, name).value);
  }

  #showButtons(): void {
    const running = this.#running !== undefined;
    this.#start.disabled = this.#bus === undefined || running;
    this.#stop.disabled = !running;
  }
}
