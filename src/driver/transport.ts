/// <reference lib="esnext.disposable" preserve="true" />
// Kept in the declarations, so that they compile in projects without this lib.
import { defineAsyncDispose } from "../core/async-dispose.js";
import type { Dial } from "../core/byte-stream.js";
import { StatusFeed, type TransportStatus } from "../core/connection/status.js";
import type { Logger } from "../core/logger.js";
import { logOf, type RecurringWarnings } from "../core/recurring-warnings.js";
import { timerMs } from "../core/timers.js";
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
import { type TransportURL, toTransportURL } from "./options/transport-url.js";
import type { Runtime } from "./runtime.js";
import { type TargetLike, toTarget } from "./target.js";
import { MessageIds } from "./values/ids.js";

/**
 * A connection to a message bus (oslo_messaging/transport.py). It connects at the first use, and again after each loss
 * until it is closed.
 */
export abstract class Transport implements AsyncDisposable {
  /** Calls `close`, for `await using`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  /** URL of the message bus. */
  readonly url: TransportURL;
  /** @internal */
  readonly driver: Driver;
  /** @internal */
  readonly rpcResponseTimeoutMs: number;
  /** @internal */
  readonly logger: Logger;
  /** @internal Warnings of conditions that may recur. */
  readonly warnings: RecurringWarnings;
  /** @internal Kind of messages that targets address. */
  abstract readonly service: ServiceKind;
  readonly #amqp: AmqpDriver;
  readonly #status = new StatusFeed();

  /** @internal */
  constructor(runtime: Runtime, url: string | TransportURL, options: TransportOptions) {
    const given = checkedTransportOptions(options);
    this.url = toTransportURL(url);
    const { logger, warnings } = logOf(given.logger);
    this.logger = logger;
    this.warnings = warnings;
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
      logger.warn("sasl_config_dir and sasl_config_name are ignored: they are options of Cyrus SASL");
    }
    this.#amqp = new AmqpDriver({
      hosts: hostsOf(this.url, amqp, { tls, path: amqp.wsPath ?? given.webSocket?.path }),
      connect: connector({ dial, amqp, virtualHost, ids, runtime, options: given, logger, warnings }),
      options: amqp,
      controlExchange: given.controlExchange ?? "openstack",
      virtualHost,
      remoteExceptions: given.remoteExceptions,
      nonFiniteNumbers: given.nonFiniteNumbers,
      ids,
      status: this.#status,
      logger,
      warnings,
      maxQueued: given.maxQueued,
      failFast: given.failFast,
      random: given.random,
      onWake: runtime.onWake,
    });
    this.driver = this.#amqp;
  }

  /** Present status. */
  get state(): TransportStatus {
    return this.#status.present;
  }

  /** Yields the present status, then each change. A slow reader gets the latest one. Ends after `closed`. */
  status(): AsyncIterable<TransportStatus> {
    return this.#status.watch();
  }

  /**
   * Resolves when the transport is connected. It retries until then.
   *
   * @throws the reason of `signal`.
   * @throws MessagingException when the transport is closed.
   */
  async connect(options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = checked(options, { signal: abortSignal });
    await this.#amqp.connect(signal);
  }

  /**
   * Resolves when the send queue has room, according to `maxQueued`: usually at once. A program that sends many messages
   * awaits it before each one.
   *
   * @throws the reason of `signal`.
   * @throws MessagingException when the transport is closed.
   */
  async writable(options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = checked(options, { signal: abortSignal });
    await this.#amqp.writable(signal);
  }

  /**
   * Returns a report on the connection and its peer. Connects first if necessary. With a target it also reports how many
   * messages for it the peer accepts now; a broker creates the target's queue for that.
   *
   * @throws InvalidTarget for a target without topic.
   * @throws the reason of `signal`.
   * @throws the error of the connection when it is lost, or of the link when it is refused.
   * @throws MessagingException when the transport is closed.
   */
  async probe(target?: TargetLike, options: { signal?: AbortSignal | undefined } = {}): Promise<ConnectionReport> {
    const { signal } = checked(options, { signal: abortSignal });
    const to = target && toTarget(target);
    if (to !== undefined && !to.topic) throw new InvalidTarget("A topic is required to send", to);
    return await this.#amqp.probe(to, this.service, signal);
  }

  /** @internal The present connection, or the next one as soon as it is open, for additional links. */
  async driverConnection(signal?: AbortSignal): Promise<DriverConnection> {
    return await this.#amqp.connect(signal);
  }

  /**
   * Closes the transport for good. Running operations fail, and queued fanout casts are discarded, after `graceMs`
   * (milliseconds, default 0). Idempotent.
   */
  async close(options: { graceMs?: number | undefined } = {}): Promise<void> {
    const { graceMs = 0 } = checked(options, { graceMs: millis });
    await this.#amqp.close(graceMs);
  }

  static {
    defineAsyncDispose(Transport.prototype, (transport) => transport.close());
  }
}

/** A transport for RPC clients and servers. */
export class RPCTransport extends Transport {
  /** Distinguishes the two kinds of transport, for the compiler only. */
  declare protected readonly kind: "rpc";
  /** @internal */
  override readonly service = "rpc";
}

/** A transport for notifiers and notification listeners. */
export class NotificationTransport extends Transport {
  /** Distinguishes the two kinds of transport, for the compiler only. */
  declare protected readonly kind: "notification";
  /** @internal */
  override readonly service = "notify";
}

/** The dialler of the URL's scheme. It must be an own member of the table: a scheme may be "constructor". */
function dialFor({ scheme }: TransportURL, dialers: Readonly<Record<string, Dial>>): Dial {
  const dial = Object.hasOwn(dialers, scheme) ? dialers[scheme] : undefined;
  if (dial !== undefined) return dial;
  throw new DriverLoadFailure(scheme, `the supported schemes are ${Object.keys(dialers).join(", ")}`);
}

const millis: OptionCheck = (key, value) => {
  if (typeof value === "number" && value >= 0) return timerMs(value);
  throw new ConfigurationError(key, "must be a number of milliseconds, 0 or more");
};
