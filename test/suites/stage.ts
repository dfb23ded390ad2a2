import {
  getNotificationListener,
  getRpcClient,
  getRpcServer,
  type ListenerOptions,
  type NotificationEndpoint,
  type NotificationListener,
  type NotificationTransport,
  type RPCClient,
  type RPCClientOptions,
  type RPCServer,
  type RPCServerOptions,
  type RPCTransport,
  type TargetInit,
  type Transport,
  type TransportOptions,
} from "../../src/entry/node.js";
import { type Bed, uniqueTopic } from "../support/bed.js";
import { RecordingLogger } from "../support/recording-logger.js";

/** Everybody who takes part in a test over a bed, each on a connection of its own, as in life. They leave with the stage. */
export class Stage implements AsyncDisposable {
  /** Nobody else's. */
  readonly topic: string;
  /** What all of them have logged. */
  readonly logger = new RecordingLogger();
  readonly #bed: Bed;
  readonly #transports: Transport[] = [];

  constructor(bed: Bed, name: string) {
    this.#bed = bed;
    this.topic = uniqueTopic(name);
  }

  rpcTransport(options?: TransportOptions): RPCTransport {
    return this.#keep(this.#bed.rpcTransport({ logger: this.logger, ...options }));
  }

  notificationTransport(options?: TransportOptions): NotificationTransport {
    return this.#keep(this.#bed.notificationTransport({ logger: this.logger, ...options }));
  }

  /** Of the stage's topic unless told. */
  client(target: TargetInit = {}, options?: RPCClientOptions, transport = this.rpcTransport()): RPCClient {
    return getRpcClient(transport, { topic: this.topic, ...target }, options);
  }

  /** A started server of the stage's topic. */
  async serve(server: string, endpoints: readonly object[], options?: RPCServerOptions): Promise<RPCServer> {
    const made = getRpcServer(this.rpcTransport(), { topic: this.topic, server }, endpoints, options);
    await made.start();
    return made;
  }

  /** A started listener of the stage's topic, or of these. */
  async listen(
    endpoints: readonly NotificationEndpoint[],
    options?: ListenerOptions,
    topics: readonly string[] = [this.topic],
  ): Promise<NotificationListener> {
    const targets = topics.map((topic) => ({ topic }));
    const listener = getNotificationListener(this.notificationTransport(), targets, endpoints, options);
    await listener.start();
    return listener;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }

  #keep<T extends Transport>(transport: T): T {
    this.#transports.push(transport);
    return transport;
  }
}
