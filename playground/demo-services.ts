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
/** Time limit for a notification, so that those without a listener do not accumulate. */
const NOTIFY_TIMEOUT_MS = 2_000;

/** Two RPC servers and a notifier that sends typical events of a cloud. They run in Node and in the page. */
export class DemoServices {
  readonly #init: DemoServicesInit;
  readonly #leaving = new AbortController();
  #notifying: Promise<void> = Promise.resolve();

  private constructor(init: DemoServicesInit) {
    this.#init = init;
  }

  /** Resolves when the servers can be called. They stop with their transports. */
  static async start(init: DemoServicesInit): Promise<DemoServices> {
    const services = new DemoServices(init);
    await Promise.all(SERVERS.map((name) => services.#serve(name)));
    services.#notifying = sendDemoNotifications(services.#notifier("playground"), services.#leaving.signal);
    return services;
  }

  /** Stops the notifications. Call it before the transports are closed. */
  async close(): Promise<void> {
    this.#leaving.abort();
    await this.#notifying;
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
        if (!isExpected(error)) logger.warn(`a notification failed: ${error.message}`);
      },
    });
  }
}

/** True when there is no listener, when its page was closed meanwhile, or when `close` aborted the notification. */
function isExpected(error: Error): boolean {
  if (error instanceof MessagingTimeout || error instanceof MessageDeliveryFailure) return error.phase !== "connecting";
  return error.name === "AbortError";
}
