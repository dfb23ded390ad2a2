/** A toggle button that pauses and resumes a list. */
export class PauseButton {
  readonly #button: HTMLButtonElement;
  #paused = false;

  constructor(button: HTMLButtonElement) {
    this.#button = button;
    button.addEventListener("click", () => this.#toggle());
  }

  get paused(): boolean {
    return this.#paused;
  }

  #toggle(): void {
    this.#paused = !this.#paused;
    this.#button.setAttribute("aria-pressed", String(this.#paused));
  }
}
