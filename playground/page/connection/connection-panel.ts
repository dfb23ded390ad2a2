import {
  type Frame,
  getNotificationTransport,
  getRpcTransport,
  type Logger,
  type Transport,
  type TransportOptions,
  TransportURL,
} from "oslo-messaging";
import { rabbit } from "oslo-messaging/rabbit";
import { toError } from "../../../src/core/errors.js";
import { byId } from "../parts/elements.js";
import type { BusTransports, View } from "../view.js";
import { BusInPage } from "./bus-in-page.js";
import { withoutLogin } from "./bus-url.js";
import { ConnectionForm } from "./connection-form.js";
import { StatusLine } from "./status-line.js";

export interface ConnectionPanelInit {
  /** Start of the container ids, by which other clients recognize this page. */
  pageName: string;
  views: readonly View[];
  logger: Logger;
  onFrame: (connection: string, frame: Frame) => void;
}

/** Connects the page to a message bus, for RPC and for notifications, and shows the status of both connections. */
export class ConnectionPanel {
  readonly #init: ConnectionPanelInit;
  readonly #embedded = embeddedUrls();
  readonly #form: ConnectionForm;
  readonly #disconnect = byId("disconnect", HTMLButtonElement);
  readonly #rpcStatus = new StatusLine(byId("rpc-status", HTMLElement));
  readonly #notificationsStatus = new StatusLine(byId("notifications-status", HTMLElement));
  #bus: BusTransports | undefined;
  #busInPage: BusInPage | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(init: ConnectionPanelInit) {
    this.#init = init;
    this.#form = new ConnectionForm(this.#embedded?.webSocket, () => this.connect());
    this.#disconnect.addEventListener("click", () => this.#inTurn(() => this.#close()));
  }

  /** Closes the current connections, then connects to the selected message bus. */
  connect(): void {
    this.#inTurn(async () => {
      await this.#close();
      this.#open();
    });
  }

  /** Runs connects and disconnects one after another. Logs an error; the next one runs all the same. */
  #inTurn(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(work).catch((error: unknown) => this.#init.logger.error(toError(error).message));
  }

  #open(): void {
    try {
      this.#bus = this.#busOf();
    } catch (error) {
      this.#rpcStatus.refuse(error);
      this.#notificationsStatus.refuse(error);
      return;
    }
    const { rpc, notifications } = this.#bus;
    this.#form.urge(false);
    this.#disconnect.disabled = false;
    void this.#rpcStatus.follow(rpc);
    void this.#notificationsStatus.follow(notifications);
    for (const view of this.#init.views) view.open(this.#bus);
    connectNow(rpc);
    connectNow(notifications);
  }

  async #close(): Promise<void> {
    const bus = this.#bus;
    if (bus === undefined) return;
    this.#form.urge(true);
    this.#disconnect.disabled = true;
    await Promise.all(this.#init.views.map((view) => view.close()));
    await Promise.all([bus.rpc.close(), bus.notifications.close()]);
    await this.#busInPage?.close();
    this.#bus = undefined;
    this.#busInPage = undefined;
  }

  #busOf(): BusTransports {
    const { place } = this.#form;
    if (place === "url") {
      const { rpc, notifications } = this.#form.urls();
      return { place, ...this.#transports(rpc, notifications), terminalUrl: withoutLogin(rpc).toString() };
    }
    if (place === "embedded" && this.#embedded !== undefined) {
      const url = TransportURL.parse(this.#embedded.webSocket);
      return { place, ...this.#transports(url, url), terminalUrl: this.#embedded.tcp };
    }
    this.#busInPage = new BusInPage(this.#init.logger);
    const url = TransportURL.parse(BusInPage.url);
    const { dialers } = this.#busInPage;
    return { place: "page", ...this.#transports(url, url, dialers), terminalUrl: undefined };
  }

  #transports(
    rpcUrl: TransportURL,
    notificationsUrl: TransportURL,
    dialers: TransportOptions["dialers"] = undefined,
  ): Pick<BusTransports, "rpc" | "notifications" | "dialers"> {
    const { logger, onFrame, pageName } = this.#init;
    const optionsFor = (connection: string): TransportOptions => ({
      drivers: [rabbit],
      dialers,
      logger,
      onFrame: (frame) => onFrame(connection, frame),
      amqp: { containerName: `${pageName} ${connection}` },
    });
    return {
      rpc: getRpcTransport(rpcUrl, optionsFor("RPC")),
      notifications: getNotificationTransport(notificationsUrl, optionsFor("notifications")),
      dialers,
    };
  }
}

/** URLs of the embedded router from index.html; undefined on a static host. */
function embeddedUrls(): { webSocket: string; tcp: string } | undefined {
  const { webSocketUrl, tcpUrl } = document.body.dataset;
  return webSocketUrl && tcpUrl ? { webSocket: webSocketUrl, tcp: tcpUrl } : undefined;
}

/** Connects before the first use. Retries until the transport is closed; the status line shows the attempts. */
function connectNow(transport: Transport): void {
  transport.connect({ keepTrying: true }).catch(() => {});
}
