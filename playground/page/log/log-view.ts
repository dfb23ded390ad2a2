import type { Logger } from "oslo-messaging";
import { badge, byId, clock, counted, element } from "../parts/elements.js";
import { cut, jsonText } from "../parts/json-text.js";
import { Rows } from "../parts/rows.js";

const MOST_ROWS = 100;

/** Shows the log of the library. */
export class LogView implements Logger {
  readonly #rows = new Rows(byId("log-lines", HTMLOListElement), MOST_ROWS);
  readonly #count = byId("log-count", HTMLSpanElement);
  #logged = 0;

  debug(): void {}

  info(message: string, fields?: object): void {
    this.#add("info", message, fields);
  }

  warn(message: string, fields?: object): void {
    this.#add("warn", message, fields);
  }

  error(message: string, fields?: object): void {
    this.#add("error", message, fields);
  }

  #add(level: string, message: string, fields: object | undefined): void {
    this.#logged += 1;
    this.#count.textContent = counted(this.#logged);
    const text = fields === undefined ? message : `${message} ${jsonText(fields)}`;
    const line = element("div", "line", clock(new Date()), badge(level), element("span", "grow", cut(text)));
    this.#rows.add(element("li", "", line));
  }
}
