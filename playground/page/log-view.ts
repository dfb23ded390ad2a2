import type { Logger } from "../../src/entry/web.js";
import { byId, clock, element } from "./elements.js";
import { cut, jsonText } from "./json-text.js";
import { Rows } from "./rows.js";

const MOST_ROWS = 100;

/** Shows what the library logs. */
export class LogView implements Logger {
  readonly #rows = new Rows(byId("log", HTMLOListElement), MOST_ROWS);
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
    this.#count.textContent = String(this.#logged);
    const text = fields === undefined ? message : `${message} ${jsonText(fields)}`;
    this.#rows.add(element("li", "", clock(new Date()), badge(level), element("span", "", cut(text))));
  }
}

function badge(level: string): HTMLElement {
  const made = element("span", "badge", level);
  made.dataset["priority"] = level;
  return made;
}
