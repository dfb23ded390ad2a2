import type { Logger } from "../src/core/logger.js";
import {
  getNotificationTransport,
  getRpcServer,
  getRpcTransport,
  MessageDeliveryFailure,
  MessagingTimeout,
  type NotificationTransport,
  Notifier,
} from "../src/entry/node.js";
import { Intermediary } from "../src/intermediary/intermediary.js";
import { listenTcp } from "../src/transports/tcp-listener.js";
import { listenWebSocket } from "../src/transports/websocket-listener.js";
import { chatter } from "./chatter.js";
import { DemoEndpoint } from "./demo-endpoint.js";

/** The RPC servers of the topic `demo`. */
const SERVERS = ["node-1", "node-2"];
const MAX_CONNECTIONS = 100;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Notifications that nobody listens to do not pile up. */
const NOTIFY_TIMEOUT_MS = 2_000;

/**
 * What the page and the command line talk to: an embedded router that listens on any free ports of this machine and,
 * connected to it by TCP, two RPC servers and a notifier.
 */
export class Backstage implements AsyncDisposable {
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #logger: Logger;
  #tcpUrl = "";
  #webSocketUrl = "";

  private constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Resolves when all of it works. `warn` gets what an operator should see. */
  static async start(warn: (text: string) => void): Promise<Backstage> {
    const ignore = (): void => {};
    const backstage = new Backstage({ debug: ignore, info: ignore, warn, error: warn });
    try {
      await backstage.#listen();
      await backstage.#serve();
    } catch (error) {
      await backstage.close();
      throw error;
    }
    return backstage;
  }

  get tcpUrl(): string {
    return this.#tcpUrl;
  }

  get webSocketUrl(): string {
    return this.#webSocketUrl;
  }

  /** What was opened last closes first. Idempotent. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen(): Promise<void> {
    const intermediary = new Intermediary({ kind: "router", logger: this.#logger });
    const at = { host: "127.0.0.1", port: 0, maxConnections: MAX_CONNECTIONS, accept: intermediary.accept };
    const tcp = await listenTcp(at);
    this.#closers.push(() => tcp.close());
    const webSocket = await listenWebSocket({ ...at, maxMessageBytes: MAX_MESSAGE_BYTES });
    this.#closers.push(() => webSocket.close());
    this.#closers.push(() => intermediary.close());
    this.#tcpUrl = `amqp://127.0.0.1:${tcp.port}/`;
    this.#webSocketUrl = `amqp+ws://127.0.0.1:${webSocket.port}/`;
  }

  async #serve(): Promise<void> {
    // Without a logger: that a router stores nothing is no news here, and what fails is told to `onFailure`.
    const notifications = getNotificationTransport(this.#tcpUrl);
    this.#closers.push(() => notifications.close());
    const rpc = getRpcTransport(this.#tcpUrl, { logger: this.#logger });
    this.#closers.push(() => rpc.close());
    await Promise.all(
      SERVERS.map(async (name) => {
        const notifier = this.#notifier(notifications, `demo.${name}`);
        const endpoint = new DemoEndpoint(name, (payload) => {
          void notifier.info({}, "demo.note", payload, { timeoutMs: NOTIFY_TIMEOUT_MS });
        });
        await getRpcServer(rpc, { topic: "demo", server: name }, [endpoint], { ping: true }).start();
      }),
    );
    const leaving = new AbortController();
    const talk = chatter(this.#notifier(notifications, "playground"), leaving.signal);
    this.#closers.push(async () => {
      leaving.abort();
      await talk;
    });
  }

  #notifier(transport: NotificationTransport, publisherId: string): Notifier {
    return new Notifier(transport, {
      publisherId,
      onFailure: (error) => {
        if (!isForNobody(error)) this.#logger.warn(`a notification failed: ${error.message}`);
      },
    });
  }
}

/** Nobody listens, or whoever did has closed the page; and at the end a notification may be under way. */
function isForNobody(error: Error): boolean {
  if (error instanceof MessagingTimeout || error instanceof MessageDeliveryFailure) return error.phase !== "connecting";
  return error.name === "AbortError";
}
