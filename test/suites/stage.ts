import {
  type BatchListenerOptions,
  type BatchNotificationEndpoint,
  getBatchNotificationListener,
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
} from "@/src/entry/node.js";
import { type Bed, uniqueTopic } from "../support/bed.js";
import { RecordingLogger } from "../support/recording-logger.js";

export interface ClientInit extends RPCClientOptions {
  target?: TargetInit | undefined;
  transport?: RPCTransport | undefined;
}

export interface ServerInit extends RPCServerOptions {
  exchange?: string | undefined;
  topic?: string | undefined;
  transport?: RPCTransport | undefined;
}

export interface ListenerInit extends ListenerOptions {
  topics?: readonly string[] | undefined;
  transport?: NotificationTransport | undefined;
}

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

  /** A connected client of the stage's topic, unless the target says otherwise. */
  async client(init: ClientInit = {}): Promise<RPCClient> {
    const { target, transport = this.rpcTransport(), ...options } = init;
    await transport.connect();
    return getRpcClient(transport, { topic: this.topic, ...target }, options);
  }

  /** A started server of the stage's topic, unless told. */
  async serve(server: string, endpoints: readonly object[], init: ServerInit = {}): Promise<RPCServer> {
    const { exchange, topic = this.topic, transport = this.rpcTransport(), ...options } = init;
    const made = getRpcServer(transport, { exchange, topic, server }, endpoints, options);
    await made.start();
    return made;
  }

  /** A started listener of the stage's topic, unless told. */
  async listen(endpoints: readonly NotificationEndpoint[], init: ListenerInit = {}): Promise<NotificationListener> {
    const { topics = [this.topic], transport = this.notificationTransport(), ...options } = init;
    const targets = topics.map((topic) => ({ topic }));
    const listener = getNotificationListener(transport, targets, endpoints, options);
    await listener.start();
    return listener;
  }

  /** The same, in batches. */
  async listenInBatches(
    endpoints: readonly BatchNotificationEndpoint[],
    init: ListenerInit & BatchListenerOptions,
  ): Promise<NotificationListener> {
    const { topics = [this.topic], transport = this.notificationTransport(), ...options } = init;
    const targets = topics.map((topic) => ({ topic }));
    const listener = getBatchNotificationListener(transport, targets, endpoints, options);
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
