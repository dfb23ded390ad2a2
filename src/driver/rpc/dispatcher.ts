import { kindOf } from "../../core/kinds.js";
import type { IncomingMessage } from "../driver.js";
import { NoSuchMethod, RPCDispatcherError, UnsupportedVersion } from "../exceptions.js";
import { isTarget, Target } from "../target.js";
import { isJsonObject } from "../values/json.js";
import type { Context, Serializer } from "../values/serializer.js";
import { isCompatible, isVersion, parseVersion } from "../values/version.js";
import { type AccessPolicy, type EndpointMethod, methodOf } from "./access-policy.js";
import { isExpected } from "./expected-exceptions.js";

/** The third argument of an endpoint's method: facts about the call. */
export interface CallInfo {
  /**
   * Aborted when the reply can no longer reach the caller: over amqp:// when the connection of the call is lost, at RabbitMQ
   * when the transport is closed, as replies outlive connections there. Never aborted for a cast.
   */
  readonly signal: AbortSignal;
  /** Message ID of the request. Undefined for a cast at RabbitMQ, and for one of the Python driver over amqp://. */
  readonly messageId: string | undefined;
  /** The server's target with the namespace and version of the request. */
  readonly target: Target;
}

/** The method that a request names. */
export interface Invocation {
  /**
   * Runs the method and resolves with its result, serialized for the reply.
   *
   * @throws the error that the method throws.
   * @throws NoSuchMethod when no endpoint has the method, or the access policy denies it.
   * @throws UnsupportedVersion when no endpoint has the namespace and a compatible version, or the version is malformed.
   * @throws RPCDispatcherError for a body that is not a request.
   */
  run(): Promise<unknown>;
  /** True for an error that the method threw and declared by `expectedExceptions`. */
  expects(error: unknown): boolean;
}

/** Chooses the endpoint and the method for a request, and runs it (oslo_messaging/rpc/dispatcher.py:267-320). */
export class RPCDispatcher<C extends Context> {
  readonly #target: Target;
  readonly #endpoints: readonly { readonly endpoint: object; readonly target: Target }[];
  readonly #serializer: Serializer<C>;
  readonly #accessPolicy: AccessPolicy;

  /**
   * @throws TypeError for an endpoint whose `target` is not a Target.
   * @throws MessagingException for a malformed version.
   */
  constructor(target: Target, endpoints: readonly object[], serializer: Serializer<C>, accessPolicy: AccessPolicy) {
    this.#target = target;
    this.#endpoints = endpoints.map((endpoint, index) => ({ endpoint, target: targetOf(endpoint, index) }));
    this.#serializer = serializer;
    this.#accessPolicy = accessPolicy;
  }

  /** The method that a request names, ready to run. */
  invocation(message: IncomingMessage): Invocation {
    let running: EndpointMethod | undefined;
    return {
      run: async () => {
        const request = readRequest(message.body);
        const found = this.#find(request);
        const context = this.#serializer.deserializeContext(message.context);
        const entries = Object.entries(request.args).map(([name, value]) => [
          name,
          this.#serializer.deserializeEntity(context, value),
        ]);
        const call = new IncomingCall(message, this.#target, request);
        running = found.method;
        const result = await Reflect.apply(running, found.endpoint, [context, Object.fromEntries(entries), call]);
        running = undefined;
        return this.#serializer.serializeEntity(context, result);
      },
      expects: (error) => running !== undefined && isExpected(running, error),
    };
  }

  /** The first endpoint of this namespace and version that has the method and whose access policy allows it. */
  #find({ method: name, namespace, version }: Request): { endpoint: object; method: EndpointMethod } {
    let compatible = false;
    for (const { endpoint, target } of this.#endpoints) {
      if (!target.acceptedNamespaces.includes(namespace)) continue;
      if (!isCompatible(target.version ?? DEFAULT_VERSION, version)) continue;
      compatible = true;
      const method = methodOf(endpoint, name);
      if (method !== undefined && this.#accessPolicy(endpoint, name) === true) return { endpoint, method };
    }
    throw compatible ? new NoSuchMethod(name) : new UnsupportedVersion(version, name);
  }
}

/** Version of endpoints and requests that omit it. */
const DEFAULT_VERSION = "1.0";

interface Request {
  readonly method: string;
  readonly args: object;
  readonly namespace: string | undefined;
  readonly version: string;
}

/** Checks the body of a request. It is untrusted input: any JSON value. */
function readRequest(body: unknown): Request {
  if (!isJsonObject(body)) throw new RPCDispatcherError("A request must be an object");
  // Python sends null for an omitted member.
  const method = body["method"];
  const args = body["args"] ?? {};
  const namespace = body["namespace"] ?? undefined;
  const version = body["version"] ?? DEFAULT_VERSION;
  if (typeof method !== "string") throw new RPCDispatcherError("A request must name its method");
  if (!isJsonObject(args)) throw new RPCDispatcherError(`The args of RPC method ${method} must be an object`);
  if (namespace !== undefined && typeof namespace !== "string") {
    throw new RPCDispatcherError(`The namespace of RPC method ${method} must be a string`);
  }
  if (typeof version !== "string") throw new RPCDispatcherError(`The version of RPC method ${method} must be a string`);
  if (!isVersion(version)) throw new UnsupportedVersion(version, method);
  return { method, args, namespace, version };
}

/** Created for every call, so each member is computed only when a method reads it. */
class IncomingCall implements CallInfo {
  readonly #message: IncomingMessage;
  readonly #target: Target;
  readonly #request: Request;

  constructor(message: IncomingMessage, target: Target, request: Request) {
    this.#message = message;
    this.#target = target;
    this.#request = request;
  }

  get signal(): AbortSignal {
    return this.#message.signal;
  }

  get messageId(): string | undefined {
    return this.#message.messageId;
  }

  get target(): Target {
    const { namespace = null, version } = this.#request;
    return this.#target.with({ namespace, version });
  }
}

function targetOf(endpoint: object, index: number): Target {
  const target: unknown = Reflect.get(endpoint, "target");
  if (target === undefined) return new Target();
  if (!isTarget(target)) {
    throw new TypeError(`the target of endpoint ${index} must be a Target, not ${kindOf(target)}: use new Target(...)`);
  }
  if (target.version !== undefined) parseVersion(target.version);
  return target;
}
