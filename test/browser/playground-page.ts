import type { Locator, Page } from "playwright";

export type Verb = "Call" | "Cast" | "Fanout";

/** The fields of the RPC console, by their labels. */
export interface Request {
  topic?: string;
  server?: string;
  method: string;
  args?: string;
  timeout?: string;
}

/** What a person sees and does on the page of the playground. */
export class PlaygroundPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  field(label: string): Locator {
    return this.page.getByRole("textbox", { name: label, exact: true });
  }

  /** Types another URL in the place of the present one, and Enter. */
  async connect(url: string): Promise<void> {
    const field = this.field("Transport URL");
    await field.fill(url);
    await field.press("Enter");
  }

  /** What the line of this name says, once it says something like that. */
  async status(name: "RPC" | "Notifications", text: string | RegExp): Promise<string> {
    const id = name === "RPC" ? "#rpc-status" : "#notifications-status";
    return await textOf(this.page.locator(id, { hasText: text }));
  }

  /** Fills the console, presses a button, and resolves with what the page says about it. */
  async request(
    verb: Verb,
    { topic = "demo", server = "", method, args = "{}", timeout = "5" }: Request,
  ): Promise<string> {
    const form = this.page.locator("#console-form");
    const fields = { Topic: topic, Server: server, Method: method, Arguments: args, Timeout: timeout };
    for (const [label, value] of Object.entries(fields)) await form.getByLabel(label).fill(value);
    return await this.press(verb);
  }

  /** Presses a button of the console, and resolves with what the page says about it. */
  async press(verb: Verb): Promise<string> {
    await this.button(verb).click();
    return await textOf(this.page.locator('#exchanges > li:first-child:not([data-outcome="waiting"])'));
  }

  /** The rows of notifications with this text. */
  notifications(text: string | RegExp): Locator {
    return this.page.getByRole("list", { name: "Notifications" }).getByRole("listitem").filter({ hasText: text });
  }

  /** Sends a notification from the page, and resolves with what the page says about it. */
  async notify(priority: string, eventType: string, payload: string): Promise<string> {
    const form = this.page.locator("#notify-form");
    await form.getByLabel("Priority").selectOption(priority);
    await form.getByLabel("Event type").fill(eventType);
    await form.getByLabel("Payload").fill(payload);
    await this.button("Send").click();
    return await textOf(this.page.locator('#notify-outcome:not([data-outcome="waiting"])'));
  }

  /** The rows of frames with this performative. */
  frames(performative: string): Locator {
    return this.page.locator("#frames > tr").filter({ has: this.page.getByText(performative, { exact: true }) });
  }
}

async function textOf(locator: Locator): Promise<string> {
  await locator.waitFor();
  return await locator.innerText();
}
