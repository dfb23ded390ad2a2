import type { Frame } from "../../src/entry/web.js";
import { byId, clock, element } from "./elements.js";
import { jsonText } from "./json-text.js";
import { Rows } from "./rows.js";

const MOST_ROWS = 300;
/** Of a frame's fields, on one line; a click shows more. */
const SHORT_TEXT = 200;

interface Passed {
  at: Date;
  connection: string;
  frame: Frame;
}

/** The AMQP frames of all connections as they pass. */
export class FramesView {
  readonly #rows = new Rows(byId("frames", HTMLElement), MOST_ROWS);
  readonly #count = byId("frame-count", HTMLSpanElement);
  readonly #pause = byId("pause-frames", HTMLButtonElement);
  /** What the next repaint shows. A hidden page is not repainted, so only as many are kept as there are rows. */
  #unpainted: Passed[] = [];
  #paused = false;
  #repaintAsked = false;
  #frames = 0;
  #bytes = 0;

  constructor() {
    this.#pause.addEventListener("click", () => this.#setPaused(!this.#paused));
    byId("clear-frames", HTMLButtonElement).addEventListener("click", () => this.#rows.clear());
  }

  /** While it is paused frames are counted, and not kept. */
  add(connection: string, frame: Frame): void {
    this.#frames += 1;
    this.#bytes += frame.bytes;
    if (!this.#paused) this.#unpainted.push({ at: new Date(), connection, frame });
    if (this.#unpainted.length > MOST_ROWS) this.#unpainted.shift();
    if (this.#repaintAsked) return;
    this.#repaintAsked = true;
    requestAnimationFrame(() => this.#paint());
  }

  #setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#pause.setAttribute("aria-pressed", String(paused));
    this.#pause.textContent = paused ? "Resume" : "Pause";
  }

  #paint(): void {
    this.#repaintAsked = false;
    this.#rows.add(...this.#unpainted.map(rowOf));
    this.#unpainted = [];
    const [frames, bytes] = [this.#frames, this.#bytes].map((count) => count.toLocaleString("en"));
    this.#count.textContent = `${frames} frames, ${bytes} bytes`;
  }
}

function rowOf({ at, connection, frame }: Passed): HTMLElement {
  const { direction, channel, performative, fields, bytes } = frame;
  const cells = [
    clock(at),
    connection,
    direction === "in" ? "← in" : "→ out",
    String(channel),
    element("strong", "", performative),
    bytes.toLocaleString("en"),
    fieldsOf(fields),
  ];
  const row = element("tr", "", ...cells.map((cell) => element("td", "", cell)));
  row.dataset["direction"] = direction;
  return row;
}

function fieldsOf(fields: object): HTMLElement | string {
  const text = jsonText(fields);
  if (text === "{}") return "";
  const short = text.length > SHORT_TEXT ? `${text.slice(0, SHORT_TEXT)}...` : text;
  return element(
    "details",
    "",
    element("summary", "", element("code", "", short)),
    element("pre", "", jsonText(fields, 2)),
  );
}
