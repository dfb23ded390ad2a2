import { counted } from "../parts/elements.js";
import { svg } from "../parts/svg.js";
import type { PictureAddress, PictureClient, PictureModel } from "./picture-model.js";

const CLIENT_WIDTH = 240;
const ADDRESS_WIDTH = 300;
const GAP = 180;
const WIDTH = 2 * CLIENT_WIDTH + ADDRESS_WIDTH + 2 * GAP;
const HEIGHT = 40;
const ROW = 44;
/** Height of the headings. */
const HEAD = 28;
const LONGEST_NAME = 28;

interface Spot {
  x: number;
  y: number;
  width: number;
}

/** The parts of an address that change while the picture's shape stays the same. */
interface Moving {
  passed: number;
  count: SVGTextElement;
  /** Lines from senders and to receivers. */
  lines: readonly SVGPathElement[];
}

/** Draws the clients on both sides, the addresses in the middle, and lines for the messages. */
export class Picture {
  readonly #parent: HTMLElement;
  readonly #isOurs: (client: PictureClient) => boolean;
  #shape = "";
  #moving: readonly Moving[] = [];

  /** `isOurs` returns true when a client is this page. */
  constructor(parent: HTMLElement, isOurs: (client: PictureClient) => boolean) {
    this.#parent = parent;
    this.#isOurs = isOurs;
  }

  /** Redraws the picture when clients or addresses change. Otherwise updates counts and animates the lines in use. */
  show(model: PictureModel): void {
    const shape = JSON.stringify(model, (key, value) =>
      key === "passed" || key === "waiting" ? undefined : value instanceof Set ? [...value] : value,
    );
    if (shape !== this.#shape) this.#draw(model);
    else for (const [index, moving] of this.#moving.entries()) update(moving, model.addresses[index]);
    this.#shape = shape;
  }

  clear(): void {
    this.#shape = "";
    this.#moving = [];
    this.#parent.replaceChildren();
  }

  #draw({ senders, addresses, receivers }: PictureModel): void {
    const rows = Math.max(senders.length, addresses.length, receivers.length, 1);
    const column = (count: number, x: number, width: number): Spot[] =>
      Array.from({ length: count }, (_, index) => ({ x, y: HEAD + ((rows - count) / 2 + index) * ROW, width }));
    const left = column(senders.length, 0, CLIENT_WIDTH);
    const middle = column(addresses.length, CLIENT_WIDTH + GAP, ADDRESS_WIDTH);
    const right = column(receivers.length, WIDTH - CLIENT_WIDTH, CLIENT_WIDTH);
    const lines: SVGPathElement[] = [];
    const nodes: SVGElement[] = [];
    this.#moving = addresses.map((address, index) => {
      const spot = middle[index];
      if (spot === undefined) throw new RangeError("an address has no spot");
      const addressLines = [
        ...joined(senders, address.senders, left).map((from) => line(from, spot)),
        ...joined(receivers, address.receivers, right).map((to) => line(spot, to)),
      ];
      lines.push(...addressLines);
      const count = svg("text", { class: "count", x: spot.x + spot.width - 10, y: spot.y + 16, "text-anchor": "end" });
      count.textContent = countOf(address);
      nodes.push(box("address", spot, address.name, address.kind), count);
      return { passed: address.passed, count, lines: addressLines };
    });
    const clients = (side: readonly PictureClient[], spots: readonly Spot[]): SVGElement[] =>
      spots.map((spot, index) => {
        const client = side[index];
        if (client === undefined) throw new RangeError("a client has no spot");
        return box(this.#isOurs(client) ? "client ours" : "client", spot, client.name, client.about);
      });
    const height = HEAD + rows * ROW;
    const title = `${senders.length} clients send and ${receivers.length} listen on ${addresses.length} addresses. The table has the details.`;
    this.#parent.replaceChildren(
      svg(
        "svg",
        { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title },
        heading("Senders", 0),
        heading("Addresses", CLIENT_WIDTH + GAP),
        svg("text", { x: CLIENT_WIDTH + GAP + ADDRESS_WIDTH - 10, y: 14, "text-anchor": "end" }, "messages"),
        heading("Listeners", WIDTH - CLIENT_WIDTH),
        ...lines,
        ...clients(senders, left),
        ...nodes,
        ...clients(receivers, right),
      ),
    );
  }
}

/** Returns the spots of the clients with these ids. */
function joined(clients: readonly PictureClient[], ids: ReadonlySet<string>, spots: readonly Spot[]): Spot[] {
  return spots.filter((_, index) => ids.has(clients[index]?.id ?? ""));
}

function line(from: Spot, to: Spot): SVGPathElement {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + HEIGHT / 2, to.x, to.y + HEIGHT / 2];
  const half = (x2 - x1) / 2;
  return svg("path", {
    class: "line",
    pathLength: 100,
    d: `M ${x1} ${y1} C ${x1 + half} ${y1}, ${x2 - half} ${y2}, ${x2} ${y2}`,
  });
}

function box(kind: string, { x, y, width }: Spot, name: string, about: string): SVGElement {
  const short = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
  return svg(
    "g",
    { class: `box ${kind}` },
    svg("title", {}, name),
    svg("rect", { x, y, width, height: HEIGHT, rx: 6 }),
    svg("text", { class: "name", x: x + 10, y: y + 16 }, short),
    svg("text", { class: "about", x: x + 10, y: y + 32 }, about.slice(0, 2 * LONGEST_NAME)),
  );
}

function heading(text: string, x: number): SVGElement {
  return svg("text", { class: "heading", x, y: 14 }, text);
}

function countOf({ passed, waiting }: PictureAddress): string {
  return waiting === 0 ? counted(passed) : `${counted(passed)}, ${counted(waiting)} waiting`;
}

function update(moving: Moving, address: PictureAddress | undefined): void {
  if (address === undefined) return;
  moving.count.textContent = countOf(address);
  if (address.passed > moving.passed) for (const line of moving.lines) lightUp(line);
  moving.passed = address.passed;
}

/** Animates a pulse along the line, unless the user prefers reduced motion. */
function lightUp(line: SVGPathElement): void {
  if (document.hidden || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const pulse = svg("path", { class: "pulse", pathLength: 100, d: line.getAttribute("d") ?? "" });
  line.after(pulse);
  const way = [{ strokeDashoffset: "8" }, { strokeDashoffset: "-100" }];
  pulse.animate(way, { duration: 700, easing: "ease-in-out" }).addEventListener("finish", () => pulse.remove());
}
