import type { Locator, Page } from "playwright";

export type Verb = "Call" | "Cast" | "Fanout";

export type Tab = "RPC" | "Serve" | "Notifications" | "Topology" | "Metrics" | "Frames" | "Log";

export const TABS: readonly Tab[] = ["RPC", "Serve", "Notifications", "Topology", "Metrics", "Frames", "Log"];

/** The fields of the RPC console, by their labels. */
export interface Request {
  topic?: string;
  server?: string;
  method: string;
  args?: string;
  timeout?: string;
}

export interface Login {
  user: string;
  password: string;
}

/** What a person sees and does on the page of the playground. */
export class PlaygroundPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Shows a tab, and resolves with its panel. */
  async tab(name: Tab): Promise<Locator> {
    await this.page.getByRole("tab", { name, exact: true }).click();
    const panel = this.page.getByRole("tabpanel", { name, exact: true });
    await panel.waitFor();
    return panel;
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  field(label: string): Locator {
    return this.page.getByRole("textbox", { name: label, exact: true });
  }

  async choose(place: "Embedded router" | "In this page" | "Another URL"): Promise<void> {
    await this.page.getByText(place, { exact: true }).click();
  }

  /** Types another URL, and Enter. */
  async connect(url: string, login?: Login): Promise<void> {
    await this.choose("Another URL");
    await this.field("User").fill(login?.user ?? "");
    await this.page.getByLabel("Password", { exact: true }).fill(login?.password ?? "");
    await this.field("Transport URL").fill(url);
    await this.field("Transport URL").press("Enter");
  }

  /** What the line of this name says, once it says something like that. */
  async status(name: "RPC" | "Notifications", text: string | RegExp): Promise<string> {
    const id = name === "RPC" ? "#rpc-status" : "#notifications-status";
    return await textOf(this.page.locator(id, { hasText: text }));
  }

  async connected(text = ""): Promise<void> {
    for (const name of ["RPC", "Notifications"] as const) await this.status(name, new RegExp(`^connected.*${text}`));
  }

  /** Fills the console, presses a button, and resolves with what the page says about it. */
  async request(
    verb: Verb,
    { topic = "demo", server = "", method, args = "{}", timeout = "5" }: Request,
  ): Promise<string> {
    await this.tab("RPC");
    const form = this.page.locator("#console-form");
    const fields = { Topic: topic, Server: server, Method: method, Arguments: args, Timeout: timeout };
    for (const [label, value] of Object.entries(fields)) await form.getByLabel(label).fill(value);
    return await this.press(verb);
  }

  /** Presses a button of the console, and resolves with what the page says about it. */
  async press(verb: Verb): Promise<string> {
    await this.button(verb).click();
    return await this.outcome();
  }

  /** Presses an example and Call. */
  async example(name: string): Promise<string> {
    await this.tab("RPC");
    await this.button(name).click();
    return await this.press("Call");
  }

  /** Of the request that was made last. */
  async outcome(): Promise<string> {
    return await textOf(
      this.page.locator('#exchanges > li:first-child:is([data-outcome="ok"], [data-outcome="failed"])'),
    );
  }

  /** The rows of notifications with this text. */
  notifications(text: string | RegExp): Locator {
    return this.page.getByRole("list", { name: "Notifications" }).getByRole("listitem").filter({ hasText: text });
  }

  /** Sends a notification from the page, and resolves with what the page says about it. */
  async notify(priority: string, eventType: string, payload: string): Promise<string> {
    await this.tab("Notifications");
    const form = this.page.locator("#notify-form");
    await form.getByLabel("Priority").selectOption(priority);
    await form.getByLabel("Event type to send").fill(eventType);
    await form.getByLabel("Payload").fill(payload);
    await this.button("Send").click();
    return await textOf(this.page.locator('#notify-outcome:not([data-outcome="waiting"])'));
  }

  /** The rows of frames with this performative. */
  frames(performative: string): Locator {
    return this.page.locator("#frame-rows > tr").filter({ has: this.page.getByText(performative, { exact: true }) });
  }
}

async function textOf(locator: Locator): Promise<string> {
  await locator.waitFor();
  return await locator.innerText();
}
