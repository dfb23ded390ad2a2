import type { Connection } from "../../core/connection/connection.js";
import type { StatusFeed } from "../../core/connection/status.js";
import { Supervisor } from "../../core/connection/supervisor.js";
import type { Logger } from "../../core/logger.js";
import type { Body } from "../../core/messages/message.js";
import type { Outcome } from "../../core/messages/outcome.js";
import type {
  CallRequest,
  CastRequest,
  Driver,
  DriverListener,
  ListenOptions,
  NotifyRequest,
  OnIncoming,
} from "../driver.js";
import type { Host } from "../options/hosts.js";
import type { ResolvedOptions } from "../options/options.js";
import { CallMonitor } from "../sending/call-monitor.js";
import { closed, Operations } from "../sending/operations.js";
import type { SendOperation } from "../sending/send-operation.js";
import type { QueueLimits } from "../sending/send-queue.js";
import type { Target } from "../target.js";
import type { MessageIds } from "../values/ids.js";
import type { NonFiniteNumbers } from "../values/json.js";
import { type RemoteExceptions, toThrowable } from "../values/remote-failure.js";
import { Addresser, type ServiceKind } from "./addressing.js";
import { DriverConnection } from "./driver-connection.js";
import { Reception } from "./incoming-message.js";
import { Listener, type ListenerInit } from "./listener.js";
import { type ConnectionReport, probe } from "./probe.js";
import { PendingReply, type Reply } from "./replies.js";
import { RouterNotice } from "./router-notice.js";
import { encodeNotification, encodeRequest, monitorSeconds } from "./wire.js";

export interface AmqpDriverInit {
  hosts: readonly [Host, ...Host[]];
  connect: (host: Host, signal: AbortSignal, attempt: number) => Promise<Connection>;
  options: ResolvedOptions;
  controlExchange: string;
  virtualHost: string | undefined;
  remoteExceptions: RemoteExceptions | undefined;
  nonFiniteNumbers?: NonFiniteNumbers | undefined;
  ids: MessageIds;
  status: StatusFeed;
  logger: Logger;
  maxQueued?: QueueLimits | undefined;
  /** See {@link DriverConnection}. Default false, as oslo. */
  failFast?: boolean | undefined;
  /** See {@link Supervisor}. */
  random?: (() => number) | undefined;
  onWake?: ((wake: () => void) => () => void) | undefined;
}

/** oslo.messaging over AMQP 1.0 (oslo_messaging/_drivers/impl_amqp1.py). It connects at the first use. */
export class AmqpDriver implements Driver {
  readonly #init: AmqpDriverInit;
  readonly #supervisor: Supervisor<Host, DriverConnection>;
  readonly #outbox: Operations;
  readonly #listeners = new Set<Listener>();
  readonly #routerNotice = new RouterNotice();
  /** What is sent without waiting for an acknowledgement. */
  readonly #preSettled: ReadonlySet<string>;
  #closing: Promise<void> | undefined;

  constructor(init: AmqpDriverInit) {
    const { hosts, options, status, random, onWake } = init;
    this.#init = init;
    this.#preSettled = new Set(options.preSettled);
    this.#supervisor = new Supervisor({
      hosts,
      open: (host, signal, attempt) => this.#open(host, signal, attempt),
      whenConnected: (bus) => {
        for (const listener of this.#listeners) listener.attach(bus);
      },
      retry: {
        intervalMs: options.connectionRetryIntervalMs,
        backoff: options.connectionRetryBackoff,
        maxMs: options.connectionRetryIntervalMaxMs,
      },
      status,
      random,
      onWake,
    });
    this.#outbox = new Operations(this.#supervisor, init.maxQueued);
  }

  /** Resolves with what there is for this connection, as soon as there is one. */
  async connect(signal: AbortSignal | undefined): Promise<DriverConnection> {
    this.#checkOpen();
    return await this.#outbox.wait(signal, (deadline) => this.#supervisor.current(deadline));
  }

  /** Rejects with the signal's reason, and when the connection is lost meanwhile. */
  async probe(
    target: Target | undefined,
    service: ServiceKind,
    signal: AbortSignal | undefined,
  ): Promise<ConnectionReport> {
    const bus = await this.connect(signal);
    return await this.#outbox.wait(signal, async (deadline) => {
      deadline.throwIfOver(); // before anything is begun that nobody would wait for
      return await deadline.wait("connecting", probe(bus, target, service));
    });
  }

  /** Resolves when no more waits to be sent than may. */
  async writable(signal: AbortSignal | undefined): Promise<void> {
    this.#checkOpen();
    await this.#outbox.wait(signal, (deadline) => this.#outbox.backlog.writable(deadline));
  }

  /** Waits so long for what is under way, ends the rest, and closes the connection. Idempotent. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async call(request: CallRequest): Promise<unknown> {
    const { callMonitorTimeoutMs: monitorMs, signal } = request;
    const body = encodeRequest(request);
    const reply =
      monitorMs === undefined
        ? await this.#exchange(this.#ship("RPC Call", request, body, signal, request.timeoutMs), request, body)
        : await this.#monitored(new CallMonitor(monitorSeconds(monitorMs) * 1_000, signal), request, body);
    if (reply.type === "response") return reply.value;
    throw toThrowable(reply.failure, this.#init.remoteExceptions);
  }

  async cast(request: CastRequest): Promise<void> {
    const { body, context } = request;
    const encoded = encodeRequest({ body, context });
    const shipment = this.#ship("RPC Cast", request, encoded, request.signal, this.#init.options.defaultSendTimeoutMs);
    await this.#send(shipment, "rpc", request, encoded, this.#preSettled.has("rpc-cast"));
  }

  async notify(request: NotifyRequest): Promise<void> {
    const encoded = encodeNotification(request);
    const shipment = this.#ship("Notify", request, encoded, request.signal, this.#init.options.defaultNotifyTimeoutMs);
    await this.#send(shipment, "notify", request, encoded, this.#preSettled.has("notify"));
  }

  listen(target: Target, on: OnIncoming, options?: ListenOptions): Promise<DriverListener> {
    const { rpcServerCredit } = this.#init.options;
    const routes = (addresser: Addresser) => addresser.serverRoutes(target);
    return this.#listen({ routes, credit: rpcServerCredit }, on, options);
  }

  listenForNotifications(targets: readonly Target[], on: OnIncoming, options?: ListenOptions): Promise<DriverListener> {
    const { notifyServerCredit } = this.#init.options;
    const routes = (addresser: Addresser) => targets.map((target) => addresser.listenerRoute(target));
    const onAttach = (bus: DriverConnection): void => this.#routerNotice.check(bus);
    return this.#listen({ routes, credit: notifyServerCredit, onAttach }, on, options);
  }

  #ship(
    operation: string,
    request: Limits,
    body: Body,
    signal: AbortSignal | undefined,
    defaultMs: number,
  ): SendOperation {
    this.#checkOpen();
    const { target, timeoutMs, retry } = request;
    return this.#outbox.start({ operation, target, timeoutMs, defaultMs, retry, signal, body });
  }

  async #send(
    shipment: SendOperation,
    service: ServiceKind,
    request: Limits,
    body: Body,
    settled: boolean,
  ): Promise<void> {
    const options = { settled, deadline: shipment.deadline, progress: shipment };
    try {
      await shipment.deliver((bus) => {
        if (service === "notify") this.#routerNotice.check(bus);
        const route = bus.addresser.resolve(request.target, service);
        shipment.address = route.address;
        return bus.send(route, { ttl: ttlOf(request), to: route.address, body }, options);
      });
    } finally {
      shipment.done();
    }
  }

  async #monitored(monitor: CallMonitor, request: CallRequest, body: Body): Promise<Answer> {
    try {
      const shipment = this.#ship("RPC Call", request, body, monitor.signal, request.timeoutMs);
      monitor.start(() => shipment.silent());
      return await this.#exchange(shipment, request, body, () => monitor.restart());
    } finally {
      monitor.stop();
    }
  }

  /**
   * Sends a request until it is accepted, each time with a new id and the reply address of its connection, and waits for the
   * reply: until its time is up, also when the connection is lost meanwhile, unless calls are to fail fast.
   */
  async #exchange(shipment: SendOperation, request: Limits, body: Body, onHeartbeat?: () => void): Promise<Answer> {
    const { deadline } = shipment;
    const options = { settled: this.#preSettled.has("rpc-call"), deadline, progress: shipment };
    const ttl = ttlOf(request);
    const reply = new PendingReply(onHeartbeat);
    try {
      await shipment.deliver(async (bus): Promise<Outcome> => {
        const replyTo = bus.replies.address ?? (await replyAddress(bus, shipment));
        if (replyTo instanceof Error) return { type: "unsent", error: replyTo };
        const route = bus.addresser.resolve(request.target, "rpc");
        const to = route.address;
        shipment.address = to;
        const messageId = bus.replies.register(reply);
        return await reply.outcome(bus.send(route, { ttl, messageId, to, replyTo, body }, options));
      });
      const arrived = await reply.arrival(deadline);
      if (arrived.type === "lost") throw shipment.unanswered(arrived.cause);
      return arrived;
    } finally {
      reply.cancel();
      shipment.done();
    }
  }

  async #listen(
    { routes, credit, onAttach }: Pick<ListenerInit, "routes" | "credit" | "onAttach">,
    on: OnIncoming,
    { signal, acceptReplyTo, minimumCredit = 0 }: ListenOptions = {},
  ): Promise<DriverListener> {
    this.#checkOpen();
    const { options, nonFiniteNumbers } = this.#init;
    const reception = new Reception({ outbox: this.#outbox, options, nonFiniteNumbers, acceptReplyTo, on });
    const listener: Listener = new Listener({
      routes,
      credit: Math.max(credit, minimumCredit),
      onAttach,
      onDelivery: (bus, address, delivery) => reception.receive(bus, address, delivery),
      onClose: () => this.#listeners.delete(listener),
    });
    this.#listeners.add(listener);
    const { live: life } = this.#supervisor;
    if (life === undefined) this.#supervisor.start();
    else listener.attach(life);
    try {
      await this.#outbox.wait(signal, (deadline) => deadline.wait("connecting", listener.attached));
      return listener;
    } catch (error) {
      void listener.close();
      throw error;
    }
  }

  async #open(host: Host, signal: AbortSignal, attempt: number): Promise<DriverConnection> {
    const { connect, options, nonFiniteNumbers, controlExchange, virtualHost, ids, status, logger } = this.#init;
    const { failFast = false } = this.#init;
    const connection = await connect(host, signal, attempt);
    try {
      const { product } = connection.remote;
      const addresser = new Addresser({ options, controlExchange, virtualHost, product });
      return new DriverConnection({
        connection,
        host: host.name,
        addresser,
        options,
        nonFiniteNumbers,
        ids,
        status,
        logger,
        failFast,
      });
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async #close(graceMs: number): Promise<void> {
    await this.#outbox.drain(graceMs);
    this.#outbox.close();
    await this.#supervisor.close();
    for (const listener of [...this.#listeners]) void listener.close();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closed();
  }
}

type Answer = Exclude<Reply, { type: "lost" }>;

interface Limits {
  target: Target;
  timeoutMs?: number | undefined;
  retry?: number | undefined;
}

function replyAddress({ replies }: DriverConnection, shipment: SendOperation): Promise<string | Error> {
  shipment.queued();
  return shipment.deadline.wait("connecting", replies.attach());
}

/** An AMQP uint of milliseconds, when the caller gave a time: a message nobody waits for any more need not be kept. */
function ttlOf({ timeoutMs }: Limits): number | undefined {
  return timeoutMs === undefined ? undefined : Math.min(Math.ceil(timeoutMs), 2 ** 32 - 1);
}
