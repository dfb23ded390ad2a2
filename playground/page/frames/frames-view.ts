import type { Frame } from "oslo-messaging";
import { byId, clock, counted, element } from "../parts/elements.js";
import { jsonText } from "../parts/json-text.js";
import { PauseButton } from "../parts/pause-button.js";
import { frameSummary } from "./frame-summary.js";

const MOST_KEPT = 300;

interface LoggedFrame {
  at: Date;
  connection: string;
  frame: Frame;
}

interface Kept extends LoggedFrame {
  row: HTMLElement;
  /** In lower case, for the filter. */
  text: string;
}

/** Shows the AMQP frames of both connections that match the filter. */
export class FramesView {
  readonly #body = byId("frame-rows", HTMLTableSectionElement);
  readonly #count = byId("frame-count", HTMLElement);
  readonly #pause = new PauseButton(byId("pause-frames", HTMLButtonElement));
  readonly #filter = byId("frame-filter", HTMLInputElement);
  readonly #connection = byId("frame-connection", HTMLSelectElement);
  readonly #direction = byId("frame-direction", HTMLSelectElement);
  /** Newest first. */
  #kept: readonly Kept[] = [];
  /** Frames for the next repaint. A hidden page is not repainted, so at most `MOST_KEPT` frames wait. */
  #unpainted: LoggedFrame[] = [];
  #repaintAsked = false;
  #frames = 0;
  #bytes = 0;

  constructor() {
    for (const field of [this.#filter, this.#connection, this.#direction]) {
      field.addEventListener("input", () => this.#showKept());
    }
    byId("clear-frames", HTMLButtonElement).addEventListener("click", () => {
      this.#kept = [];
      this.#showKept();
    });
  }

  /** Counts a frame, and keeps it unless the list is paused. */
  add(connection: string, frame: Frame): void {
    this.#frames += 1;
    this.#bytes += frame.bytes;
    if (!this.#pause.paused) this.#unpainted.push({ at: new Date(), connection, frame });
    if (this.#unpainted.length > MOST_KEPT) this.#unpainted.shift();
    if (this.#repaintAsked) return;
    this.#repaintAsked = true;
    requestAnimationFrame(() => this.#paint());
  }

  #paint(): void {
    this.#repaintAsked = false;
    const fresh = this.#unpainted.map(keptOf).reverse();
    this.#unpainted = [];
    const old = this.#kept;
    this.#kept = [...fresh, ...old].slice(0, MOST_KEPT);
    for (const { row } of old.slice(Math.max(0, MOST_KEPT - fresh.length))) row.remove();
    this.#body.prepend(...fresh.filter((kept) => this.#passes(kept)).map(({ row }) => row));
    this.#count.textContent = `${counted(this.#frames)} frames, ${counted(this.#bytes)} bytes`;
  }

  #showKept(): void {
    this.#body.replaceChildren(...this.#kept.filter((kept) => this.#passes(kept)).map(({ row }) => row));
  }

  #passes({ connection, frame, text }: Kept): boolean {
    const isChosen = (select: HTMLSelectElement, value: string): boolean => ["", value].includes(select.value);
    return (
      isChosen(this.#connection, connection) &&
      isChosen(this.#direction, frame.direction) &&
      text.includes(this.#filter.value.trim().toLowerCase())
    );
  }
}

function keptOf(logged: LoggedFrame): Kept {
  const { at, connection, frame } = logged;
  const { direction, channel, performative, fields, bytes } = frame;
  const cells = [
    clock(at),
    connection,
    element("span", direction, direction === "in" ? "← in" : "→ out"),
    String(channel),
    element("strong", "", performative),
    counted(bytes),
    fieldsOf(frame),
  ];
  const row = element("tr", "", ...cells.map((cell) => element("td", "", cell)));
  return { ...logged, row, text: `${performative} ${jsonText(fields)}`.toLowerCase() };
}

function fieldsOf(frame: Frame): HTMLElement | string {
  const summary = frameSummary(frame);
  if (summary === "") return "";
  return element(
    "details",
    "",
    element("summary", "", element("code", "", summary)),
    element("pre", "", jsonText(frame.fields, 2)),
  );
}
