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
import type { ConnectOptions, Driver } from "./driver.js";
import { ConfigurationError, DriverLoadFailure, InvalidTarget } from "./exceptions.js";
import { hostsOf } from "./options/hosts.js";
import { abortSignal, checked, type OptionCheck, type OptionChecks, positiveMs } from "./options/option-checks.js";
import { boolean } from "./options/option-types.js";
import { parseOptions, resolveOptions } from "./options/options.js";
import { tlsOf } from "./options/tls.js";
import { checkedTransportOptions, type TransportOptions } from "./options/transport-options.js";
import { type TransportURL, toTransportURL } from "./options/transport-url.js";
import type { Runtime } from "./runtime.js";
import { type TargetLike, toTarget } from "./target.js";
import { MessageIds } from "./values/ids.js";

/**
 * A connection to a message bus (oslo_messaging/transport.py). It connects at the first use, and again after each loss
 * until it is closed. Before its first connection it tries only while a call, a send, a `connect` or a listener waits:
 * afterwards no timer or socket keeps the program alive.
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
   * Resolves when the transport is connected. Tries each host once, without pauses. With `keepTrying` it tries until it is
   * connected, with a pause after each attempt.
   *
   * @throws the error of the last attempt when every host has failed: an AuthenticationError when it refused the
   *   credentials, a ProtocolError when it does not speak AMQP 1.0, an AmqpError that it sent, a ConnectionLost when it
   *   closed or did not answer, or an Error when it could not be reached.
   * @throws MessagingTimeout after `timeoutMs`, with the last failure as `cause`.
   * @throws the reason of `signal`.
   * @throws MessagingException when the transport is closed.
   * @throws ConfigurationError for a bad option; it names the option.
   */
  async connect(options: ConnectOptions = {}): Promise<void> {
    await this.#amqp.connect(checked(options, CONNECT_OPTIONS));
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
   * Returns a report on the connection and its peer. Connects first if necessary, as `connect` does. With a target it also
   * reports how many messages for it the peer accepts now; a broker creates the target's queue for that.
   *
   * @throws InvalidTarget for a target without topic.
   * @throws as {@link Transport.connect}.
   * @throws the error of the connection when it is lost, or of the link when it is refused.
   */
  async probe(target?: TargetLike, options: ConnectOptions = {}): Promise<ConnectionReport> {
    const valid = checked(options, CONNECT_OPTIONS);
    const to = target && toTarget(target);
    if (to !== undefined && !to.topic) throw new InvalidTarget("A topic is required to send", to);
    return await this.#amqp.probe(to, this.service, valid);
  }

  /** @internal As `connect`, for additional links. */
  async driverConnection(options?: ConnectOptions): Promise<DriverConnection> {
    return await this.#amqp.connect(options);
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

const CONNECT_OPTIONS: OptionChecks<ConnectOptions> = {
  signal: abortSignal,
  timeoutMs: positiveMs,
  keepTrying: boolean.check,
};

const millis: OptionCheck = (key, value) => {
  if (typeof value === "number" && value >= 0) return timerMs(value);
  throw new ConfigurationError(key, "must be a number of milliseconds, 0 or more");
};
