import { getNotificationTransport, getRpcTransport, type Logger } from "oslo-messaging";
import { Intermediary, listenTcp, listenWebSocket } from "oslo-messaging/intermediary";
import { DemoServices } from "./demo-services.js";

const MAX_CONNECTIONS = 100;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/**
 * The message bus behind the page and the command line: an embedded router on free ports of 127.0.0.1 and, connected to it
 * by TCP, two RPC servers and a notifier.
 */
export class DemoBackend implements AsyncDisposable {
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #logger: Logger;
  #tcpUrl = "";
  #webSocketUrl = "";

  private constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Resolves when the router listens and the servers can be called. `warn` receives warnings and errors. */
  static async start(warn: (text: string) => void): Promise<DemoBackend> {
    const ignore = (): void => {};
    const backend = new DemoBackend({ debug: ignore, info: ignore, warn, error: warn });
    try {
      await backend.#listen();
      await backend.#serve();
    } catch (error) {
      await backend.close();
      throw error;
    }
    return backend;
  }

  get tcpUrl(): string {
    return this.#tcpUrl;
  }

  get webSocketUrl(): string {
    return this.#webSocketUrl;
  }

  /** Closes everything in the reverse order of opening. Idempotent. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen(): Promise<void> {
    const intermediary = new Intermediary({ kind: "router", logger: this.#logger });
    const at = {
      host: "127.0.0.1",
      port: 0,
      maxConnections: MAX_CONNECTIONS,
      accept: intermediary.accept,
      logger: this.#logger,
    };
    const tcp = await listenTcp(at);
    this.#closers.push(() => tcp.close());
    const webSocket = await listenWebSocket({ ...at, maxMessageBytes: MAX_MESSAGE_BYTES });
    this.#closers.push(() => webSocket.close());
    this.#closers.push(() => intermediary.close());
    this.#tcpUrl = `amqp://127.0.0.1:${tcp.port}/`;
    this.#webSocketUrl = `amqp+ws://127.0.0.1:${webSocket.port}/`;
  }

  async #serve(): Promise<void> {
    // Without a logger: the warning that a router stores nothing is expected here, and the services log their failures.
    const notifications = getNotificationTransport(this.#tcpUrl, {
      logger: null,
      amqp: { containerName: "demo notifier" },
    });
    this.#closers.push(() => notifications.close());
    const rpc = getRpcTransport(this.#tcpUrl, { logger: this.#logger, amqp: { containerName: "demo servers" } });
    this.#closers.push(() => rpc.close());
    const services = await DemoServices.start({ rpc, notifications, logger: this.#logger });
    this.#closers.push(() => services.close());
  }
}
