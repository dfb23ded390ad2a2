import { byId } from "./elements.js";

/** One panel at a time. Only the present tab is in the tab order; arrows, Home and End go from one to the next. */
export class Tabs {
  readonly #tabs: readonly HTMLButtonElement[];
  readonly #onShow: (panel: string) => void;

  /**
   * `onShow` gets the name of the panel that shows, the first one too. The address of the page has it, so it survives a
   * reload; the panel's id is another, lest the browser scrolls to it.
   */
  constructor(list: HTMLElement, onShow: (panel: string) => void) {
    this.#tabs = [...list.querySelectorAll("button")];
    this.#onShow = onShow;
    for (const [index, tab] of this.#tabs.entries()) {
      tab.addEventListener("click", () => this.show(nameOf(tab)));
      tab.addEventListener("keydown", (event) => this.#move(event, index));
    }
    addEventListener("hashchange", () => this.#show(location.hash.slice(1)));
    this.#show(location.hash.slice(1));
  }

  show(panel: string): void {
    if (location.hash !== `#${panel}`) history.replaceState(undefined, "", `#${panel}`);
    this.#show(panel);
  }

  #move(event: KeyboardEvent, from: number): void {
    const last = this.#tabs.length - 1;
    const targets: Readonly<Record<string, number>> = {
      ArrowLeft: from === 0 ? last : from - 1,
      ArrowRight: from === last ? 0 : from + 1,
      Home: 0,
      End: last,
    };
    const tab = this.#tabs[targets[event.key] ?? -1];
    if (tab === undefined) return;
    event.preventDefault();
    tab.focus();
    this.show(nameOf(tab));
  }

  #show(wanted: string): void {
    const present = this.#tabs.find((tab) => nameOf(tab) === wanted) ?? this.#tabs[0];
    for (const tab of this.#tabs) {
      const selected = tab === present;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
      byId(`${nameOf(tab)}-panel`, HTMLElement).hidden = !selected;
    }
    if (present !== undefined) this.#onShow(nameOf(present));
  }
}

function nameOf(tab: HTMLElement): string {
  return tab.id.replace("tab-", "");
}
