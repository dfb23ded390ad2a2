import { getRpcServer, type RPCServer } from "oslo-messaging";
import { toError } from "../../../src/core/errors.js";
import { byId, clock, element, fieldOf } from "../parts/elements.js";
import { jsonText } from "../parts/json-text.js";
import { Rows } from "../parts/rows.js";
import type { BusTransports, View } from "../view.js";
import { PageEndpoint } from "./page-endpoint.js";
import { terminalCommand } from "./terminal-command.js";

const MOST_ROWS = 100;

export interface ServerPanelInit {
  /** Default name of the server. */
  pageName: string;
  /** Called when the user wants to call the server. */
  onWantsCall: (topic: string, server: string) => void;
}

/** Panel with an RPC server in this page and the calls that it has served. */
export class ServerPanel implements View {
  readonly #form = byId("server-form", HTMLFormElement);
  readonly #start = byId("start-server", HTMLButtonElement);
  readonly #stop = byId("stop-server", HTMLButtonElement);
  readonly #status = byId("server-status", HTMLOutputElement);
  readonly #rows = new Rows(byId("served", HTMLOListElement), MOST_ROWS);
  #bus: BusTransports | undefined;
  #server: RPCServer | undefined;

  constructor({ pageName, onWantsCall }: ServerPanelInit) {
    fieldOf(this.#form, "server").value = pageName;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#serve();
    });
    this.#form.addEventListener("input", () => this.#showCommand());
    this.#stop.addEventListener("click", () => void this.#end());
    byId("call-server", HTMLButtonElement).addEventListener("click", () => onWantsCall(this.#topic, this.#name));
  }

  open(bus: BusTransports): void {
    this.#bus = bus;
    this.#showCommand();
    void this.#serve();
  }

  async close(): Promise<void> {
    await this.#end();
    this.#bus = undefined;
    this.#showCommand();
    this.#show("closed", "stopped");
  }

  get #topic(): string {
    return fieldOf(this.#form, "topic").value.trim();
  }

  get #name(): string {
    return fieldOf(this.#form, "server").value.trim();
  }

  async #serve(): Promise<void> {
    if (this.#bus === undefined || this.#server !== undefined) return;
    const endpoint = new PageEndpoint(this.#name, (method, args) => this.#served(method, args));
    let server: RPCServer | undefined;
    try {
      server = getRpcServer(this.#bus.rpc, { topic: this.#topic, server: this.#name }, [endpoint]);
      this.#server = server;
      this.#show("connecting", "starting");
      await server.start();
      if (this.#server === server) this.#show("connected", "serving");
    } catch (error) {
      if (this.#server !== server) return;
      this.#server = undefined;
      this.#show("refused", toError(error).message);
    }
  }

  /** Stops the server, even while it is starting. */
  async #end(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    await server.stop();
    await server.wait();
    if (this.#server === undefined) this.#show("closed", "stopped");
  }

  #served(method: string, args: object): void {
    const line = element(
      "div",
      "line",
      clock(new Date()),
      element("code", "", method),
      element("code", "", jsonText(args)),
    );
    this.#rows.add(element("li", "", line));
  }

  #show(state: string, text: string): void {
    const serving = this.#server !== undefined;
    this.#status.dataset["state"] = state;
    this.#status.textContent = text;
    this.#start.disabled = this.#bus === undefined || serving;
    this.#stop.disabled = !serving;
    for (const name of ["topic", "server"]) fieldOf(this.#form, name).readOnly = serving;
  }

  #showCommand(): void {
    const url = this.#bus?.terminalUrl;
    byId("server-terminal", HTMLElement).hidden = url === undefined;
    if (url === undefined) return;
    const command = terminalCommand({ url, topic: this.#topic, server: this.#name });
    byId("server-command", HTMLPreElement).textContent = command;
  }
}
