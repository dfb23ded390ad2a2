import { Child, leashed } from "./child.js";

/** A screen that nobody sees, for browsers that need one: Xvfb, at a display of its own. */
export class Screen implements AsyncDisposable {
  /** For the variable DISPLAY. */
  readonly display: string;
  readonly #xvfb: Child;

  private constructor(xvfb: Child, display: string) {
    this.#xvfb = xvfb;
    this.display = display;
  }

  static async open(): Promise<Screen> {
    const command = leashed(["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
    const xvfb = new Child({ name: "Xvfb (bash scripts/setup.sh installs it)", command });
    try {
      const number = await xvfb.waitFor("a display", (line) => (/^\d+$/.test(line) ? line : undefined));
      return new Screen(xvfb, `:${number}`);
    } catch (error) {
      await xvfb.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#xvfb.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
