import type { Dial, TLSOptions } from "../../core/byte-stream.js";
import type { Frame } from "../../core/frames/frame-log.js";
import { tagOf } from "../../core/kinds.js";
import type { Logger } from "../../core/logger.js";
import { ConfigurationError } from "../exceptions.js";
import type { RabbitOptions } from "../rabbit/option-table.js";
import { isJsonObject, type NonFiniteNumbers } from "../values/json.js";
import type { RemoteExceptions } from "../values/remote-failure.js";
import type { CredentialsFunction } from "./credentials.js";
import {
  callback,
  checked,
  logger,
  members,
  type OptionCheck,
  type OptionChecks,
  positiveMs,
} from "./option-checks.js";
import { boolean, integer, oneOf, string } from "./option-types.js";
import type { AmqpOptions } from "./options.js";
import { tlsOptions } from "./tls.js";

/** A driver that is not built into the runtime: `rabbit`. */
export interface DriverPlugin {
  /** Name of its options in code. */
  readonly name: string;
  /** The URL schemes of the driver. Each is dialled as another one: `rabbit` as `amqp`. */
  readonly schemes: ReadonlyMap<string, string>;
}

/** Options of a transport. Omitted ones have their defaults. */
export interface TransportOptions {
  /**
   * Exchange of targets without one: oslo's `control_exchange`. Default "openstack". Most services set their own in their code,
   * nova's is `nova`: docs/services.md lists them.
   */
  controlExchange?: string | undefined;
  /** Timeout of calls that set none themselves, in milliseconds. Default 60,000. */
  rpcResponseTimeoutMs?: number | undefined;
  /** Options of `[oslo_messaging_amqp]`. The URL's query overrides them. */
  amqp?: AmqpOptions | undefined;
  /** Options of `[oslo_messaging_rabbit]`, for rabbit:// URLs, whose query overrides them, and for amqp:// URLs of RabbitMQ 4. */
  rabbit?: RabbitOptions | undefined;
  /**
   * Enables TLS, also for the schemes `amqp`, `amqp+ws`, `rabbit` and `rabbit+ws`. `{}` verifies the server against the authorities that the runtime
   * trusts. Each `ssl_*` option of the URL's query overrides its counterpart. An option that the runtime does not support
   * throws a ConfigurationError: browsers and workers support only `{}`, Deno only `ca`, `cert` and `key`, over TCP.
   */
  tls?: TLSOptions | undefined;
  /**
   * Returns the credentials for a connection attempt, for tokens that expire and secrets that are stored elsewhere. Called
   * before every attempt; its credentials override those of the URL. `host` is the host of the attempt, with the URL's user
   * and password; `attempt` counts from 1 until a connection is made; `signal` aborts when the attempt is over. When the
   * function throws, or returns no credentials, the attempt fails with this reason. Over rabbit:// a token is sent as the
   * password of PLAIN. Each of the two connections to RabbitMQ calls the function for its own attempts.
   */
  credentials?: CredentialsFunction | undefined;
  /**
   * Drivers in addition to those of the runtime: `[rabbit]` of `oslo-messaging/rabbit`, for rabbit:// URLs and for RabbitMQ 4 at
   * amqp:// URLs. Node, Deno and Bun have both, browsers and workers only the one of AMQP 1.0.
   */
  drivers?: readonly DriverPlugin[] | undefined;
  /** Options of WebSockets. */
  webSocket?:
    | {
        /** HTTP path. `ws_path` in the URL overrides it. Default "/". */
        path?: string | undefined;
      }
    | undefined;
  /** Dialers by URL scheme, in addition to those of the runtime. */
  dialers?: Readonly<Record<string, Dial>> | undefined;
  /** Logger of the transport. By default warnings and errors go to `console`. `null` discards all messages. */
  logger?: Logger | null | undefined;
  /**
   * Largest message that is accepted, in bytes. Default 16 MiB. Over amqp:// the limit is announced to the peer, except RabbitMQ.
   * With RabbitMQ it holds before and after decompression; a larger message is rejected without requeue, with a warning. A call
   * whose reply is larger fails at once; with a compressed reply it waits until its timeout.
   */
  maxMessageBytes?: number | undefined;
  /** Makes Errors of remote failures, by Python's `module.Class`. All other failures become RemoteErrors. */
  remoteExceptions?: RemoteExceptions | undefined;
  /**
   * Treatment of NaN and the infinities in received messages; Python writes them, although JSON has no such numbers. `refuse`,
   * the default: the message is malformed. `accept`: they are numbers. They are never sent.
   */
  nonFiniteNumbers?: NonFiniteNumbers | undefined;
  /** Called with every frame of AMQP 1.0 or 0-9-1 that is sent or received, on each connection, without secrets. */
  onFrame?: ((frame: Frame) => void) | undefined;
  /**
   * Fail calls that wait for their reply as soon as the connection of replies is lost, with MessageDeliveryFailure of outcome
   * `unknown`. Default false: they wait until their timeout, as in oslo. With RabbitMQ the reply may still arrive then: the
   * queue outlives the connection.
   */
  failFast?: boolean | undefined;
  /**
   * Bounds of the queue of messages that wait for a connection or for credit: `messages`, default 10,000, and `bytes` of
   * JSON, default 64 MiB; amqp:// counts one byte for each character. The message that reaches a bound is queued. The next one
   * that would have to wait fails with SendQueueFull. Replies are never refused. See `writable`.
   */
  maxQueued?:
    | {
        /** Largest number of queued messages. Default 10,000. */
        messages?: number | undefined;
        /** Largest total size of queued messages, in bytes. Default 64 MiB. */
        bytes?: number | undefined;
      }
    | undefined;
  /**
   * Returns a random number from 0 to below 1. It selects the first host, and half the length of each pause between
   * connection attempts. Default `Math.random`.
   */
  random?: (() => number) | undefined;
}

/**
 * Validated options.
 *
 * @throws NoSuchOptError for an unknown option, by name.
 * @throws ConfigurationError for an invalid value, naming the option.
 */
export function checkedTransportOptions(options: TransportOptions): TransportOptions {
  return checked(options, OPTIONS);
}

const positive = integer(1).check;
const jsonObject = objectWhere("an object", isJsonObject);

const OPTIONS: OptionChecks<TransportOptions> = {
  controlExchange: string.check,
  rpcResponseTimeoutMs: positiveMs,
  amqp: jsonObject,
  rabbit: jsonObject,
  tls: tlsOptions,
  credentials: callback,
  drivers: (key, value) => {
    if (Array.isArray(value) && value.every(isDriver)) return value;
    throw new ConfigurationError(key, "must be an array of drivers of this library");
  },
  webSocket: members({ path: string.check }),
  dialers: objectWhere("an object of functions, by URL scheme", (value) =>
    Object.values(value).every((dial) => typeof dial === "function"),
  ),
  logger,
  maxMessageBytes: positive,
  remoteExceptions: objectWhere(
    "a Map of functions, by module.Class",
    (value) =>
      tagOf(value) === "Map" &&
      [...(value as Map<unknown, unknown>).values()].every((make) => typeof make === "function"),
  ),
  nonFiniteNumbers: oneOf<NonFiniteNumbers>("refuse", "accept").check,
  onFrame: callback,
  failFast: boolean.check,
  maxQueued: members({ messages: positive, bytes: positive }),
  random: callback,
};

/** Recognised by its shape: there may be a second copy of the class. */
function isDriver(value: unknown): boolean {
  return isJsonObject(value) && tagOf(value["schemes"]) === "Map" && typeof value["create"] === "function";
}

function objectWhere(description: string, isValid: (value: object) => boolean): OptionCheck {
  return (key, value) => {
    if (typeof value === "object" && value !== null && isValid(value)) return value;
    throw new ConfigurationError(key, `must be ${description}`);
  };
}
