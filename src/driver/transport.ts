import type { Connection } from "../core/connection.js";
import type { Dial } from "../core/dial.js";
import type { Frame } from "../core/frame-log.js";
import { connect } from "../core/handshake.js";
import { type Logger, silentLogger } from "../core/logger.js";
import { StatusBoard, type TransportStatus } from "../core/status.js";
import { LONGEST_TIMER_MS } from "../core/timers.js";
import type { Service } from "./amqp/addressing.js";
import type { Bus } from "./amqp/bus.js";
import { AmqpDriver } from "./amqp/driver.js";
import { type Host, hostsOf, isLoopback } from "./amqp/hosts.js";
import { MessageIds } from "./amqp/message-ids.js";
import type { ConnectionReport } from "./amqp/probe.js";
import type { Driver } from "./driver.js";
import { ConfigurationError, DriverLoadFailure, InvalidTarget } from "./exceptions.js";
import { isJsonObject } from "./json.js";
import { abortSignal, callback, checked, type OptionCheck, type OptionChecks, someMs } from "./option-checks.js";
import { integer, string } from "./option-types.js";
import { type AmqpOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import type { RemoteExceptions } from "./remote-failure.js";
import { type TargetLike, toTarget } from "./target.js";
import { TransportURL } from "./transport-url.js";

/** What the program runs on. */
export interface Runtime {
  /** By URL scheme. */
  readonly dialers: Readonly<Record<string, Dial>>;
  /** Who we are, for whoever looks at the connections of the message bus. */
  readonly identity: { readonly node: string; readonly process: string; readonly pid: number };
  /** Defaults that are not oslo's. */
  readonly defaults: Partial<ResolvedOptions>;
}

export interface TransportOptions {
  /** The exchange of targets that name none. Default "openstack". */
  controlExchange?: string | undefined;
  /** How long a call waits unless it says so itself. Default 60,000. */
  rpcResponseTimeoutMs?: number | undefined;
  /** Options of `[oslo_messaging_amqp]`. The URL's query goes before them. */
  amqp?: AmqpOptions | undefined;
  /** `path`: the HTTP path of WebSockets, which `ws_path` in the URL goes before. Default "/". */
  webSocket?: { path?: string | undefined } | undefined;
  /** By URL scheme, added to those of the runtime. */
  dialers?: Readonly<Record<string, Dial>> | undefined;
  /** Default: silent. */
  logger?: Logger | undefined;
  /** The largest message that is taken, in bytes. Default 16 MiB. */
  maxMessageBytes?: number | undefined;
  /** What remote failures become, by `module.Class` as Python names it. All others are RemoteErrors. */
  remoteExceptions?: RemoteExceptions | undefined;
  /** Sees every AMQP frame as it passes, without secrets. */
  onFrame?: ((frame: Frame) => void) | undefined;
}

/**
 * A connection to a message bus, made at the first use and again whenever it is lost, until it is closed
 * (oslo_messaging/transport.py).
 */
export abstract class Transport implements AsyncDisposable {
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
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
    this.#amqp = new AmqpDriver({
      hosts: hostsOf(this.url, amqp, amqp.wsPath ?? given.webSocket?.path),
      connect: connector({ dial, amqp, virtualHost, ids, runtime, options: given, logger: this.logger }),
      options: amqp,
      controlExchange: given.controlExchange ?? "openstack",
      virtualHost,
      remoteExceptions: given.remoteExceptions,
      ids,
      status: this.#status,
      logger: this.logger,
    });
    this.driver = this.#amqp;
  }

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
  declare protected readonly kind: "rpc";
  /** @internal */
  override readonly service = "rpc";
}

/** For notifiers and notification listeners. */
export class NotificationTransport extends Transport {
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

interface ConnectorInit {
  dial: Dial;
  amqp: ResolvedOptions;
  virtualHost: string | undefined;
  ids: MessageIds;
  runtime: Runtime;
  options: TransportOptions;
  logger: Logger;
}

/** Makes connections to one host or another, as the options want them. */
function connector(init: ConnectorInit): (host: Host, signal: AbortSignal) => Promise<Connection> {
  const { dial, amqp, virtualHost, ids, runtime, options, logger } = init;
  const { node, process, pid } = runtime.identity;
  const hostname = amqp.pseudoVhost ? undefined : virtualHost;
  const connection = {
    containerId: amqp.containerName ?? `openstack.org/om/container/${node}/${process}/${pid}/${ids.next()}`,
    hostname,
    idleTimeoutMs: amqp.idleTimeoutMs,
    properties: { process, pid, node },
    maxMessageBytes: options.maxMessageBytes,
    logger,
    onFrame: amqp.trace ? tracer(logger, options.onFrame) : options.onFrame,
  };
  let warned = false;
  return async (host, signal) => {
    const sasl = { credentials: host.credentials, mechanisms: amqp.saslMechanisms, hostname };
    const made = await connect(dial, host.address, { ...connection, sasl }, signal);
    if (made.mechanism === "PLAIN" && !made.socket.encrypted && !isLoopback(host) && !warned) {
      warned = true;
      logger.warn(`the password went to ${host.name} in clear: amqps or amqp+wss would hide it`);
    }
    return made;
  };
}

function tracer(logger: Logger, onFrame: ((frame: Frame) => void) | undefined): (frame: Frame) => void {
  return (frame) => {
    logger.debug(`${frame.direction} ${frame.performative}`, frame);
    onFrame?.(frame);
  };
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

const LEVELS = ["debug", "info", "warn", "error"];

const OPTIONS: OptionChecks<TransportOptions> = {
  controlExchange: string.check,
  rpcResponseTimeoutMs: someMs,
  amqp: wanted("an object", isJsonObject),
  webSocket: (key, value) => checked(wanted("an object", isJsonObject)(key, value) as object, { path: string.check }),
  dialers: wanted("an object of functions, by URL scheme", (value) =>
    Object.values(value).every((dial) => typeof dial === "function"),
  ),
  logger: wanted(`an object with the methods ${LEVELS.join(", ")}`, (value) =>
    LEVELS.every((level) => typeof Reflect.get(value, level) === "function"),
  ),
  maxMessageBytes: integer(1).check,
  remoteExceptions: wanted("a Map of functions, by module.Class", (value) => value instanceof Map),
  onFrame: callback,
};
