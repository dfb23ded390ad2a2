import type { Dial, TLSOptions } from "../core/dial.js";
import type { Frame } from "../core/frame-log.js";
import { type Logger, silentLogger } from "../core/logger.js";
import { StatusBoard, type TransportStatus } from "../core/status.js";
import { LONGEST_TIMER_MS } from "../core/timers.js";
import type { Service } from "./amqp/addressing.js";
import type { Bus } from "./amqp/bus.js";
import { AmqpDriver } from "./amqp/driver.js";
import { hostsOf } from "./amqp/hosts.js";
import { MessageIds } from "./amqp/message-ids.js";
import type { ConnectionReport } from "./amqp/probe.js";
import { connector } from "./connector.js";
import type { CredentialsFunction } from "./credentials.js";
import type { Driver } from "./driver.js";
import { ConfigurationError, DriverLoadFailure, InvalidTarget } from "./exceptions.js";
import { isJsonObject, type NonFiniteNumbers } from "./json.js";
import { abortSignal, callback, checked, type OptionCheck, type OptionChecks, someMs } from "./option-checks.js";
import { boolean, integer, oneOf, string } from "./option-types.js";
import { type AmqpOptions, parseOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import type { RemoteExceptions } from "./remote-failure.js";
import { type TargetLike, toTarget } from "./target.js";
import { type ReadFile, tlsOf, tlsOptions } from "./tls.js";
import { TransportURL } from "./transport-url.js";

/** What the program runs on. */
export interface Runtime {
  /** By URL scheme. */
  readonly dialers: Readonly<Record<string, Dial>>;
  /** Who we are, for whoever looks at the connections of the message bus. */
  readonly identity: { readonly node: string; readonly process: string; readonly pid: number };
  /** Defaults that are not oslo's. */
  readonly defaults: Partial<ResolvedOptions>;
  /** Whether its diallers honour all of `Address.tls`. Where not, as in a browser, TLS is on or off. */
  readonly controlsTls?: boolean | undefined;
  /** Where there are files: ssl_ca_file and its like are read when a transport is made. */
  readonly readFile?: ReadFile | undefined;
  /** Subscribes to what tells that the network, or the program, was away or is back; gives what ends that. */
  readonly onWake?: ((wake: () => void) => () => void) | undefined;
}

/** How a transport works. What is absent has its default. */
export interface TransportOptions {
  /** The exchange of targets that name none. Default "openstack". */
  controlExchange?: string | undefined;
  /** How long a call waits unless it says so itself. Default 60,000. */
  rpcResponseTimeoutMs?: number | undefined;
  /** Options of `[oslo_messaging_amqp]`. The URL's query goes before them. */
  amqp?: AmqpOptions | undefined;
  /**
   * Connect by TLS, also under the schemes `amqp` and `amqp+ws`: `{}` is enough where the system's authorities are to decide.
   * The `ssl_*` options of the URL's query go before it, one by one. A browser can say no more than `{}`.
   */
  tls?: TLSOptions | undefined;
  /**
   * Called before every attempt to connect, for tokens that expire and secrets that are kept elsewhere; what it gives goes
   * before what the URL says. `host` is where the attempt goes, with the URL's user and password; `attempt` counts from 1
   * until there is a connection; `signal` aborts when the attempt is over. When it throws, or gives no credentials, the
   * attempt has failed for this reason.
   */
  credentials?: CredentialsFunction | undefined;
  /** What is special about WebSockets. */
  webSocket?:
    | {
        /** The HTTP path, which `ws_path` in the URL goes before. Default "/". */
        path?: string | undefined;
      }
    | undefined;
  /** By URL scheme, added to those of the runtime. */
  dialers?: Readonly<Record<string, Dial>> | undefined;
  /** Default: silent. */
  logger?: Logger | undefined;
  /** The largest message that is taken, in bytes. Default 16 MiB. */
  maxMessageBytes?: number | undefined;
  /** What remote failures become, by `module.Class` as Python names it. All others are RemoteErrors. */
  remoteExceptions?: RemoteExceptions | undefined;
  /**
   * What becomes of NaN and the infinities in a message, which Python writes and JSON does not have. `refuse`, the default:
   * the message cannot be read. `accept`: they are numbers. They are never sent.
   */
  nonFiniteNumbers?: NonFiniteNumbers | undefined;
  /** Sees every AMQP frame as it passes, without secrets. */
  onFrame?: ((frame: Frame) => void) | undefined;
  /**
   * Fail calls that wait for their reply as soon as their connection is lost: with MessageDeliveryFailure, outcome
   * `unknown`. Default false: they wait until their timeout, as in oslo.
   */
  failFast?: boolean | undefined;
  /**
   * How much may wait to be sent, for a connection or for credit: `messages`, default 10,000, and `bytes` of JSON, a
   * character counted as one, default 64 MiB. The message that reaches a bound is taken, the next one that would have to
   * wait is refused with SendQueueFull; replies never are. See `writable`.
   */
  maxQueued?:
    | {
        /** Default 10,000. */
        messages?: number | undefined;
        /** Default 64 MiB. */
        bytes?: number | undefined;
      }
    | undefined;
  /** Chooses the first host, and half the length of each pause between attempts to connect. Default `Math.random`. */
  random?: (() => number) | undefined;
}

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
  abstract readonly service: Service;
  readonly #amqp: AmqpDriver;
  readonly #status = new StatusBoard();

  /** @internal */
  constructor(runtime: Runtime, url: string | TransportURL, options: TransportOptions) {
    const given = checked<TransportOptions>(options, OPTIONS);
    this.url = typeof url === "string" ? TransportURL.parse(url) : url;
    this.logger = given.logger ?? silentLogger;
    this.rpcResponseTimeoutMs = given.rpcResponseTimeoutMs ?? 60_000;
    const dial = dialFor(this.url, { ...runtime.dialers, ...given.dialers });
    const amqp = resolveOptions({ options: given.amqp, query: this.url.query, defaults: runtime.defaults });
    const virtualHost = this.url.virtualHost || undefined;
    const ids = new MessageIds();
    const tls = tlsFor(this.url, given, runtime);
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
  async bus(signal?: AbortSignal): Promise<Bus> {
    return await this.#amqp.connect(signal);
  }

  /** Ends the connection for good. What is under way gets `graceMs` (default 0), then fails. Idempotent. */
  async close(options: { graceMs?: number | undefined } = {}): Promise<void> {
    const { graceMs = 0 } = checked(options, { graceMs: millis });
    await this.#amqp.close(graceMs);
  }

  static {
    // Some engines do not have the symbol yet.
    if (Symbol.asyncDispose !== undefined) {
      Object.defineProperty(Transport.prototype, Symbol.asyncDispose, {
        value(this: Transport) {
          return this.close();
        },
      });
    }
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

/** Diallers of the caller's own are told everything: what they make of it is theirs. */
function tlsFor(url: TransportURL, { tls, dialers = {} }: TransportOptions, runtime: Runtime): TLSOptions | undefined {
  const { controlsTls = false, readFile } = runtime;
  const controllable = controlsTls || Object.hasOwn(dialers, url.scheme);
  return tlsOf({ scheme: url.scheme, texts: parseOptions(url.query), code: tls, readFile, controllable });
}

function wanted(what: string, isIt: (value: object) => boolean): OptionCheck {
  return (key, value) => {
    if (typeof value === "object" && value !== null && isIt(value)) return value;
    throw new ConfigurationError(key, `must be ${what}`);
  };
}

const millis: OptionCheck = (key, value) => {
  if (typeof value === "number" && value >= 0) return Math.min(value, LONGEST_TIMER_MS);
  throw new ConfigurationError(key, "must be a number of milliseconds, 0 or more");
};

const some = integer(1).check;

const LEVELS = ["debug", "info", "warn", "error"];

const OPTIONS: OptionChecks<TransportOptions> = {
  controlExchange: string.check,
  rpcResponseTimeoutMs: someMs,
  amqp: wanted("an object", isJsonObject),
  tls: tlsOptions,
  credentials: callback,
  webSocket: (key, value) => checked(wanted("an object", isJsonObject)(key, value) as object, { path: string.check }),
  dialers: wanted("an object of functions, by URL scheme", (value) =>
    Object.values(value).every((dial) => typeof dial === "function"),
  ),
  logger: wanted(`an object with the methods ${LEVELS.join(", ")}`, (value) =>
    LEVELS.every((level) => typeof Reflect.get(value, level) === "function"),
  ),
  maxMessageBytes: some,
  remoteExceptions: wanted("a Map of functions, by module.Class", (value) => value instanceof Map),
  nonFiniteNumbers: oneOf<NonFiniteNumbers>("refuse", "accept").check,
  onFrame: callback,
  failFast: boolean.check,
  maxQueued: (key, value) =>
    checked(wanted("an object", isJsonObject)(key, value) as object, { messages: some, bytes: some }),
  random: callback,
};
