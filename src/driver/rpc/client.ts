import type { RequestBody } from "../driver.js";
import { InvalidTarget, RPCVersionCapError } from "../exceptions.js";
import {
  abortSignal,
  checked,
  checkedOverrides,
  type OptionChecks,
  overridden,
  positiveMs,
  serializer,
} from "../options/option-checks.js";
import { boolean, integer, string } from "../options/option-types.js";
import { type Overrides, type Target, type TargetInit, type TargetLike, toTarget } from "../target.js";
import type { RPCTransport } from "../transport.js";
import { isJsonObject } from "../values/json.js";
import { type Context, noOpSerializer, type Serializer } from "../values/serializer.js";
import { isCompatible, parseVersion } from "../values/version.js";
import type { EndpointMethod } from "./access-policy.js";

/** What a client knows of a server that it has no interface of: any method, any arguments, any result. */
export type AnyApi = Record<string, (context: object, args?: object) => unknown>;

/** The names of the methods of `Api`. */
export type MethodName<Api> = { [K in keyof Api & string]: Api[K] extends EndpointMethod ? K : never }[keyof Api &
  string];

/** What the caller gives to a method: its second parameter. A third (the CallInfo that a server gets) is not the caller's. */
export type MethodArguments<F> = F extends (context: never, ...rest: infer R) => unknown
  ? R extends []
    ? []
    : R extends [infer A, ...unknown[]]
      ? [args: A]
      : R extends [(infer A)?, ...unknown[]]
        ? [args?: A]
        : never
  : never;

/** What the caller gets from a method. */
export type MethodResult<F> = F extends (...args: never) => infer R ? Awaited<R> : never;

/** What follows the name of a method. Options are never in the place of arguments. */
export type CallTail<F> =
  MethodArguments<F> extends [infer A]
    ? [args: A, options?: CallOptions]
    : [args?: MethodArguments<F>[0], options?: CallOptions];

type AnyCallTail = [args?: unknown, options?: CallOptions];

/** What goes for one call or cast. */
export interface CallOptions {
  /**
   * How long the whole call, or the hand-over of a cast, may take. Above 0. Absent for a call: the transport's
   * `rpcResponseTimeoutMs`. That of a client is for calls alone.
   */
  timeoutMs?: number | undefined;
  /** Ends a call that is silent for this long: a server that works on it sends heartbeats. Above 0; whole seconds, at least 2, on the wire. */
  callMonitorTimeoutMs?: number | undefined;
  /** How often a message that could not be delivered is sent again. -1 or absent: until the time is up. */
  retry?: number | undefined;
  /** Ends the wait with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** What {@link RPCClient.prepare} changes: an absent key inherits, `null` clears. */
export type PrepareOverrides = Overrides<
  Omit<TargetInit, "legacyNamespaces"> &
    Omit<CallOptions, "signal"> & {
      /** The newest version that all servers understand. */
      versionCap: string;
    }
>;

/** How a client works, unless a call or a cast says otherwise. */
export interface RPCClientOptions<C extends Context = Context> extends Omit<CallOptions, "signal"> {
  /** The newest version that all servers understand: a request for a newer one is refused here. */
  versionCap?: string | undefined;
  /** Writes arguments and contexts, and reads results. Absent: they are JSON as they are. */
  serializer?: Serializer<C> | undefined;
}

/**
 * Calls methods of remote servers. `Api` is the interface that they implement, `C` the context that goes with each call.
 *
 * @example
 * ```ts
 * interface Calculator { add(context: object, args: { a: number; b: number }): number }
 * const client = getRpcClient<Calculator>(transport, { topic: "calculator", version: "1.0" });
 * const sum = await client.call({}, "add", { a: 1, b: 2 }, { timeoutMs: 2_000 });
 * ```
 * @throws ConfigurationError for an option that does not exist or is out of range, by name; MessagingException for a
 *   version that is none.
 */
export function getRpcClient<Api extends object = AnyApi, C extends Context = Context>(
  transport: RPCTransport,
  target: TargetLike,
  options: RPCClientOptions<C> = {},
): RPCClient<Api, C> {
  const { serializer = noOpSerializer, ...limits } = checked<RPCClientOptions<C>>(options, CLIENT);
  checkVersions(limits.versionCap, target.version);
  return new RPCClient<Api, C>(transport, toTarget(target), serializer, limits);
}

/** What {@link RPCClient.prepare} can change besides the target. */
type ClientDefaults = Omit<RPCClientOptions, "serializer">;

/** oslo_messaging/rpc/client.py. Immutable: `prepare` gives another one. Made by {@link getRpcClient}. */
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
   * A client with another target or other limits. An absent key inherits, `null` clears.
   *
   * @throws ConfigurationError for a key that does not exist or is out of range, by name; MessagingException for a
   *   version that is none.
   */
  prepare(overrides: PrepareOverrides): RPCClient<Api, C> {
    const changes = checkedOverrides(overrides, PREPARE);
    const { timeoutMs, callMonitorTimeoutMs, retry, versionCap, ...target } = changes;
    checkVersions(versionCap, target.version);
    return new RPCClient<Api, C>(this.#transport, this.#target.with(target), this.#serializer, {
      timeoutMs: overridden(this.#limits.timeoutMs, timeoutMs),
      callMonitorTimeoutMs: overridden(this.#limits.callMonitorTimeoutMs, callMonitorTimeoutMs),
      retry: overridden(this.#limits.retry, retry),
      versionCap: overridden(this.#limits.versionCap, versionCap),
    });
  }

  /**
   * Calls a method of one server, and resolves with what it returned.
   *
   * @throws RemoteError (or what `remoteExceptions` makes of it) when the method failed; MessagingTimeout;
   *   MessageDeliveryFailure; InvalidTarget for a target with `fanout` or without topic; RPCVersionCapError;
   *   ConfigurationError for a bad option, by name; the reason of `signal`.
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
   * Sends a request that nobody answers: at most once. Resolves when it is handed over to the message bus. As in oslo, the
   * client's own timeout is for calls alone (oslo_messaging/rpc/client.py:144-167).
   *
   * @throws MessageDeliveryFailure, or MessagingTimeout when `timeoutMs` was given here; otherwise as `call`.
   */
  async cast<M extends MethodName<Api>>(context: C, method: M, ...rest: CallTail<Api[M]>): Promise<void> {
    const [args, options]: AnyCallTail = rest;
    await this.#transport.driver.cast(this.#request(context, method, args, options));
  }

  /**
   * Whether the version cap lets a request for this version through. Absent: the target's own.
   *
   * @throws MessagingException for a version that is none.
   */
  canSendVersion(version: string | undefined = this.#target.version): boolean {
    checkVersions(version);
    return isCompatible(this.#limits.versionCap, version);
  }

  /** On the path of every call: no copies that are not needed. The timeout is the one given here, not the client's. */
  #request(context: C, method: string, args: unknown = {}, options: CallOptions | undefined) {
    if (!isJsonObject(context)) throw new TypeError(`the context of ${method} must be an object`);
    if (!isJsonObject(args)) throw new TypeError(`the arguments of ${method} must be one object`);
    const target = this.#target;
    if (!target.topic) throw new InvalidTarget("A topic is required to send", target);
    const body = this.#body(context, method, args);
    const onWire = this.#serializer.serializeContext(context);
    const given = options === undefined ? NO_OPTIONS : checked(options, CALL);
    const { callMonitorTimeoutMs, retry, versionCap } = this.#limits;
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
    // An own member even if its name is __proto__.
    const entries = Object.entries(args);
    return Object.fromEntries(entries.map(([name, value]) => [name, serializer.serializeEntity(context, value)]));
  }
}

const NO_OPTIONS: CallOptions = {};

const LIMITS = { timeoutMs: positiveMs, callMonitorTimeoutMs: positiveMs, retry: integer(-1).check };

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
