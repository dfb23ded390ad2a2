import type { Connection } from "../../core/connection.js";
import type { Logger } from "../../core/logger.js";
import type { Body } from "../../core/message.js";
import type { Outcome } from "../../core/outcome.js";
import type { StatusBoard } from "../../core/status.js";
import { Supervisor } from "../../core/supervisor.js";
import type {
  CallRequest,
  CastRequest,
  Driver,
  DriverListener,
  ListenOptions,
  NotifyRequest,
  OnIncoming,
} from "../driver.js";
import type { ResolvedOptions } from "../options.js";
import { type RemoteExceptions, toThrowable } from "../remote-failure.js";
import type { Target } from "../target.js";
import { Addresser, type Route, type Service } from "./addressing.js";
import { Bus } from "./bus.js";
import { CallMonitor } from "./call-monitor.js";
import type { Host } from "./hosts.js";
import { Reception } from "./incoming.js";
import { Listener } from "./listener.js";
import type { MessageIds } from "./message-ids.js";
import { closed, Outbox } from "./outbox.js";
import { type ConnectionReport, probe } from "./probe.js";
import { ExpectedReply, type Reply } from "./replies.js";
import type { Shipment } from "./shipment.js";
import { encodeNotification, encodeRequest, monitorSeconds } from "./wire.js";

export interface AmqpDriverInit {
  hosts: readonly [Host, ...Host[]];
  connect: (host: Host, signal: AbortSignal) => Promise<Connection>;
  options: ResolvedOptions;
  controlExchange: string;
  virtualHost: string | undefined;
  remoteExceptions: RemoteExceptions | undefined;
  ids: MessageIds;
  status: StatusBoard;
  logger: Logger;
  /** See {@link Supervisor}. */
  random?: (() => number) | undefined;
}

/** oslo.messaging over AMQP 1.0 (oslo_messaging/_drivers/impl_amqp1.py). It connects at the first use. */
export class AmqpDriver implements Driver {
  readonly #init: AmqpDriverInit;
  readonly #supervisor: Supervisor<Host, Bus>;
  readonly #outbox: Outbox;
  readonly #listeners = new Set<Listener>();
  /** What is sent without waiting for an acknowledgement. */
  readonly #preSettled: ReadonlySet<string>;
  #closing: Promise<void> | undefined;

  constructor(init: AmqpDriverInit) {
    const { hosts, options, status, random } = init;
    this.#init = init;
    this.#preSettled = new Set(options.preSettled);
    this.#supervisor = new Supervisor({
      hosts,
      open: (host, signal) => this.#open(host, signal),
      onLife: (bus) => {
        for (const listener of this.#listeners) listener.attach(bus);
      },
      retry: {
        intervalMs: options.connectionRetryIntervalMs,
        backoff: options.connectionRetryBackoff,
        maxMs: options.connectionRetryIntervalMaxMs,
      },
      status,
      random,
    });
    this.#outbox = new Outbox(this.#supervisor);
  }

  /** Resolves with what there is for this connection, as soon as there is one. */
  async connect(signal: AbortSignal | undefined): Promise<Bus> {
    this.#checkOpen();
    return await this.#outbox.wait(signal, (deadline) => this.#supervisor.current(deadline));
  }

  /** Rejects with the signal's reason, and when the connection is lost meanwhile. */
  async probe(
    target: Target | undefined,
    service: Service,
    signal: AbortSignal | undefined,
  ): Promise<ConnectionReport> {
    const bus = await this.connect(signal);
    return await this.#outbox.wait(signal, async (deadline) => {
      deadline.throwIfOver(); // before anything is begun that nobody would wait for
      return await deadline.wait("connecting", probe(bus, target, service));
    });
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
        ? await this.#exchange(this.#ship("RPC Call", request, signal, request.timeoutMs), request, body)
        : await this.#monitored(new CallMonitor(monitorSeconds(monitorMs) * 1_000, signal), request, body);
    if (reply.type === "response") return reply.value;
    throw toThrowable(reply.failure, this.#init.remoteExceptions);
  }

  async cast(request: CastRequest): Promise<void> {
    const { body, context } = request;
    const encoded = encodeRequest({ body, context });
    const shipment = this.#ship("RPC Cast", request, request.signal, this.#init.options.defaultSendTimeoutMs);
    await this.#send(shipment, "rpc", request, encoded, this.#preSettled.has("rpc-cast"));
  }

  async notify(request: NotifyRequest): Promise<void> {
    const encoded = encodeNotification(request);
    const shipment = this.#ship("Notify", request, request.signal, this.#init.options.defaultNotifyTimeoutMs);
    await this.#send(shipment, "notify", request, encoded, this.#preSettled.has("notify"));
  }

  listen(target: Target, on: OnIncoming, options?: ListenOptions): Promise<DriverListener> {
    const { rpcServerCredit } = this.#init.options;
    return this.#listen((addresser) => addresser.serverRoutes(target), rpcServerCredit, on, options);
  }

  listenForNotifications(targets: readonly Target[], on: OnIncoming, options?: ListenOptions): Promise<DriverListener> {
    const { notifyServerCredit } = this.#init.options;
    const routes = (addresser: Addresser) => targets.map((target) => addresser.listenerRoute(target));
    return this.#listen(routes, notifyServerCredit, on, options);
  }

  #ship(operation: string, request: Limits, signal: AbortSignal | undefined, defaultMs: number): Shipment {
    this.#checkOpen();
    const { target, timeoutMs, retry } = request;
    return this.#outbox.start({ operation, target, timeoutMs, defaultMs, retry, signal });
  }

  async #send(shipment: Shipment, service: Service, request: Limits, body: Body, settled: boolean): Promise<void> {
    const { deadline } = shipment;
    try {
      await shipment.deliver((bus) => {
        const route = bus.addresser.resolve(request.target, service);
        shipment.address = route.address;
        return bus.send(route, { ttl: ttlOf(request), to: route.address, body }, { settled, deadline });
      });
    } finally {
      shipment.done();
    }
  }

  async #monitored(monitor: CallMonitor, request: CallRequest, body: Body): Promise<Reply> {
    try {
      const shipment = this.#ship("RPC Call", request, monitor.signal, request.timeoutMs);
      monitor.start(() => shipment.silent());
      return await this.#exchange(shipment, request, body, () => monitor.restart());
    } finally {
      monitor.stop();
    }
  }

  /** Sends a request until it is accepted, each time with a new id and the reply address of its connection, and waits for the reply. */
  async #exchange(shipment: Shipment, request: Limits, body: Body, onHeartbeat?: () => void): Promise<Reply> {
    const { deadline } = shipment;
    const options = { settled: this.#preSettled.has("rpc-call"), deadline };
    const ttl = ttlOf(request);
    const reply = new ExpectedReply(onHeartbeat);
    try {
      await shipment.deliver(async (bus): Promise<Outcome> => {
        const { replies } = bus;
        const replyTo = replies.address ?? (await deadline.wait("connecting", replies.attach()));
        if (replyTo instanceof Error) return { type: "unsent", error: replyTo };
        const route = bus.addresser.resolve(request.target, "rpc");
        const to = route.address;
        shipment.address = to;
        const messageId = replies.expect(reply);
        return await reply.outcome(bus.send(route, { ttl, messageId, to, replyTo, body }, options));
      });
      return await reply.arrival(deadline);
    } finally {
      reply.cancel();
      shipment.done();
    }
  }

  async #listen(
    routes: (addresser: Addresser) => readonly Route[],
    credit: number,
    on: OnIncoming,
    { signal, acceptReplyTo }: ListenOptions = {},
  ): Promise<DriverListener> {
    this.#checkOpen();
    const reception = new Reception({ outbox: this.#outbox, options: this.#init.options, acceptReplyTo, on });
    const listener: Listener = new Listener({
      routes,
      credit,
      onDelivery: (bus, address, delivery) => reception.receive(bus, address, delivery),
      onClose: () => this.#listeners.delete(listener),
    });
    this.#listeners.add(listener);
    const { life } = this.#supervisor;
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

  async #open(host: Host, signal: AbortSignal): Promise<Bus> {
    const { connect, options, controlExchange, virtualHost, ids, status, logger } = this.#init;
    const connection = await connect(host, signal);
    try {
      const { product } = connection.remote;
      const addresser = new Addresser({ options, controlExchange, virtualHost, product });
      return new Bus({ connection, host: host.name, addresser, options, ids, status, logger });
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async #close(graceMs: number): Promise<void> {
    await this.#outbox.drain(graceMs);
    this.#outbox.close();
    await this.#supervisor.close();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closed();
  }
}

interface Limits {
  target: Target;
  timeoutMs?: number | undefined;
  retry?: number | undefined;
}

/** An AMQP uint of milliseconds, when the caller gave a time: a message nobody waits for any more need not be kept. */
function ttlOf({ timeoutMs }: Limits): number | undefined {
  return timeoutMs === undefined ? undefined : Math.min(Math.ceil(timeoutMs), 2 ** 32 - 1);
}
