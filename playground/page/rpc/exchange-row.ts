import { badge, clock, element } from "../parts/elements.js";
import { failure } from "../parts/failure.js";
import { type Request, titleOf } from "./request.js";

/** A row with one request and its outcome. */
export class ExchangeRow {
  readonly element: HTMLElement;
  readonly #outcome = badge("waiting");
  readonly #timing = element("span", "line quiet");

  /** `onAgain` is called when the user repeats the request. */
  constructor(request: Request, onAgain: () => void) {
    const title = titleOf(request);
    const again = element("button", "small", "Again");
    again.type = "button";
    again.setAttribute("aria-label", `Again: ${title}`);
    again.addEventListener("click", onAgain);
    this.element = element(
      "li",
      "",
      element("div", "line", this.#outcome, element("code", "grow", title), this.#timing, again),
    );
  }

  /** Returns the row of a request that was made before the page was loaded. */
  static earlier(request: Request, onAgain: () => void): ExchangeRow {
    const row = new ExchangeRow(request, onAgain);
    row.#show("earlier", element("pre", "quiet", request.args));
    return row;
  }

  succeed(result: string, ms: number): void {
    this.#took(ms);
    this.#show("ok", element("pre", "", result));
  }

  fail(error: Error, ms: number): void {
    this.#took(ms);
    this.#show("failed", failure(error));
  }

  #took(ms: number): void {
    this.#timing.append(`${ms.toFixed(1)} ms`, clock(new Date()));
  }

  #show(outcome: string, details: HTMLElement): void {
    this.element.dataset["outcome"] = outcome;
    this.#outcome.dataset["word"] = outcome;
    this.#outcome.textContent = outcome;
    this.element.append(details);
  }
}
