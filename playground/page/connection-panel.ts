import {
  type Frame,
  getNotificationTransport,
  getRpcTransport,
  type Logger,
  type Transport,
} from "../../src/entry/web.js";
import { byId } from "./elements.js";
import { StatusLine } from "./status-line.js";
import type { Transports, View } from "./view.js";

export interface ConnectionPanelInit {
  views: readonly View[];
  logger: Logger;
  onFrame: (connection: string, frame: Frame) => void;
}

/** Connects the page to the URL that is typed, for RPC and for notifications, and shows how that goes. */
export class ConnectionPanel {
  readonly #init: ConnectionPanelInit;
  readonly #form = byId("connection-form", HTMLFormElement);
  readonly #url = byId("url", HTMLInputElement);
  readonly #connect = byId("connect", HTMLButtonElement);
  readonly #disconnect = byId("disconnect", HTMLButtonElement);
  readonly #rpcStatus = new StatusLine(byId("rpc-status", HTMLElement));
  readonly #notificationsStatus = new StatusLine(byId("notifications-status", HTMLElement));
  #transports: Transports | undefined;

  constructor(init: ConnectionPanelInit) {
    this.#init = init;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.connect();
    });
    this.#disconnect.addEventListener("click", () => void this.disconnect());
  }

  connect(): void {
    if (this.#transports !== undefined) return;
    const { views, logger, onFrame } = this.#init;
    const url = this.#url.value.trim();
    try {
      const rpc = getRpcTransport(url, { logger, onFrame: (frame) => onFrame("RPC", frame) });
      const notifications = getNotificationTransport(url, {
        logger,
        onFrame: (frame) => onFrame("notifications", frame),
      });
      this.#transports = { rpc, notifications };
    } catch (error) {
      this.#rpcStatus.refuse(error);
      this.#notificationsStatus.refuse(error);
      return;
    }
    this.#showConnected(true);
    void this.#rpcStatus.follow(this.#transports.rpc);
    void this.#notificationsStatus.follow(this.#transports.notifications);
    for (const view of views) view.open(this.#transports);
    connectNow(this.#transports.rpc);
    connectNow(this.#transports.notifications);
  }

  async disconnect(): Promise<void> {
    const transports = this.#transports;
    if (transports === undefined) return;
    this.#disconnect.disabled = true;
    await Promise.all(this.#init.views.map((view) => view.close()));
    await Promise.all([transports.rpc.close(), transports.notifications.close()]);
    this.#transports = undefined;
    this.#showConnected(false);
  }

  #showConnected(connected: boolean): void {
    this.#connect.disabled = connected;
    this.#disconnect.disabled = !connected;
    this.#url.readOnly = connected;
  }
}

/** Not at the first use only. It tries until it is closed; the status tells how that goes. */
function connectNow(transport: Transport): void {
  transport.connect().catch(() => {});
}
