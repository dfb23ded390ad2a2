import { toError } from "../../src/core/errors.js";
import { getRpcServer, type RPCServer } from "../../src/entry/web.js";
import { byId, clock, element } from "./elements.js";
import { jsonText } from "./json-text.js";
import { PageEndpoint } from "./page-endpoint.js";
import { Rows } from "./rows.js";
import type { Transports, View } from "./view.js";

const TOPIC = "browser";
const MOST_ROWS = 100;

/** An RPC server in this page, and the calls that it has served. */
export class ServerPanel implements View {
  readonly #name: string;
  readonly #start = byId("start-server", HTMLButtonElement);
  readonly #stop = byId("stop-server", HTMLButtonElement);
  readonly #status = byId("server-status", HTMLOutputElement);
  readonly #rows = new Rows(byId("served", HTMLOListElement), MOST_ROWS);
  #transports: Transports | undefined;
  #server: RPCServer | undefined;

  constructor(pageName: string) {
    this.#name = pageName;
    byId("server-name", HTMLElement).textContent = pageName;
    const command = byId("server-command", HTMLPreElement);
    command.textContent = `npx oslo-messaging call --url ${command.dataset["url"]} \\\n  --topic ${TOPIC} --server ${pageName} whoami`;
    this.#start.addEventListener("click", () => void this.#serve());
    this.#stop.addEventListener("click", () => void this.#end());
  }

  open(transports: Transports): void {
    this.#transports = transports;
    void this.#serve();
  }

  async close(): Promise<void> {
    await this.#end();
    this.#transports = undefined;
    this.#show("closed", "stopped");
  }

  async #serve(): Promise<void> {
    if (this.#transports === undefined || this.#server !== undefined) return;
    const endpoint = new PageEndpoint(this.#name, (method, args) => this.#served(method, args));
    const server = getRpcServer(this.#transports.rpc, { topic: TOPIC, server: this.#name }, [endpoint]);
    this.#server = server;
    this.#show("connecting", "starting");
    try {
      await server.start();
      if (this.#server === server) this.#show("connected", "serving");
    } catch (error) {
      if (this.#server !== server) return;
      this.#server = undefined;
      this.#show("refused", toError(error).message);
    }
  }

  /** Also while it is starting. */
  async #end(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    await server.stop();
    await server.wait();
    if (this.#server === undefined) this.#show("closed", "stopped");
  }

  #served(method: string, args: object): void {
    this.#rows.add(
      element("li", "", clock(new Date()), element("code", "", method), element("code", "", jsonText(args))),
    );
  }

  #show(state: string, text: string): void {
    this.#status.dataset["state"] = state;
    this.#status.textContent = text;
    this.#start.disabled = this.#transports === undefined || this.#server !== undefined;
    this.#stop.disabled = this.#server === undefined;
  }
}
