import {
  getRpcServer,
  type Logger,
  MessageDeliveryFailure,
  MessagingTimeout,
  type NotificationTransport,
  Notifier,
  type RPCTransport,
} from "oslo-messaging";
import { DemoEndpoint } from "./demo-endpoint.js";
import { sendDemoNotifications } from "./demo-notifications.js";

export interface DemoServicesInit {
  rpc: RPCTransport;
  notifications: NotificationTransport;
  logger: Logger;
}

/** The RPC servers of the topic `demo`. */
const SERVERS = ["node-1", "node-2"];
/** Notifications that nobody listens to do not pile up. */
const NOTIFY_TIMEOUT_MS = 2_000;

/** Two RPC servers, and a notifier that tells what might happen in a cloud. They run in Node and in the page alike. */
export class DemoServices {
  readonly #init: DemoServicesInit;
  readonly #leaving = new AbortController();
  #talk: Promise<void> = Promise.resolve();

  private constructor(init: DemoServicesInit) {
    this.#init = init;
  }

  /** Resolves when the servers can be called. They end with their transports. */
  static async start(init: DemoServicesInit): Promise<DemoServices> {
    const services = new DemoServices(init);
    await Promise.all(SERVERS.map((name) => services.#serve(name)));
    services.#talk = sendDemoNotifications(services.#notifier("playground"), services.#leaving.signal);
    return services;
  }

  /** Ends the notifications. Comes before the transports are closed. */
  async close(): Promise<void> {
    this.#leaving.abort();
    await this.#talk;
  }

  async #serve(name: string): Promise<void> {
    const notifier = this.#notifier(`demo.${name}`);
    const endpoint = new DemoEndpoint(name, (payload) => {
      void notifier.info({}, "demo.note", payload, { timeoutMs: NOTIFY_TIMEOUT_MS });
    });
    await getRpcServer(this.#init.rpc, { topic: "demo", server: name }, [endpoint], { ping: true }).start();
  }

  #notifier(publisherId: string): Notifier {
    const { notifications, logger } = this.#init;
    return new Notifier(notifications, {
      publisherId,
      onFailure: (error) => {
        if (!isForNobody(error)) logger.warn(`a notification failed: ${error.message}`);
      },
    });
  }
}

/** Nobody listens, or whoever did has closed the page; and at the end a notification may be under way. */
function isForNobody(error: Error): boolean {
  if (error instanceof MessagingTimeout || error instanceof MessageDeliveryFailure) return error.phase !== "connecting";
  return error.name === "AbortError";
}
