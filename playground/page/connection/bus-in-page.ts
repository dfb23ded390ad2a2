import {
  getNotificationTransport,
  getRpcTransport,
  type Logger,
  type NotificationTransport,
  type RPCTransport,
} from "oslo-messaging";
import { type Dial, Intermediary, memoryDial } from "oslo-messaging/intermediary";
import { DemoServices } from "../../demo-services.js";

const SCHEME = "amqp+memory";

/** A complete message bus in the page: a router with the same services that `npm start` runs. */
export class BusInPage {
  static readonly url = `${SCHEME}://this-page/`;
  /** Dialers for transports to `url`. */
  readonly dialers: Readonly<Record<string, Dial>>;
  readonly #intermediary: Intermediary;
  readonly #rpc: RPCTransport;
  readonly #notifications: NotificationTransport;
  readonly #services: Promise<DemoServices>;

  /** Clients may connect at once: the router lets their calls wait until the services have attached their links. */
  constructor(logger: Logger) {
    this.#intermediary = new Intermediary({ kind: "router", logger });
    const dialers = { [SCHEME]: memoryDial(this.#intermediary.accept) };
    this.dialers = dialers;
    this.#rpc = getRpcTransport(BusInPage.url, { dialers, logger, amqp: { containerName: "demo servers" } });
    // Without a logger, as in the demo backend.
    this.#notifications = getNotificationTransport(BusInPage.url, {
      dialers,
      logger: null,
      amqp: { containerName: "demo notifier" },
    });
    this.#services = DemoServices.start({ rpc: this.#rpc, notifications: this.#notifications, logger });
  }

  /** Closes the services, then the transports, then the router. */
  async close(): Promise<void> {
    await (await this.#services).close();
    await Promise.all([this.#rpc.close(), this.#notifications.close()]);
    await this.#intermediary.close();
  }
}
