import { offAbort, onAbort } from "../../core/abort.js";
import type { Connection } from "../../core/connection/connection.js";
import type { TransportStatus } from "../../core/connection/status.js";
import { ConnectionLost } from "../../core/errors.js";
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
import { ConfigurationError } from "../exceptions.js";
import type { Host } from "../options/hosts.js";
import { checkPool } from "../options/pool.js";
import type { CreateFirst, Succession as SuccessionOfDrivers, SuccessorInit } from "../runtime.js";
import type { Target } from "../target.js";
import { fromJson, toJson } from "../values/json.js";

/** The members of every request and of all options that limit a wait. */
interface Limits {
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
}

/** An operation, to be started on either driver. */
type Use<L extends Limits, T> = (driver: TransportDriver, limits: L) => Promise<T>;

/** An operation that began before the peer is known. */
interface Operation {
  /** Ends it on the first driver. */
  interrupt(): void;
  /** Resolves with true when it was interrupted, and with false when it ended before. */
  readonly isInterrupted: Promise<boolean>;
  /** Starts it again. */
  resume(successor: TransportDriver): void;
}

/** Reason for which an operation ends that goes on with the successor. No caller gets it. */
const INTERRUPTED = new ConnectionLost("another driver takes over");

/** Open.hostname for a virtual host of RabbitMQ 4. It ignores every other name, and takes its default virtual host. */
export function vhostHostname(virtualHost: string | undefined): string | undefined {
  return virtualHost === undefined ? undefined : `vhost:${virtualHost}`;
}

/**
 * The failure of an attempt to connect. RabbitMQ 4 resets a connection whose virtual host it refuses, without an Open and so without a
 * reason.
 */
export function explainedReset(failure: unknown, virtualHost: string, signal: AbortSignal): unknown {
  if (!(failure instanceof ConnectionLost) || signal.aborted || !/reset|by the peer$/.test(failure.message))
    return failure;
  const advice = `RabbitMQ does so when the virtual host ${virtualHost} does not exist or the user may not use it`;
  return new ConnectionLost(`${failure.message} (${advice})`, { cause: failure });
}

/**
 * The driver of a transport of AMQP 1.0 whose peer may be RabbitMQ 4. The first driver serves it until the peer is known. If that
 * is RabbitMQ, the successor takes over for good. The operations that have begun by then are started again in their order: the
 * first driver has sent none of them, because it never had a connection to anything else.
 */
export class Succession implements TransportDriver, SuccessionOfDrivers {
  readonly #init: SuccessorInit;
  readonly #first: TransportDriver;
  readonly #createSuccessor: () => TransportDriver;
  readonly #operations = new Set<Operation>();
  /** The driver that serves the transport. Undefined until the peer is known. */
  #chosen: TransportDriver | undefined;
  #successor: TransportDriver | undefined;
  #handingOver: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(init: SuccessorInit, createFirst: CreateFirst, createSuccessor: () => TransportDriver) {
    this.#init = init;
    this.#createSuccessor = createSuccessor;
    this.#first = createFirst({
      connect: (host, signal, attempt) => this.#connect(host, signal, attempt),
      status: { set: (status) => this.#setStatus(status) },
      succession: this,
    });
  }

  /** True until the peer is known, too: a pool is refused when it is not RabbitMQ. */
  get hasPools(): boolean {
    return this.#chosen?.hasPools ?? true;
  }

  get inUse(): TransportDriver {
    return this.#successor ?? this.#first;
  }

  call(request: CallRequest): Promise<unknown> {
    return this.#chosen?.call(request) ?? this.#send(request, (driver, copy) => driver.call(copy));
  }

  cast(request: CastRequest): Promise<void> {
    return this.#chosen?.cast(request) ?? this.#send(request, (driver, copy) => driver.cast(copy));
  }

  notify(request: NotifyRequest): Promise<void> {
    return this.#chosen?.notify(request) ?? this.#send(request, (driver, copy) => driver.notify(copy));
  }

  listen(target: Target, onMessage: OnIncoming, options: ListenOptions = {}): Promise<DriverListener> {
    return this.#use(options, (driver, limits) => driver.listen(target, onMessage, limits));
  }

  listenForNotifications(
    targets: readonly Target[],
    onMessage: OnIncoming,
    options: ListenOptions = {},
  ): Promise<DriverListener> {
    return this.#use(options, async (driver, limits) => {
      const { pool, signal, timeoutMs } = limits;
      if (pool !== undefined && driver === this.#first) {
        await driver.connect({ signal, timeoutMs, keepTrying: true });
        checkPool(pool, driver);
      }
      return await driver.listenForNotifications(targets, onMessage, limits);
    });
  }

  connect(options: ConnectOptions): Promise<void> {
    return this.#use(options, (driver, limits) => driver.connect(limits));
  }

  probe(
    target: Target | undefined,
    service: ServiceKind,
    options: ConnectOptions,
  ): ReturnType<TransportDriver["probe"]> {
    return this.#use(options, (driver, limits) => driver.probe(target, service, limits));
  }

  writable(signal: AbortSignal | undefined): Promise<void> {
    return this.#use<Limits, void>({ signal }, (driver, limits) => driver.writable(limits.signal));
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    // It refuses what begins from now on.
    if (this.#chosen !== undefined) this.#chosen = this.#first;
    return this.#closing;
  }

  stay(): void {
    this.#chosen = this.#first;
    this.#operations.clear();
  }

  handOver({ name }: Host): Error {
    if (this.#chosen !== undefined) {
      throw new ConfigurationError(
        "url",
        `${name} is RabbitMQ, and another host is not: the hosts must be of one kind`,
      );
    }
    this.#successor = this.#createSuccessor();
    this.#handingOver = this.#handOver(this.#successor);
    return INTERRUPTED;
  }

  /** What the first driver does after its end is no change of the transport. */
  #setStatus(status: TransportStatus): void {
    if (this.#successor === undefined) this.#init.status.set(status);
  }

  /**
   * Connects for the first driver. RabbitMQ resets the connection of a user who may not use its default virtual host, before it
   * states what it is: then the URL's virtual host is tried in the way of RabbitMQ.
   */
  async #connect(host: Host, signal: AbortSignal, attempt: number): Promise<Connection> {
    const { connect, virtualHost } = this.#init;
    try {
      return await connect(host, signal, attempt);
    } catch (failure) {
      const wasReset = failure instanceof ConnectionLost && !signal.aborted;
      if (!wasReset || this.#chosen !== undefined) throw failure;
      if (virtualHost === undefined) throw explainedReset(failure, "/", signal);
      const connection = await connect(host, signal, attempt, vhostHostname(virtualHost)).catch((second) => {
        throw second instanceof ConnectionLost ? explainedReset(failure, virtualHost, signal) : failure;
      });
      if (connection.remote.product === "RabbitMQ") return connection;
      await connection.close();
      throw failure;
    }
  }

  async #handOver(successor: TransportDriver): Promise<void> {
    for (const operation of this.#operations) operation.interrupt();
    void this.#first.close(0);
    // This takes no more than microtasks. Operations that begin meanwhile are added at the end.
    for (const operation of this.#operations) await operation.isInterrupted;
    this.#chosen = this.#closing === undefined ? successor : this.#first;
    // The attempt to connect goes on, as it does without those who waited for it.
    if (this.#operations.size === 0 && this.#closing === undefined) successor.connect({}).catch(() => {});
    for (const operation of this.#operations) operation.resume(successor);
    this.#operations.clear();
  }

  async #close(graceMs: number): Promise<void> {
    if (this.#chosen !== undefined) return await this.#chosen.close(graceMs);
    const endMs = performance.now() + graceMs;
    await this.#first.close(graceMs);
    await this.#handingOver;
    await this.#successor?.close(Math.max(0, endMs - performance.now()));
  }

  #use<L extends Limits, T>(limits: L, use: Use<L, T>): Promise<T> {
    return this.#chosen === undefined ? this.#begin(limits, use) : use(this.#chosen, limits);
  }

  /** As `#begin`, for a message. It is copied as it is now: the caller may change its members while it waits. */
  #send<R extends Limits & { body: object; context: object }, T>(request: R, use: Use<R, T>): Promise<T> {
    let copy: R;
    try {
      const { body, context } = request;
      copy = { ...request, ...(fromJson(toJson({ body, context }), "a copy") as object) };
    } catch {
      return use(this.#first, request); // which refuses it, and names the member
    }
    return this.#begin(copy, use);
  }

  /** Starts an operation on the first driver, and again on the successor if that takes over. */
  #begin<L extends Limits, T>(limits: L, use: Use<L, T>): Promise<T> {
    const { signal, timeoutMs } = limits;
    // The first driver refuses both.
    if (signal?.aborted || this.#closing !== undefined) return use(this.#first, limits);
    const startedMs = performance.now();
    const abort = new AbortController();
    const onCallerAbort = (): void => abort.abort(signal?.reason);
    onAbort(signal, onCallerAbort);
    const first =
      this.#handingOver === undefined
        ? use(this.#first, { ...limits, signal: abort.signal })
        : Promise.reject(INTERRUPTED);
    return new Promise((resolve, reject) => {
      const over = (isInterrupted: boolean): boolean => {
        offAbort(signal, onCallerAbort);
        if (!isInterrupted) this.#operations.delete(operation);
        return isInterrupted;
      };
      const operation: Operation = {
        interrupt: () => abort.abort(INTERRUPTED),
        isInterrupted: first.then(
          (value) => {
            resolve(value);
            return over(false);
          },
          (error: unknown) => {
            if (error !== INTERRUPTED) reject(error);
            return over(error === INTERRUPTED);
          },
        ),
        resume(successor) {
          const restMs = timeoutMs && Math.max(1, Math.ceil(timeoutMs - (performance.now() - startedMs)));
          use(successor, { ...limits, timeoutMs: restMs }).then(resolve, reject);
        },
      };
      this.#operations.add(operation);
    });
  }
}
