import { kindOf } from "../../core/kinds.js";
import type { RequestBody } from "../driver.js";
import { InvalidTarget, RPCVersionCapError } from "../exceptions.js";
import {
  abortSignal,
  checked,
  checkedOverrides,
  checkTransport,
  type OptionChecks,
  overridden,
  positiveMs,
  serializer,
} from "../options/option-checks.js";
import { boolean, integer, string } from "../options/option-types.js";
import { type Overrides, type Target, type TargetInit, type TargetLike, toTarget } from "../target.js";
import type { RPCTransport } from "../transport.js";
import { isJsonObject, isLost } from "../values/json.js";
import type { JsonForm } from "../values/json-form.js";
import { type Context, noOpSerializer, type Serializer } from "../values/serializer.js";
import { isCompatible, parseVersion } from "../values/version.js";
import type { EndpointMethod } from "./access-policy.js";
import type { CallInfo } from "./dispatcher.js";

/** Interface of a server without a declared one: any method, any arguments, any result. */
export type AnyApi = Record<string, (context: object, args?: object) => unknown>;

/** The names of the methods of `Api`. */
export type MethodName<Api> = { [K in keyof Api & string]: Api[K] extends EndpointMethod ? K : never }[keyof Api &
  string];

/** Arguments that the caller passes to a method: its second parameter. The third one (CallInfo) is passed by the server. */
export type MethodArguments<F> = F extends (context: never, ...rest: infer R) => unknown
  ? R extends []
    ? []
    : R extends [infer A, ...unknown[]]
      ? [args: A]
      : R extends [(infer A)?, ...unknown[]]
        ? [args?: A]
        : never
  : never;

/** Result of a method, as the caller receives it: in its JSON form. */
export type MethodResult<F> = F extends (...args: never) => infer R ? JsonForm<Awaited<R>> : never;

/**
 * `Api` itself, if a caller can call each of its methods: with a context and one object of arguments. For the compiler's error,
 * any other method is replaced by a text. Names that start with `_` are not checked: a server does not offer them.
 */
export type RPCInterface<Api> = {
  [K in keyof Api]: K extends `_${string}` | symbol
    ? Api[K]
    : Api[K] extends EndpointMethod
      ? TakesOneObject<Parameters<Api[K]>> extends true
        ? Api[K]
        : "a method has the parameters (context, args): args is one object that holds all arguments"
      : Api[K];
};

/** A method with rest parameters takes anything. */
type TakesOneObject<P extends readonly unknown[]> = P extends readonly [
  context?: infer C,
  args?: infer A,
  call?: infer I,
]
  ? [IsObject<C>, IsObject<A>, CallInfo] extends [true, true, I]
    ? true
    : false
  : number extends P["length"]
    ? true
    : false;

type IsObject<T> = unknown extends T
  ? true
  : [T] extends [never]
    ? true
    : [NonNullable<T>] extends [readonly unknown[]]
      ? false
      : [NonNullable<T>] extends [object]
        ? true
        : false;

/** Parameters after the name of a method. Options are never in the place of arguments. */
export type CallTail<F> =
  MethodArguments<F> extends [infer A]
    ? [args: A, options?: CallOptions]
    : [args?: MethodArguments<F>[0], options?: CallOptions];

type AnyCallTail = [args?: unknown, options?: CallOptions];

/** Options of one call or cast. */
export interface CallOptions {
  /**
   * Timeout of the whole call, or of the delivery of a cast, in milliseconds. Above 0; reduced to 24 days. Default for a call:
   * `rpcResponseTimeoutMs` of the transport; for a cast over amqp://: `defaultSendTimeoutMs`; for a cast over rabbit://: none,
   * as in oslo. The timeout of a client applies to calls only.
   */
  timeoutMs?: number | undefined;
  /**
   * Fail a call when neither a heartbeat nor the reply arrives for this long, in milliseconds. Above 0. The server sends
   * heartbeats while it handles the call. On the wire the value is in whole seconds, at least 2.
   */
  callMonitorTimeoutMs?: number | undefined;
  /**
   * Number of times an undelivered message is sent again. -1 or omitted: until the timeout, and for ever without one. Attempts
   * to connect do not count, unlike in oslo.
   */
  retry?: number | undefined;
  /**
   * Fail with MessageUndeliverable when no queue receives the request: no server has ever been started, for example
   * (oslo_messaging/transport.py TransportOptions). For RabbitMQ only; a ConfigurationError for another peer of
   * amqp://, which acknowledges what it takes. Default false: the broker drops such a request, and a call times out.
   */
  atLeastOnce?: boolean | undefined;
  /** Cancels the wait: the promise rejects with the reason of the signal. */
  signal?: AbortSignal | undefined;
}

/** Settings that {@link RPCClient.prepare} changes: an omitted key inherits, `null` clears. */
export type PrepareOverrides = Overrides<
  Omit<TargetInit, "legacyNamespaces"> &
    Omit<CallOptions, "signal"> & {
      /** Newest version that all servers support. */
      versionCap: string;
    }
>;

/** Options of a client. Options of a call or cast override them. */
export interface RPCClientOptions<C extends Context = Context> extends Omit<CallOptions, "signal"> {
  /** Newest version that all servers support. A request for a newer one throws an RPCVersionCapError without being sent. */
  versionCap?: string | undefined;
  /** Serializes arguments and contexts, and deserializes results. When omitted, they are sent as JSON unchanged. */
  serializer?: Serializer<C> | undefined;
}

/**
 * Returns a client that calls methods of remote servers. `Api` is the interface that they implement, `C` the type of the
 * context that is sent with each call.
 *
 * @example
 * ```ts
 * interface Calculator { add(context: object, args: { a: number; b: number }): number }
 * const client = getRpcClient<Calculator>(transport, { topic: "calculator", version: "1.0" });
 * const sum = await client.call({}, "add", { a: 1, b: 2 }, { timeoutMs: 2_000 });
 * ```
 * @throws TypeError for a transport that is not made by getRpcTransport.
 * @throws ConfigurationError for an unknown or invalid option, by name.
 * @throws MessagingException for a malformed version.
 * @throws InvalidTarget when a member of the target is unknown or has the wrong type.
 */
export function getRpcClient<Api extends object & RPCInterface<Api> = AnyApi, C extends Context = Context>(
  transport: RPCTransport,
  target: TargetLike,
  options: RPCClientOptions<C> = {},
): RPCClient<Api, C> {
  checkTransport(transport, "rpc");
  const { serializer = noOpSerializer, ...limits } = checked<RPCClientOptions<C>>(options, CLIENT);
  const to = toTarget(target);
  checkVersions(limits.versionCap, to.version);
  return new RPCClient<Api, C>(transport, to, serializer, limits);
}

/** Settings that {@link RPCClient.prepare} can change in addition to the target. */
type ClientDefaults = Omit<RPCClientOptions, "serializer">;

/** An RPC client (oslo_messaging/rpc/client.py), made by {@link getRpcClient}. Immutable: `prepare` returns another one. */
export class RPCClient<Api extends object = AnyApi, C extends Context = Context> {
  readonly #transport: RPCTransport;
  readonly #target: Target;
  readonly #serializer: Serializer<C>;
  readonly #limits: ClientDefaults;

  /** @internal */
  constructor(transport: RPCTransport, target: Target, serializer: Serializer<C>, limits: ClientDefaults) {
    this.#transport = transport;
    this.#target = target;
    this.#serializer = serializer;
    this.#limits = limits;
  }

  /**
   * Returns a client with another target or other limits. An omitted key inherits, `null` clears.
   *
   * @throws ConfigurationError for an unknown or invalid key, by name.
   * @throws MessagingException for a malformed version.
   */
  prepare(overrides: PrepareOverrides): RPCClient<Api, C> {
    const changes = checkedOverrides(overrides, PREPARE);
    const { timeoutMs, callMonitorTimeoutMs, retry, atLeastOnce, versionCap, ...target } = changes;
    checkVersions(versionCap, target.version);
    return new RPCClient<Api, C>(this.#transport, this.#target.with(target), this.#serializer, {
      timeoutMs: overridden(this.#limits.timeoutMs, timeoutMs),
      callMonitorTimeoutMs: overridden(this.#limits.callMonitorTimeoutMs, callMonitorTimeoutMs),
      retry: overridden(this.#limits.retry, retry),
      atLeastOnce: overridden(this.#limits.atLeastOnce, atLeastOnce),
      versionCap: overridden(this.#limits.versionCap, versionCap),
    });
  }

  /**
   * Calls a method of one server and resolves with its result.
   *
   * @throws RemoteError, or the Error that `remoteExceptions` makes of it, when the method failed.
   * @throws MessagingTimeout when the timeout ends, or no heartbeat arrives in time.
   * @throws MessageDeliveryFailure when the request is not accepted, or its fate is unknown; see `outcome`.
   * @throws MessageUndeliverable when no queue receives it, with `atLeastOnce`.
   * @throws InvalidTarget for a target with `fanout` or without topic.
   * @throws RPCVersionCapError when the version cap does not permit the version of the target.
   * @throws TypeError for a context, a method or arguments of the wrong type, and a value that JSON cannot hold, by its path.
   * @throws ConfigurationError for an unknown or invalid option, by name.
   * @throws the reason of `signal` when it aborts.
   */
  async call<M extends MethodName<Api>>(
    context: C,
    method: M,
    ...rest: CallTail<Api[M]>
  ): Promise<MethodResult<Api[M]>> {
    const [args, options]: AnyCallTail = rest;
    if (this.#target.fanout) throw new InvalidTarget("A call cannot be used with fanout", this.#target);
    const { driver, rpcResponseTimeoutMs } = this.#transport;
    const request = this.#request(context, method, args, options);
    const timeoutMs = request.timeoutMs ?? this.#limits.timeoutMs ?? rpcResponseTimeoutMs;
    const result = await driver.call({ ...request, timeoutMs });
    return this.#serializer.deserializeEntity(context, result) as MethodResult<Api[M]>;
  }

  /**
   * Sends a request without a reply. Resolves when it is handed over to the message bus; at RabbitMQ when the broker has
   * confirmed it, also when no queue receives it. As in oslo, the timeout of the client applies to calls only
   * (oslo_messaging/rpc/client.py:144-167).
   *
   * Over amqp:// a fanout that is pre-settled (the default) and has no `timeoutMs` may have no receiver: it resolves already
   * when it waits for credit on an attached link. It leaves if credit comes within the default timeout, and is discarded with
   * a debug line otherwise. Until then it counts in `maxQueued`, and `close({ graceMs })` of the transport waits for it.
   *
   * @throws MessageDeliveryFailure when it cannot be delivered, or over amqp:// not within the default timeout.
   * @throws MessagingTimeout when it is not delivered within the `timeoutMs` given here.
   * @throws otherwise as `call`.
   */
  async cast<M extends MethodName<Api>>(context: C, method: M, ...rest: CallTail<Api[M]>): Promise<void> {
    const [args, options]: AnyCallTail = rest;
    await this.#transport.driver.cast(this.#request(context, method, args, options));
  }

  /**
   * Whether the version cap permits requests for this version. Default: the version of the target.
   *
   * @throws MessagingException for a malformed version.
   */
  canSendVersion(version: string | undefined = this.#target.version): boolean {
    checkVersions(version);
    return isCompatible(this.#limits.versionCap, version);
  }

  /** On the path of every call, so it copies as little as possible. The timeout is the call's, not the client's. */
  #request(context: C, method: string, args: unknown = {}, options: CallOptions | undefined) {
    if (typeof method !== "string") throw wrongCall("the method must be a name", method);
    if (!isJsonObject(context)) throw wrongCall(`the context of ${method} must be an object`, context);
    if (!isJsonObject(args) || isLost(args)) throw wrongCall(`the arguments of ${method} must be one object`, args);
    const target = this.#target;
    if (!target.topic) throw new InvalidTarget("A topic is required to send", target);
    const body = this.#body(context, method, args);
    const onWire = this.#serializer.serializeContext(context);
    const given = options === undefined ? NO_OPTIONS : checked(options, CALL);
    const { callMonitorTimeoutMs, retry, atLeastOnce, versionCap } = this.#limits;
    if (versionCap !== undefined && !isCompatible(versionCap, target.version)) {
      throw new RPCVersionCapError(target.version, versionCap);
    }
    return {
      target,
      context: onWire,
      body,
      timeoutMs: given.timeoutMs,
      callMonitorTimeoutMs: given.callMonitorTimeoutMs ?? callMonitorTimeoutMs,
      retry: given.retry ?? retry,
      atLeastOnce: given.atLeastOnce ?? atLeastOnce,
      signal: given.signal,
    };
  }

  #body(context: C, method: string, args: Record<string, unknown>): RequestBody {
    const body: RequestBody = { method, args: this.#serialized(context, args) };
    const { namespace, version } = this.#target;
    if (namespace !== undefined) body.namespace = namespace;
    if (version !== undefined) body.version = version;
    return body;
  }

  #serialized(context: C, args: Record<string, unknown>): Record<string, unknown> {
    const serializer = this.#serializer;
    if (serializer === noOpSerializer) return { ...args };
    // Object.fromEntries makes an own member even of the name __proto__.
    const entries = Object.entries(args);
    return Object.fromEntries(entries.map(([name, value]) => [name, serializer.serializeEntity(context, value)]));
  }
}

function wrongCall(reason: string, value: unknown): TypeError {
  return new TypeError(`${reason}, not ${kindOf(value)}: a call has (context, method, arguments, options)`);
}

const NO_OPTIONS: CallOptions = {};

const LIMITS = {
  timeoutMs: positiveMs,
  callMonitorTimeoutMs: positiveMs,
  retry: integer(-1).check,
  atLeastOnce: boolean.check,
};

const CALL: OptionChecks<CallOptions> = { ...LIMITS, signal: abortSignal };

const CLIENT: OptionChecks<RPCClientOptions> = { ...LIMITS, versionCap: string.check, serializer };

const PREPARE: OptionChecks<PrepareOverrides> = {
  ...LIMITS,
  versionCap: string.check,
  exchange: string.check,
  topic: string.check,
  namespace: string.check,
  version: string.check,
  server: string.check,
  fanout: boolean.check,
};

function checkVersions(...versions: readonly (string | null | undefined)[]): void {
  for (const version of versions) if (version !== undefined && version !== null) parseVersion(version);
}
