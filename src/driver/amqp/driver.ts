import type { Connection } from "../../core/connection/connection.js";
import type { StatusSink } from "../../core/connection/status.js";
import { Supervisor } from "../../core/connection/supervisor.js";
import type { Deadline } from "../../core/deadlines.js";
import { Deferred } from "../../core/deferred.js";
import { toError } from "../../core/errors.js";
import type { Body } from "../../core/messages/message.js";
import type { Log } from "../../core/recurring-warnings.js";
import type { AmqpConnectionReport } from "../connection-report.js";
import type {
  CallRequest,
  CastRequest,
  ConnectOptions,
  DriverListener,
  ListenOptions,
  NotifyRequest,
  OnIncoming,
  SendRequest,
  ServiceKind,
  TransportDriver,
} from "../driver.js";
import { ConfigurationError } from "../exceptions.js";
import type { Host } from "../options/hosts.js";
import type { ResolvedOptions } from "../options/options.js";
import type { Succession } from "../runtime.js";
import { Operations, transportClosed } from "../sending/operations.js";
import type { SendOutcome } from "../sending/outcomes.js";
import type { PendingReply, Reply } from "../sending/pending-reply.js";
import { runCall } from "../sending/run-call.js";
import { SendOperation, type SendOperationInit } from "../sending/send-operation.js";
import type { QueueLimits } from "../sending/send-queue.js";
import { sendUntilAccepted } from "../sending/send-until-accepted.js";
import { waitLimits } from "../sending/wait-limits.js";
import { whenConnected } from "../sending/when-connected.js";
import type { Target } from "../target.js";
import type { MessageIds } from "../values/ids.js";
import type { NonFiniteNumbers } from "../values/json.js";
import type { RemoteExceptions } from "../values/remote-failure.js";
import { Addresser } from "./addressing.js";
import { DriverConnection } from "./driver-connection.js";
import { Listener, type ListenerInit } from "./listener.js";
import { probe } from "./probe.js";
import { handOver, RABBITMQ } from "./rabbitmq.js";
import { retryPolicy } from "./retry-policy.js";
import { RouterNotice } from "./router-notice.js";
import { encodeNotification, encodeRequest } from "./wire.js";

export interface AmqpDriverInit extends Log {
  hosts: readonly [Host, ...Host[]];
  connect: (host: Host, signal: AbortSignal, attempt: number) => Promise<Connection>;
  options: ResolvedOptions;
  controlExchange: string;
  virtualHost: string | undefined;
  remoteExceptions?: RemoteExceptions | undefined;
  nonFiniteNumbers?: NonFiniteNumbers | undefined;
  ids: MessageIds;
  status: StatusSink;
  /** Chooses the driver when the peer is known. Omitted: RabbitMQ is refused. */
  succession?: Succession | undefined;
  maxQueued?: QueueLimits | undefined;
  /** See {@link DriverConnection}. Default false, as oslo. */
  failFast?: boolean | undefined;
  /** See {@link Supervisor}. */
  random?: (() => number) | undefined;
  onWake?: ((wake: () => void) => () => void) | undefined;
}

/** oslo.messaging over AMQP 1.0 (oslo_messaging/_drivers/impl_amqp1.py). Connects at the first use. */
export class AmqpDriver implements TransportDriver {
  readonly hasPools = false;
  readonly #init: AmqpDriverInit;
  readonly #supervisor: Supervisor<Host, DriverConnection>;
  readonly #operations: Operations<DriverConnection>;
  readonly #listeners = new Set<Listener>();
  readonly #routerNotice = new RouterNotice();
  /** Kinds of messages that are sent settled. */
  readonly #preSettled: ReadonlySet<string>;
  /** False until the peer is known: it may be one for which another driver takes over. */
  #stays: boolean;
  #closing: Promise<void> | undefined;

  constructor(init: AmqpDriverInit) {
    const { hosts, options, succession, status, logger, random, onWake } = init;
    this.#init = init;
    this.#stays = succession === undefined;
    this.#preSettled = new Set(options.preSettled);
    this.#supervisor = new Supervisor({
      hosts,
      open: (host, signal, attempt) => this.#open(host, signal, attempt),
      whenConnected: (connection) => {
        for (const listener of this.#listeners) listener.attach(connection);
      },
      isNeeded: () => this.#listeners.size > 0,
      retry: retryPolicy(options),
      status,
      logger,
      random,
      onWake,
    });
    this.#operations = new Operations(this.#supervisor, init.maxQueued);
  }

  async connect(options: ConnectOptions): Promise<void> {
    await this.connection(options);
  }

  /** The present connection, or the next one as soon as it is open. Rejects when each host has failed once. */
  async connection(options: ConnectOptions = {}): Promise<DriverConnection> {
    return await this.#whenConnected(options, async (connection) => connection);
  }

  async probe(
    target: Target | undefined,
    service: ServiceKind,
    options: ConnectOptions = {},
  ): Promise<AmqpConnectionReport> {
    return await this.#whenConnected(options, (connection, deadline) =>
      deadline.wait("connecting", () => probe(connection, target, service)),
    );
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

  /** The wait for the reply goes on after a lost connection, unless `failFast` is set. */
  call(request: CallRequest): Promise<unknown> {
    const { target, timeoutMs, retry } = request;
    let body: Body;
    return runCall<DriverConnection>(request, {
      start: (signal) => {
        if (this.#stays) checkRequest(request);
        body = encodeRequest(request);
        return this.#start({
          operation: "RPC Call",
          target,
          timeoutMs,
          defaultMs: timeoutMs,
          retry,
          settled: this.#preSettled.has("rpc-call"),
          signal,
          bytes: sizeOf(body),
        });
      },
      send: (operation, reply) =>
        sendUntilAccepted(operation, (connection) => this.#sendRequest(connection, operation, request, body, reply)),
      remoteExceptions: this.#init.remoteExceptions,
    });
  }

  async cast(request: CastRequest): Promise<void> {
    const { target, body, context, timeoutMs, signal } = request;
    if (this.#stays) checkRequest(request);
    const encoded = encodeRequest({ body, context });
    const settled = this.#preSettled.has("rpc-cast");
    const queued = settled && target.fanout && timeoutMs === undefined ? new Deferred() : undefined;
    const operation = this.#start({
      operation: "RPC Cast",
      target,
      timeoutMs,
      defaultMs: this.#init.options.defaultSendTimeoutMs,
      retry: request.retry,
      settled,
      signal,
      bytes: sizeOf(encoded),
      onQueued: queued?.resolve,
    });
    const sent = this.#send(operation, "rpc", request, encoded);
    if (queued === undefined) return await sent;
    // As in oslo, a fanout without a receiver is no failure. On a router it gets no credit.
    await Promise.race([sent, queued.promise]);
    sent
      .catch((error: unknown) => {
        this.#init.logger.debug(`discarded a fanout cast to ${target}: ${toError(error).message}`);
      })
      .catch(() => {}); // a logger that throws
  }

  async notify(request: NotifyRequest): Promise<void> {
    const encoded = encodeNotification(request);
    const operation = this.#start({
      operation: "Notify",
      target: request.target,
      timeoutMs: request.timeoutMs,
      defaultMs: this.#init.options.defaultNotifyTimeoutMs,
      retry: request.retry,
      settled: this.#preSettled.has("notify"),
      signal: request.signal,
      bytes: sizeOf(encoded),
    });
    await this.#send(operation, "notify", request, encoded);
  }

  listen(target: Target, onMessage: OnIncoming, options?: ListenOptions): Promise<DriverListener> {
    const { rpcServerCredit } = this.#init.options;
    const routes = (addresser: Addresser) => addresser.serverRoutes(target);
    return this.#listen([target], { routes, credit: rpcServerCredit, onMessage }, options);
  }

  listenForNotifications(
    targets: readonly Target[],
    onMessage: OnIncoming,
    options?: ListenOptions,
  ): Promise<DriverListener> {
    const { notifyServerCredit } = this.#init.options;
    const routes = (addresser: Addresser) => targets.map((target) => addresser.listenerRoute(target));
    const onAttach = (connection: DriverConnection): void => this.#routerNotice.check(connection);
    return this.#listen(targets, { routes, credit: notifyServerCredit, onMessage, onAttach }, options);
  }

  #start(init: SendOperationInit): SendOperation<DriverConnection> {
    this.#checkOpen();
    return new SendOperation(this.#operations, init);
  }

  /** Sends a request under a new id, with the reply address of its connection. */
  async #sendRequest(
    connection: DriverConnection,
    operation: SendOperation<DriverConnection>,
    request: CallRequest,
    body: Body,
    reply: PendingReply<Reply>,
  ): Promise<SendOutcome> {
    checkRequest(request);
    const { addresser, replies, requests } = connection;
    const replyTo = replies.address ?? (await operation.deadline.wait("connecting", () => replies.attach()));
    if (typeof replyTo !== "string") return { type: "unsent", error: replyTo };
    const route = addresser.resolve(request.target, "rpc");
    const message = { ttl: ttlOf(request), messageId: replies.register(reply), to: route.address, replyTo, body };
    // Awaited here: a promise that an async function returns takes two turns more to resolve.
    return await reply.accepted(requests.send(route, message, operation));
  }

  async #send(
    operation: SendOperation<DriverConnection>,
    service: ServiceKind,
    request: SendRequest & Pick<CastRequest, "atLeastOnce">,
    body: Body,
  ): Promise<void> {
    try {
      await sendUntilAccepted(operation, (connection) => {
        checkRequest(request);
        if (service === "notify") this.#routerNotice.check(connection);
        const route = connection.addresser.resolve(request.target, service);
        // A server recognises a repeat by the ID. The Python driver sends casts without one.
        const messageId = service === "rpc" ? this.#init.ids.next() : undefined;
        return connection.requests.send(route, { ttl: ttlOf(request), messageId, to: route.address, body }, operation);
      });
    } finally {
      operation.end();
    }
  }

  async #whenConnected<T>(
    options: ConnectOptions,
    use: (connection: DriverConnection, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    this.#checkOpen();
    const hosts = this.#init.hosts.map(({ name }) => name).join(",");
    return await whenConnected(this.#operations, this.#supervisor, hosts, options, use);
  }

  async #listen(
    targets: readonly Target[],
    { routes, credit, onMessage, onAttach }: Pick<ListenerInit, "routes" | "credit" | "onMessage" | "onAttach">,
    { acceptReplyTo, minimumCredit = 0, ...limits }: ListenOptions = {},
  ): Promise<DriverListener> {
    this.#checkOpen();
    const { options, nonFiniteNumbers } = this.#init;
    const listener: Listener = new Listener({
      routes,
      credit: Math.max(credit, minimumCredit),
      onMessage,
      onAttach,
      onClose: () => {
        this.#listeners.delete(listener);
        this.#supervisor.release();
      },
      operations: this.#operations,
      options,
      nonFiniteNumbers,
      acceptReplyTo,
    });
    this.#listeners.add(listener);
    const { live } = this.#supervisor;
    if (live === undefined) this.#supervisor.start();
    else listener.attach(live);
    try {
      await this.#operations.wait(
        waitLimits(
          { operations: this.#operations, connections: this.#supervisor },
          {
            operation: "listen",
            target: targets.join(),
            refusal: () => listener.refusal,
            ...limits,
          },
        ),
        (deadline) => deadline.wait("connecting", () => listener.attached),
      );
      return listener;
    } catch (error) {
      void listener.close();
      throw error;
    }
  }

  async #open(host: Host, signal: AbortSignal, attempt: number): Promise<DriverConnection> {
    const { connect, options, succession } = this.#init;
    const connection = await connect(host, signal, attempt);
    const { product } = connection.remote;
    if (product === RABBITMQ) {
      await connection.close();
      signal.throwIfAborted();
      const end = handOver(host, connection.remote, options, succession);
      void this.#supervisor.close(); // before the attempt fails: it is not to be reported
      throw end;
    }
    succession?.stay();
    this.#stays = true;
    const addresser = new Addresser({ ...this.#init, product });
    return new DriverConnection({ ...this.#init, connection, host: host.name, addresser });
  }

  async #close(graceMs: number): Promise<void> {
    await this.#operations.drain(graceMs);
    this.#operations.close();
    await this.#supervisor.close();
    for (const listener of [...this.#listeners]) void listener.close();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw transportClosed();
  }
}

function checkRequest({ atLeastOnce }: Pick<CastRequest, "atLeastOnce">): void {
  if (atLeastOnce) throw new ConfigurationError("atLeastOnce", "only supported by RabbitMQ");
}

/** The caller's timeout in milliseconds, as an AMQP uint: the message bus may discard the message after it. Undefined if omitted. */
function ttlOf({ timeoutMs }: SendRequest): number | undefined {
  return timeoutMs === undefined ? undefined : Math.min(Math.ceil(timeoutMs), 2 ** 32 - 1);
}

/** Length of the JSON text: one character counts as one byte. */
function sizeOf(body: Body): number {
  return body.type === "value" && typeof body.value === "string" ? body.value.length : 0;
}
