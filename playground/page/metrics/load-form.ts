import { getRpcClient } from "oslo-messaging";
import { byId, counted, fieldOf } from "../parts/elements.js";
import type { BusTransports, View } from "../view.js";
import { load } from "./load.js";

const TIMEOUT_MS = 5_000;

/** Calls a server many times, to have something to measure. */
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
    let told = "none was answered";
    this.#outcome.ariaBusy = "true"; // it is read out when it is over
    this.#outcome.textContent = "under way";
    await load({
      client: getRpcClient(this.#bus.rpc, { topic }, { timeoutMs: TIMEOUT_MS }),
      calls,
      concurrency: this.#number("concurrency"),
      signal: running.signal,
      onLatency: this.#onLatency,
      onProgress: (done, failed, lastError) => {
        const failures =
          lastError === undefined ? "" : `, ${counted(failed)} failed, the last because: ${lastError.message}`;
        told = `${counted(done)} of ${counted(calls)}${failures}`;
        this.#outcome.textContent = told;
      },
    });
    this.#running = undefined;
    this.#outcome.ariaBusy = "false";
    this.#outcome.textContent = `${told}, in ${((performance.now() - started) / 1_000).toFixed(1)} s`;
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
