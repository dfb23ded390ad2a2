import { assert } from "chai";
import type {
  NotificationEndpoint,
  NotificationTransport,
  RPCClient,
  RPCClientOptions,
  RPCServerOptions,
  RPCTransport,
  TargetInit,
  Transport,
  TransportOptions,
} from "oslo-messaging";
import type { Library, Setting, StageHandMethods } from "./scenario.js";

export interface ClientInit extends RPCClientOptions {
  readonly target?: TargetInit | undefined;
  readonly transport?: RPCTransport | undefined;
}

export interface ServerInit extends RPCServerOptions {
  readonly exchange?: string | undefined;
  readonly transport?: RPCTransport | undefined;
}

export interface ListenerInit {
  readonly allowRequeue?: boolean | undefined;
  readonly transport?: NotificationTransport | undefined;
}

/** What a scenario has. Everybody whom it asks for leaves with it. */
export class Stage {
  readonly oslo: Library;
  readonly setting: Setting;
  /** Nobody else's. */
  readonly topic = `stage-${crypto.randomUUID()}`;
  readonly #hand: RPCClient;
  readonly #transports: Transport[] = [];

  constructor(oslo: Library, setting: Setting, hand: RPCClient) {
    this.oslo = oslo;
    this.setting = setting;
    this.#hand = hand;
  }

  /** Of the message bus, unless told. */
  rpcTransport(options?: TransportOptions, url = this.setting.url): RPCTransport {
    return this.#keep(this.oslo.getRpcTransport(url, options));
  }

  notificationTransport(options?: TransportOptions): NotificationTransport {
    return this.#keep(this.oslo.getNotificationTransport(this.setting.url, options));
  }

  /** Of the stage's topic, unless the target says otherwise. */
  client({ target, transport = this.rpcTransport(), ...options }: ClientInit = {}): RPCClient {
    return this.oslo.getRpcClient(transport, { topic: this.topic, ...target }, options);
  }

  /** Of Python's server. */
  python(transport = this.rpcTransport()): RPCClient {
    return this.oslo.getRpcClient(transport, { topic: this.setting.pythonTopic, version: "1.0" });
  }

  /** A server of the stage's topic that has started. */
  async serve(server: string, endpoints: readonly object[], init: ServerInit = {}): Promise<void> {
    const { exchange, transport = this.rpcTransport(), ...options } = init;
    await this.oslo.getRpcServer(transport, { exchange, topic: this.topic, server }, endpoints, options).start();
  }

  /** A listener of the stage's topic that has started. */
  async listen(endpoints: readonly NotificationEndpoint[], init: ListenerInit = {}): Promise<void> {
    const { transport = this.notificationTransport(), ...options } = init;
    await this.oslo.getNotificationListener(transport, [{ topic: this.topic }], endpoints, options).start();
  }

  /** Has something done that this runtime cannot do itself, by RPC on the same bus. */
  async ask<M extends keyof StageHandMethods>(
    method: M,
    ...[args]: Parameters<StageHandMethods[M]>
  ): Promise<Awaited<ReturnType<StageHandMethods[M]>>> {
    return (await this.#hand.call({}, method, args)) as Awaited<ReturnType<StageHandMethods[M]>>;
  }

  async close(): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }

  #keep<T extends Transport>(transport: T): T {
    this.#transports.push(transport);
    return transport;
  }
}

/** A promise that is awaited later, or never, when the scenario fails before: then it may reject, too. */
export function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** What a promise rejects with. It may be awaited later. */
export function failureOf<E>(promise: Promise<unknown>, type: abstract new (...args: never[]) => E): Promise<E> {
  const failure = promise.then(
    () => assert.fail(`no ${type.name} was thrown`),
    (error: unknown) => {
      if (error instanceof type) return error;
      throw error;
    },
  );
  return later(failure);
}
