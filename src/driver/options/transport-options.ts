import type { Dial, TLSOptions } from "../../core/byte-stream.js";
import type { Frame } from "../../core/frames/frame-log.js";
import type { Logger } from "../../core/logger.js";
import { ConfigurationError } from "../exceptions.js";
import { isJsonObject, type NonFiniteNumbers } from "../values/json.js";
import type { RemoteExceptions } from "../values/remote-failure.js";
import type { CredentialsFunction } from "./credentials.js";
import { callback, checked, members, type OptionCheck, type OptionChecks, positiveMs } from "./option-checks.js";
import { boolean, integer, oneOf, string } from "./option-types.js";
import type { AmqpOptions } from "./options.js";
import { tlsOptions } from "./tls.js";

/** How a transport works. What is absent has its default. */
export interface TransportOptions {
  /** The exchange of targets that name none. Default "openstack". */
  controlExchange?: string | undefined;
  /** How long a call waits unless it says so itself. Default 60,000. */
  rpcResponseTimeoutMs?: number | undefined;
  /** Options of `[oslo_messaging_amqp]`. The URL's query goes before them. */
  amqp?: AmqpOptions | undefined;
  /**
   * Connect by TLS, also under the schemes `amqp` and `amqp+ws`: `{}` is enough where the runtime's own authorities are to decide.
   * The `ssl_*` options of the URL's query go before it, one by one. What the runtime cannot honour is refused: a
   * browser and a worker can say no more than `{}`, Deno `ca`, `cert` and `key`, by TCP.
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

/** As they can be used. @throws NoSuchOptError, ConfigurationError, naming the option. */
export function checkedTransportOptions(options: TransportOptions): TransportOptions {
  return checked(options, OPTIONS);
}

const some = integer(1).check;

const LEVELS = ["debug", "info", "warn", "error"];

const OPTIONS: OptionChecks<TransportOptions> = {
  controlExchange: string.check,
  rpcResponseTimeoutMs: positiveMs,
  amqp: objectWhere("an object", isJsonObject),
  tls: tlsOptions,
  credentials: callback,
  webSocket: members({ path: string.check }),
  dialers: objectWhere("an object of functions, by URL scheme", (value) =>
    Object.values(value).every((dial) => typeof dial === "function"),
  ),
  logger: objectWhere(`an object with the methods ${LEVELS.join(", ")}`, (value) =>
    LEVELS.every((level) => typeof Reflect.get(value, level) === "function"),
  ),
  maxMessageBytes: some,
  remoteExceptions: objectWhere("a Map of functions, by module.Class", (value) => value instanceof Map),
  nonFiniteNumbers: oneOf<NonFiniteNumbers>("refuse", "accept").check,
  onFrame: callback,
  failFast: boolean.check,
  maxQueued: members({ messages: some, bytes: some }),
  random: callback,
};

function objectWhere(what: string, isIt: (value: object) => boolean): OptionCheck {
  return (key, value) => {
    if (typeof value === "object" && value !== null && isIt(value)) return value;
    throw new ConfigurationError(key, `must be ${what}`);
  };
}
