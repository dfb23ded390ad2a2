import { byId } from "./elements.js";

/** Tabs that show one panel at a time. Only the selected tab is in the tab order; arrow keys, Home and End select others. */
export class Tabs {
  readonly #tabs: readonly HTMLButtonElement[];
  readonly #onShow: (panel: string) => void;

  /**
   * `onShow` is called with the name of each panel that is shown, including the first. The name is the fragment of the
   * page's URL and survives a reload. The panel's id differs from it, so that the browser does not scroll to the panel.
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

  #show(panel: string): void {
    const current = this.#tabs.find((tab) => nameOf(tab) === panel) ?? this.#tabs[0];
    for (const tab of this.#tabs) {
      const selected = tab === current;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
      byId(`${nameOf(tab)}-panel`, HTMLElement).hidden = !selected;
    }
    if (current !== undefined) this.#onShow(nameOf(current));
  }
}

function nameOf(tab: HTMLElement): string {
  return tab.id.replace("tab-", "");
}
