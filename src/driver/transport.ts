/// <reference lib="esnext.disposable" preserve="true" />
// Kept in the declarations: they compile where nobody has asked for this lib.
import { defineAsyncDispose } from "../core/async-dispose.js";
import type { Dial } from "../core/byte-stream.js";
import { StatusFeed, type TransportStatus } from "../core/connection/status.js";
import { type Logger, silentLogger } from "../core/logger.js";
import { LONGEST_TIMER_MS } from "../core/timers.js";
import type { ServiceKind } from "./amqp/addressing.js";
import { AmqpDriver } from "./amqp/driver.js";
import type { DriverConnection } from "./amqp/driver-connection.js";
import type { ConnectionReport } from "./amqp/probe.js";
import { connector } from "./connector.js";
import type { Driver } from "./driver.js";
import { ConfigurationError, DriverLoadFailure, InvalidTarget } from "./exceptions.js";
import { hostsOf } from "./options/hosts.js";
import { abortSignal, checked, type OptionCheck } from "./options/option-checks.js";
import { parseOptions, resolveOptions } from "./options/options.js";
import { tlsOf } from "./options/tls.js";
import { checkedTransportOptions, type TransportOptions } from "./options/transport-options.js";
import { TransportURL } from "./options/transport-url.js";
import type { Runtime } from "./runtime.js";
import { type TargetLike, toTarget } from "./target.js";
import { MessageIds } from "./values/ids.js";

/**
 * A connection to a message bus, made at the first use and again whenever it is lost, until it is closed
 * (oslo_messaging/transport.py).
 */
export abstract class Transport implements AsyncDisposable {
  /** `close`, for `await using`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  /** Where it connects to. */
  readonly url: TransportURL;
  /** @internal */
  readonly driver: Driver;
  /** @internal */
  readonly rpcResponseTimeoutMs: number;
  /** @internal */
  readonly logger: Logger;
  /** @internal What targets are for. */
  abstract readonly service: ServiceKind;
  readonly #amqp: AmqpDriver;
  readonly #status = new StatusFeed();

  /** @internal */
  constructor(runtime: Runtime, url: string | TransportURL, options: TransportOptions) {
    const given = checkedTransportOptions(options);
    this.url = typeof url === "string" ? TransportURL.parse(url) : url;
    this.logger = given.logger ?? silentLogger;
    this.rpcResponseTimeoutMs = given.rpcResponseTimeoutMs ?? 60_000;
    const dial = dialFor(this.url, { ...runtime.dialers, ...given.dialers });
    const amqp = resolveOptions({ options: given.amqp, query: this.url.query, defaults: runtime.defaults });
    const virtualHost = this.url.virtualHost || undefined;
    const ids = new MessageIds();
    const tls = tlsOf({
      scheme: this.url.scheme,
      texts: parseOptions(this.url.query),
      code: given.tls,
      readFile: runtime.readFile,
      supportedTlsOptions: dial.supportedTlsOptions,
    });
    if (amqp.saslConfigDir !== "" || amqp.saslConfigName !== "") {
      this.logger.warn("sasl_config_dir and sasl_config_name do nothing: they are for Cyrus SASL, which is not here");
    }
    this.#amqp = new AmqpDriver({
      hosts: hostsOf(this.url, amqp, { tls, path: amqp.wsPath ?? given.webSocket?.path }),
      connect: connector({ dial, amqp, virtualHost, ids, runtime, options: given, logger: this.logger }),
      options: amqp,
      controlExchange: given.controlExchange ?? "openstack",
      virtualHost,
      remoteExceptions: given.remoteExceptions,
      nonFiniteNumbers: given.nonFiniteNumbers,
      ids,
      status: this.#status,
      logger: this.logger,
      maxQueued: given.maxQueued,
      failFast: given.failFast,
      random: given.random,
      onWake: runtime.onWake,
    });
    this.driver = this.#amqp;
  }

  /** How it is doing right now. */
  get state(): TransportStatus {
    return this.#status.present;
  }

  /** First the present state, then changes; a slow reader gets the latest. Ends after `closed`. */
  status(): AsyncIterable<TransportStatus> {
    return this.#status.watch();
  }

  /**
   * Resolves when there is a connection: it goes on trying until then.
   *
   * @throws the reason of `signal`; MessagingException when the transport is closed.
   */
  async connect(options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = checked(options, { signal: abortSignal });
    await this.#amqp.connect(signal);
  }

  /**
   * Resolves when no more waits to be sent than `maxQueued`: at once, mostly. Whoever sends much awaits it before each message.
   *
   * @throws the reason of `signal`; MessagingException when the transport is closed.
   */
  async writable(options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = checked(options, { signal: abortSignal });
    await this.#amqp.writable(signal);
  }

  /**
   * Tells what there is at the other end of the connection, which is made first if there is none. With a target also
   * whether a message for it would be taken now: a broker makes the target's queue for that.
   *
   * @throws InvalidTarget for one without topic; the reason of `signal`; an error of the connection, or of a link that is
   *   refused; MessagingException when the transport is closed.
   */
  async probe(target?: TargetLike, options: { signal?: AbortSignal | undefined } = {}): Promise<ConnectionReport> {
    const { signal } = checked(options, { signal: abortSignal });
    const known = target && toTarget(target);
    if (known !== undefined && !known.topic) throw new InvalidTarget("A topic is required to send", known);
    return await this.#amqp.probe(known, this.service, signal);
  }

  /** @internal What lives for the present connection, as soon as there is one: for links of one's own. */
  async driverConnection(signal?: AbortSignal): Promise<DriverConnection> {
    return await this.#amqp.connect(signal);
  }

  /** Ends the connection for good. What is under way gets `graceMs` (default 0), then fails. Idempotent. */
  async close(options: { graceMs?: number | undefined } = {}): Promise<void> {
    const { graceMs = 0 } = checked(options, { graceMs: millis });
    await this.#amqp.close(graceMs);
  }

  static {
    defineAsyncDispose(Transport.prototype, (transport) => transport.close());
  }
}

/** For RPC clients and servers. */
export class RPCTransport extends Transport {
  /** Tells it from the other kind of transport, to the compiler alone. */
  declare protected readonly kind: "rpc";
  /** @internal */
  override readonly service = "rpc";
}

/** For notifiers and notification listeners. */
export class NotificationTransport extends Transport {
  /** Tells it from the other kind of transport, to the compiler alone. */
  declare protected readonly kind: "notification";
  /** @internal */
  override readonly service = "notify";
}

/** The dialler of the URL's scheme; an own member of the table, for the scheme may be "constructor". */
function dialFor({ scheme }: TransportURL, dialers: Readonly<Record<string, Dial>>): Dial {
  const dial = Object.hasOwn(dialers, scheme) ? dialers[scheme] : undefined;
  if (dial !== undefined) return dial;
  throw new DriverLoadFailure(scheme, `the schemes that work here are ${Object.keys(dialers).join(", ")}`);
}

const millis: OptionCheck = (key, value) => {
  if (typeof value === "number" && value >= 0) return Math.min(value, LONGEST_TIMER_MS);
  throw new ConfigurationError(key, "must be a number of milliseconds, 0 or more");
};
