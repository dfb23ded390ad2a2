/// <reference lib="esnext.disposable" preserve="true" />
// Kept in the declarations, so that they compile in projects without this lib.
import { defineAsyncDispose } from "../core/async-dispose.js";
import type { Dial } from "../core/byte-stream.js";
import { StatusFeed, type TransportStatus } from "../core/connection/status.js";
import type { Logger } from "../core/logger.js";
import { logOf, type RecurringWarnings } from "../core/recurring-warnings.js";
import { timerMs } from "../core/timers.js";
import type { ConnectionReport } from "./connection-report.js";
import type { ConnectOptions, ServiceKind, TransportDriver } from "./driver.js";
import { ConfigurationError, DriverLoadFailure, InvalidTarget } from "./exceptions.js";
import { abortSignal, checked, type OptionCheck, type OptionChecks, positiveMs } from "./options/option-checks.js";
import { boolean } from "./options/option-types.js";
import { NEEDS_RABBIT } from "./options/rabbit-advice.js";
import { checkedTransportOptions, type TransportOptions } from "./options/transport-options.js";
import { type TransportURL, toTransportURL } from "./options/transport-url.js";
import type { DriverType, Runtime } from "./runtime.js";
import { type TargetLike, toTarget } from "./target.js";

/**
 * A connection to a message bus (oslo_messaging/transport.py); to RabbitMQ two, one that publishes and one that listens. It
 * connects at the first use, and again after each loss until it is closed. Before its first connection it tries only while a call, a send, a `connect` or a listener waits:
 * afterwards no timer or socket keeps the program alive.
 */
export abstract class Transport implements AsyncDisposable {
  /** Calls `close`, for `await using`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  /** URL of the message bus. */
  readonly url: TransportURL;
  /** @internal */
  readonly driver: TransportDriver;
  /** @internal */
  readonly rpcResponseTimeoutMs: number;
  /** @internal */
  readonly logger: Logger;
  /** @internal Warnings of conditions that may recur. */
  readonly warnings: RecurringWarnings;
  /** @internal Kind of messages that targets address. */
  abstract readonly service: ServiceKind;
  readonly #status = new StatusFeed();

  /** @internal */
  constructor(runtime: Runtime, url: string | TransportURL, options: TransportOptions) {
    const given = checkedTransportOptions(options);
    this.url = toTransportURL(url);
    const { logger, warnings } = logOf(given.logger);
    this.logger = logger;
    this.warnings = warnings;
    this.rpcResponseTimeoutMs = given.rpcResponseTimeoutMs ?? 60_000;
    const drivers = [...runtime.drivers, ...((given.drivers ?? []) as readonly DriverType[])] as const;
    const dialers = { ...runtime.dialers, ...given.dialers };
    const { type, dial } = driverFor(this.url.scheme, drivers, dialers, runtime.tcpAdvice);
    const status = this.#status;
    this.driver = type.create({ url: this.url, options: given, runtime, dial, drivers, status, logger, warnings });
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
   * connected, with pauses. To RabbitMQ it opens the connection that publishes; with a server or listener, the one that
   * listens.
   *
   * @throws the error of the last attempt when every host has failed: an AuthenticationError when it refused the
   *   credentials, a ProtocolError when it does not speak the protocol, an AmqpError or an Amqp091Error that it sent, a
   *   ConnectionLost when it closed or did not answer, or an Error when it could not be reached.
   * @throws MessagingTimeout after `timeoutMs`, with the last failure as `cause`.
   * @throws the reason of `signal`.
   * @throws MessagingException when the transport is closed.
   * @throws ConfigurationError for a bad option; it names the option.
   */
  async connect(options: ConnectOptions = {}): Promise<void> {
    await this.driver.connect(checked(options, CONNECT_OPTIONS));
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
    await this.driver.writable(signal);
  }

  /**
   * Returns a report on the connection and its peer; `protocol` tells its kind. Connects first if necessary, as `connect`
   * does. With a target it reports how many messages for it the peer accepts now, for which a broker creates the target's
   * queue; of RabbitMQ, how the exchanges and queues of the target are declared, and creates none.
   *
   * @throws InvalidTarget for a target without topic.
   * @throws as {@link Transport.connect}.
   * @throws the error of the connection when it is lost, or of the link when it is refused.
   */
  async probe(target?: TargetLike, options: ConnectOptions = {}): Promise<ConnectionReport> {
    const valid = checked(options, CONNECT_OPTIONS);
    const to = target && toTarget(target);
    if (to !== undefined && !to.topic) throw new InvalidTarget("A topic is required to send", to);
    return await this.driver.probe(to, this.service, valid);
  }

  /**
   * Closes the transport for good. Running operations fail, and queued fanout casts are discarded, after `graceMs`
   * (milliseconds, default 0). Idempotent.
   */
  async close(options: { graceMs?: number | undefined } = {}): Promise<void> {
    const { graceMs = 0 } = checked(options, { graceMs: millis });
    await this.driver.close(graceMs);
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

/** The schemes of the driver that some runtimes lack (`RABBIT_SCHEMES`). */
const RABBIT = /^(rabbit(\+wss?)?|kombu(\+amqp)?)$/;

/**
 * The driver and the dialler of the URL's scheme. A scheme of no driver, for a dialler given in code, is one of AMQP 1.0.
 * Dialers must be own members: a scheme may be "constructor".
 */
function driverFor(
  scheme: string,
  types: readonly [DriverType, ...DriverType[]],
  dialers: Readonly<Record<string, Dial>>,
  tcpAdvice = "",
): { type: DriverType; dial: Dial } {
  const dialerOf = (name = ""): Dial | undefined => (Object.hasOwn(dialers, name) ? dialers[name] : undefined);
  const known = types.find(({ schemes }) => schemes.has(scheme));
  if (known === undefined && RABBIT.test(scheme)) {
    const lacksTcp = !scheme.includes("+ws") && dialerOf("amqp") === undefined;
    const subject = lacksTcp ? "without TCP use rabbit+ws://, which" : `${scheme}://`;
    throw new DriverLoadFailure(scheme, `${subject} ${NEEDS_RABBIT}${lacksTcp ? tcpAdvice : ""}`);
  }
  const type = known ?? types[0];
  const dial = dialerOf(scheme) ?? dialerOf(type.schemes.get(scheme));
  if (dial !== undefined) return { type, dial };
  const supported = types.flatMap(({ schemes }) => [...schemes].filter(([, dialled]) => dialerOf(dialled)));
  const names = new Set([...Object.keys(dialers), ...supported.map(([name]) => name)]);
  throw new DriverLoadFailure(scheme, `the supported schemes are ${[...names].join(", ")}${tcpAdvice}`);
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
