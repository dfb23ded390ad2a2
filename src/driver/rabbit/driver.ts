import { AbortSet } from "../../core/abort-set.js";
import type { StatusFeed } from "../../core/connection/status.js";
import { type RetryPolicy, Supervisor } from "../../core/connection/supervisor.js";
import type { Deadline } from "../../core/deadlines.js";
import { ConnectionLost } from "../../core/errors.js";
import { ACCEPTED } from "../../core/messages/outcome.js";
import type { Log } from "../../core/recurring-warnings.js";
import type { RabbitConnectionReport } from "../connection-report.js";
import type {
  CallRequest,
  CastRequest,
  ConnectOptions,
  DriverListener,
  ListenOptions,
  NotifyRequest,
  OnIncoming,
  ServiceKind,
  TransportDriver,
} from "../driver.js";
import type { Host } from "../options/hosts.js";
import { type Connections, Operations, transportClosed } from "../sending/operations.js";
import type { SendOutcome } from "../sending/outcomes.js";
import { runCall } from "../sending/run-call.js";
import { SendOperation, type SendOperationInit } from "../sending/send-operation.js";
import type { QueueLimits } from "../sending/send-queue.js";
import { sendUntilAccepted } from "../sending/send-until-accepted.js";
import { waitLimits } from "../sending/wait-limits.js";
import { whenConnected } from "../sending/when-connected.js";
import type { Target } from "../target.js";
import { MessageIds } from "../values/ids.js";
import type { NonFiniteNumbers } from "../values/json.js";
import { KnownIds } from "../values/known-ids.js";
import type { RemoteExceptions } from "../values/remote-failure.js";
import type { BrokerConnection } from "./broker-connection.js";
import { compress } from "./compression.js";
import { DeclarationRefused } from "./declaration-refused.js";
import { Listener, prefetchOf } from "./listener.js";
import { ListeningConnection } from "./listening-connection.js";
import type { ResolvedRabbitOptions } from "./option-table.js";
import { probe } from "./probe.js";
import type { RabbitMessage } from "./publishing.js";
import { PublishingConnection } from "./publishing-connection.js";
import { Replies } from "./replies.js";
import { ReplySender } from "./reply-sender.js";
import { retryPolicy } from "./retry-policy.js";
import { CombinedStatus } from "./status.js";
import { type BoundQueue, type Route, Topology } from "./topology.js";
import { encodeNotification, encodeRequest } from "./wire.js";

export interface RabbitDriverInit extends Log {
  hosts: readonly [Host, ...Host[]];
  connect: (host: Host, signal: AbortSignal, attempt: number) => Promise<BrokerConnection>;
  options: ResolvedRabbitOptions;
  /** Default: by `options`. */
  retry?: RetryPolicy | undefined;
  /** Timeout of casts and notifications without one of their own. Omitted: they have none. */
  defaultSendTimeoutMs?: number | undefined;
  defaultNotifyTimeoutMs?: number | undefined;
  controlExchange: string;
  maxMessageBytes: number;
  remoteExceptions: RemoteExceptions | undefined;
  nonFiniteNumbers?: NonFiniteNumbers | undefined;
  status: StatusFeed;
  maxQueued?: QueueLimits | undefined;
  /** See {@link Replies}. Default false, as oslo. */
  failFast?: boolean | undefined;
  /** See {@link Supervisor}. */
  random?: (() => number) | undefined;
  onWake?: ((wake: () => void) => () => void) | undefined;
}

type Publish = (connection: PublishingConnection, message: RabbitMessage) => Promise<SendOutcome>;

/**
 * oslo.messaging over AMQP 0-9-1 (oslo_messaging/_drivers/impl_rabbit.py and amqpdriver.py). One connection publishes, and
 * another one consumes: a broker in an alarm stops reading from connections that publish. Each is made when it is needed.
 */
export class RabbitDriver implements TransportDriver {
  readonly hasPools = true;
  readonly options: ResolvedRabbitOptions;
  readonly topology: Topology;
  readonly #init: RabbitDriverInit;
  readonly #ids = new MessageIds();
  readonly #publishing: Supervisor<Host, PublishingConnection>;
  readonly #listening: Supervisor<Host, ListeningConnection>;
  readonly #operations: Operations<PublishingConnection>;
  readonly #replies: Replies;
  readonly #replySender: ReplySender;
  readonly #listeners = new Set<Listener>();
  /** Signals of the requests that are handled. */
  readonly #aborts = new AbortSet();
  /** Resolves when the newest message is compressed. */
  #compressed: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(init: RabbitDriverInit) {
    const { hosts, options, logger, random, onWake, nonFiniteNumbers, warnings, failFast = false } = init;
    this.#init = init;
    this.options = options;
    this.topology = new Topology(init);
    const statuses = new CombinedStatus(init.status);
    const common = { hosts, retry: init.retry ?? retryPolicy(options), logger, random, onWake };
    this.#publishing = new Supervisor({
      ...common,
      open: async (host, signal, attempt) => {
        const connection = await init.connect(host, signal, attempt);
        return new PublishingConnection({ ...init, connection, host: host.name, status: statuses.publishing });
      },
      whenConnected() {},
      isNeeded: () => false,
      purpose: " for publishing",
      status: statuses.publishing,
    });
    this.#listening = new Supervisor({
      ...common,
      open: async (host, signal, attempt) => {
        const connection = await init.connect(host, signal, attempt);
        return new ListeningConnection({ ...init, connection, host: host.name, status: statuses.listening });
      },
      whenConnected: (connection) => {
        this.#replies.attach(connection);
        for (const listener of this.#listeners) listener.attach(connection);
      },
      isNeeded: () => this.#listeners.size > 0,
      purpose: " for listening",
      status: statuses.listening,
    });
    this.#operations = new Operations(this.#connections(), init.maxQueued);
    this.#replies = new Replies({
      queue: this.topology.replyQueue(this.#ids.next()),
      consumerArguments: this.topology.consumerArguments,
      connections: this.#listening,
      nonFiniteNumbers,
      failFast,
      maxMessageBytes: init.maxMessageBytes,
      warnings,
    });
    this.#replySender = new ReplySender({ operations: this.#operations, ids: this.#ids, options, warnings });
  }

  async connect(options: ConnectOptions): Promise<void> {
    // A program that only listens needs no other connection.
    if (this.#listeners.size > 0) await this.#whenConnected(this.#listening, options, async () => {});
    else await this.#whenConnected(this.#publishing, options, async () => {});
  }

  async probe(
    target: Target | undefined,
    service: ServiceKind,
    options: ConnectOptions,
  ): Promise<RabbitConnectionReport> {
    return await this.#whenConnected(this.#publishing, options, ({ broker, host }, deadline) =>
      deadline.wait("connecting", () => probe(broker, host, this.topology, target, service)),
    );
  }

  /** The present connection that publishes, or the next one as soon as it is open. Rejects when each host has failed once. */
  async connection(options: ConnectOptions = {}): Promise<PublishingConnection> {
    return await this.#whenConnected(this.#publishing, options, async (connection) => connection);
  }

  async writable(signal: AbortSignal | undefined): Promise<void> {
    this.#checkOpen();
    const limits = { signal, expired: transportClosed };
    await this.#operations.wait(limits, (deadline) => this.#operations.queue.writable(deadline));
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  /** The reply queue outlives connections: the wait for the reply goes on after a lost one, unless `failFast` is set. */
  call(request: CallRequest): Promise<unknown> {
    const { target, body, context, callMonitorTimeoutMs, timeoutMs, retry, atLeastOnce = false } = request;
    const messageId = this.#ids.next();
    let route: Route;
    let encoded: Uint8Array;
    return runCall<PublishingConnection>(request, {
      start: (signal) => {
        route = this.topology.requestRoute(target);
        const replyTo = { messageId, replyQueue: this.#replies.queue, callMonitorTimeoutMs };
        encoded = encodeRequest({ body, context, uniqueId: this.#ids.next(), replyTo });
        const bytes = encoded.length;
        return this.#start({ operation: "RPC Call", target, timeoutMs, defaultMs: timeoutMs, retry, signal, bytes });
      },
      send: (operation, reply) => {
        const message = { body: encoded, mandatory: atLeastOnce, expirationMs: timeoutMs, reply };
        const publish: Publish = (connection, sent) => {
          // The call waits for its reply, or is over: it must wait for nothing else.
          if (reply.isAnswered) return Promise.resolve(ACCEPTED);
          if (!this.#replies.isReady) {
            return this.#replies.ready(operation.deadline).then(() => publish(connection, sent), withoutReplies);
          }
          this.#replies.register(messageId, reply);
          return connection.requests.publish(route, sent, operation, true);
        };
        return reply.accepted(this.#publish(operation, message, publish));
      },
      remoteExceptions: this.#init.remoteExceptions,
    });
  }

  async cast(request: CastRequest): Promise<void> {
    const { target, body, context, atLeastOnce = false } = request;
    const route = this.topology.requestRoute(target);
    const encoded = encodeRequest({ body, context, uniqueId: this.#ids.next() });
    const message = { body: encoded, mandatory: atLeastOnce };
    await this.#send("RPC Cast", request, this.#init.defaultSendTimeoutMs, route, message, true);
  }

  async notify(request: NotifyRequest): Promise<void> {
    const { target, body, context, envelope } = request;
    const route = this.topology.notificationRoute(target);
    const encoded = encodeNotification({ body, context, uniqueId: this.#ids.next(), envelope });
    const message = { body: encoded, mandatory: false };
    await this.#send("Notify", request, this.#init.defaultNotifyTimeoutMs, route, message, false);
  }

  async listen(target: Target, onMessage: OnIncoming, options?: ListenOptions): Promise<DriverListener> {
    const queues = this.topology.serverQueues(target, this.#ids.next());
    const [, , fanout] = queues;
    return await this.#listen([target], { queues, obsoleteAtClose: [fanout.declaration.queue] }, onMessage, options);
  }

  async listenForNotifications(
    targets: readonly Target[],
    onMessage: OnIncoming,
    options: ListenOptions = {},
  ): Promise<DriverListener> {
    const queues = this.topology.listenerQueues(targets, options.pool);
    const acknowledged = new KnownIds();
    return await this.#listen(targets, { queues, obsoleteAtClose: [], acknowledged }, onMessage, options);
  }

  /** The connections of operations. Their errors name what fails: a call needs both. */
  #connections(): Connections<PublishingConnection> {
    const publishing = this.#publishing;
    const listening = this.#listening;
    return {
      get live() {
        return publishing.live;
      },
      get host() {
        return publishing.lastError === undefined && listening.lastError !== undefined
          ? listening.host
          : publishing.host;
      },
      get lastError() {
        return publishing.lastError ?? listening.lastError;
      },
      connect: (deadline) => publishing.connect(deadline, true),
    };
  }

  #start(init: SendOperationInit): SendOperation<PublishingConnection> {
    this.#checkOpen();
    return new SendOperation(this.#operations, init);
  }

  async #send(
    operation: string,
    { target, timeoutMs, retry, signal }: CastRequest | NotifyRequest,
    defaultMs: number | undefined,
    route: Route,
    message: RabbitMessage,
    isRequest: boolean,
  ): Promise<void> {
    const bytes = message.body.length;
    const started = this.#start({ operation, target, timeoutMs, defaultMs, retry, signal, bytes });
    try {
      await this.#publish(started, message, (connection, sent) =>
        connection.requests.publish(route, sent, started, isRequest),
      );
    } finally {
      started.end();
    }
  }

  async #publish(
    operation: SendOperation<PublishingConnection>,
    message: RabbitMessage,
    publish: Publish,
  ): Promise<void> {
    const { kombuCompression: compression } = this.#init.options;
    const sent =
      compression === undefined ? message : { ...message, body: await this.#compress(message.body), compression };
    await sendUntilAccepted(operation, (connection) => publish(connection, sent));
  }

  /** One message after another: they leave in the order of the calls. */
  #compress(body: Uint8Array): Promise<Uint8Array> {
    const compressed = this.#compressed.then(() => compress(body));
    this.#compressed = compressed.catch(() => {});
    return compressed;
  }

  async #whenConnected<C extends PublishingConnection | ListeningConnection, T>(
    supervisor: Supervisor<Host, C>,
    options: ConnectOptions,
    use: (connection: C, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    this.#checkOpen();
    const hosts = this.#init.hosts.map(({ name }) => name).join(",");
    return await whenConnected(this.#operations, supervisor, hosts, options, use);
  }

  async #listen(
    targets: readonly Target[],
    consumed: { queues: readonly BoundQueue[]; obsoleteAtClose: readonly string[]; acknowledged?: KnownIds },
    onMessage: OnIncoming,
    { acceptReplyTo, signal, timeoutMs, ...options }: ListenOptions = {},
  ): Promise<DriverListener> {
    this.#checkOpen();
    const { logger, warnings, nonFiniteNumbers, maxMessageBytes } = this.#init;
    const listener: Listener = new Listener({
      ...consumed,
      acknowledged: consumed.acknowledged,
      consumerArguments: this.topology.consumerArguments,
      prefetch: prefetchOf(this.#init.options, options),
      maxMessageBytes,
      replies: this.#replySender,
      aborts: this.#aborts,
      nonFiniteNumbers,
      acceptReplyTo,
      logger,
      warnings,
      onMessage,
      onClose: () => {
        this.#listeners.delete(listener);
        this.#listening.release();
      },
    });
    this.#listeners.add(listener);
    const { live } = this.#listening;
    if (live === undefined) this.#listening.start();
    else listener.attach(live);
    const context = { operations: this.#operations, connections: this.#listening };
    const target = targets.join();
    const limits = waitLimits(context, {
      operation: "listen",
      target,
      signal,
      timeoutMs,
      refusal: () => listener.refusal,
    });
    try {
      await this.#operations.wait(limits, (deadline) => deadline.wait("connecting", () => listener.attached));
      return listener;
    } catch (error) {
      void listener.close();
      throw error;
    }
  }

  /** Ends listening first: the messages that come too late are given back, and the replies in hand are sent. */
  async #close(graceMs: number): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    await this.#operations.drain(graceMs);
    this.#operations.close();
    this.#aborts.abort(new ConnectionLost("the transport is closed"));
    await Promise.all([this.#listening.close(), this.#publishing.close()]);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw transportClosed();
  }
}

/** The outcome of a request whose reply queue the broker refuses. Throws any other error. */
function withoutReplies(thrown: unknown): SendOutcome {
  if (thrown instanceof DeclarationRefused) return { type: "rejected", error: thrown };
  throw thrown;
}
