import { isError } from "../../core/kinds.js";
import {
  ConfigurationError,
  DriverLoadFailure,
  InvalidTarget,
  InvalidTransportURL,
  isMessagingException,
  MessageDeliveryFailure,
  MessagingException,
  MessagingServerError,
  MessagingTimeout,
  NoSuchMethod,
  NoSuchOptError,
  RemoteError,
  type RemoteFailure,
  RPCDispatcherError,
  RPCVersionCapError,
  TaskTimeout,
  UnsupportedVersion,
} from "../exceptions.js";
import { fromJson, isJsonObject, toJson } from "./json.js";

/**
 * The failure to send for a value that an endpoint threw (oslo_messaging/_drivers/common.py serialize_remote_exception). The
 * class of an Error is its name. A RemoteError keeps its class and module, and so do oslo's own exceptions. Any other value
 * becomes an "Error".
 *
 * @param sendTraceback includes the stack.
 */
export function toFailure(thrown: unknown, { sendTraceback = false } = {}): RemoteFailure {
  try {
    return isRemoteError(thrown) ? passedOn(thrown, sendTraceback) : read(thrown, sendTraceback);
  } catch {
    // Reading a Proxy may throw, but the caller needs a reply.
    return read("something that cannot be read", false);
  }
}

/**
 * The JSON text of `failure` in a reply, its members in Python's order. Arguments that JSON cannot represent are replaced by
 * the message, so that the caller still receives the failure.
 */
export function failureToJson({ excType, module, message, traceback, args, kwargs }: RemoteFailure): string {
  const failure = { class: excType, module, message, tb: traceback };
  try {
    return toJson({ ...failure, args, kwargs });
  } catch {
    return toJson({ ...failure, args: [message], kwargs: {} });
  }
}

/**
 * Parses the JSON text of `failure` in a reply. Members of a wrong type are converted, so that the caller still receives the
 * failure.
 *
 * @throws MessagingException for text that is not a JSON object.
 */
export function failureFromJson(text: unknown): RemoteFailure {
  const source = "The failure in a reply";
  if (typeof text !== "string") throw new MessagingException(`${source} is not JSON text but ${typeof text}`);
  const failure = fromJson(text, source, "accept"); // non-finite numbers must not hide the failure
  if (!isJsonObject(failure)) throw new MessagingException(`${source} is not a JSON object`);
  const { class: excType, module, message, tb: traceback, args, kwargs } = failure;
  return normalized({
    excType,
    module: module === "exceptions" ? "builtins" : module,
    message,
    traceback,
    args,
    kwargs,
  });
}

/** Functions that make Errors of remote failures, by Python's `module.Class`: `builtins.ValueError`. */
export type RemoteExceptions = ReadonlyMap<string, (failure: RemoteFailure) => Error>;

/**
 * The error that the caller receives: the one that the map's function makes, else a RemoteError. When the function fails, the
 * cause of the RemoteError is its error.
 */
export function toThrowable(failure: RemoteFailure, remoteExceptions?: RemoteExceptions): Error {
  const name = `${failure.module}.${failure.excType}`;
  const make = remoteExceptions?.get(name);
  if (make === undefined) return new RemoteError(failure);
  try {
    const error: unknown = make(failure);
    if (isError(error)) return error;
    throw new TypeError(`remoteExceptions returned no Error for ${name}`);
  } catch (cause) {
    return new RemoteError(failure, { cause });
  }
}

function isRemoteError(thrown: unknown): thrown is RemoteError {
  return isMessagingException(thrown) && "excType" in thrown;
}

/** A registered symbol, which other copies of this library share: the prototype's member with the class's module in Python. */
const MODULE = Symbol.for("oslo-messaging.module");

const MODULES = [
  [MessagingException, "oslo_messaging.exceptions"],
  [MessagingTimeout, "oslo_messaging.exceptions"],
  [MessageDeliveryFailure, "oslo_messaging.exceptions"],
  [InvalidTarget, "oslo_messaging.exceptions"],
  [ConfigurationError, "oslo_messaging.exceptions"],
  [InvalidTransportURL, "oslo_messaging.transport"],
  [DriverLoadFailure, "oslo_messaging.transport"],
  [RPCVersionCapError, "oslo_messaging.rpc.client"],
  [MessagingServerError, "oslo_messaging.server"],
  [TaskTimeout, "oslo_messaging.server"],
  [RPCDispatcherError, "oslo_messaging.rpc.dispatcher"],
  [NoSuchMethod, "oslo_messaging.rpc.dispatcher"],
  [UnsupportedVersion, "oslo_messaging.rpc.dispatcher"],
  [NoSuchOptError, "oslo_config.cfg"],
] as const;

for (const [{ prototype }, value] of MODULES) Object.defineProperty(prototype, MODULE, { value });

/** Suffix that Python adds to classes that it rebuilds from a failure. It is removed before a failure is sent on. */
const REBUILT = "_Remote";

function read(thrown: unknown, withStack: boolean): RemoteFailure {
  const message = textMember(thrown, "message") ?? describeThrown(thrown);
  const stack = withStack ? textMember(thrown, "stack") : undefined;
  return {
    excType: textMember(thrown, "name") || "Error",
    module: moduleOf(thrown),
    message,
    traceback: stack === undefined ? [] : stack.split("\n").map((line) => `${line}\n`),
    args: [message],
    kwargs: {},
  };
}

/** Python's module of the exceptions that exist in oslo. A class derived from one of them is the application's own. */
function moduleOf(thrown: unknown): string {
  const { value } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Object(thrown)) ?? {}, MODULE) ?? {};
  return typeof value === "string" ? value : "javascript";
}

function passedOn({ value, ...error }: RemoteError, sendTraceback: boolean): RemoteFailure {
  const failure = normalized({ ...error, message: value, traceback: sendTraceback ? error.traceback : [] });
  const { excType, module } = failure;
  if (!excType.endsWith(REBUILT) || !module.endsWith(REBUILT)) return failure;
  return { ...failure, excType: excType.slice(0, -REBUILT.length), module: module.slice(0, -REBUILT.length) };
}

/** A failure whose members have the right types, made from members of any type. */
function normalized({
  excType,
  module,
  message,
  traceback,
  args,
  kwargs,
}: Record<keyof RemoteFailure, unknown>): RemoteFailure {
  const lines: readonly unknown[] = Array.isArray(traceback) ? traceback : [traceback];
  return {
    excType: asText(excType, "unknown"),
    module: asText(module, "unknown"),
    message: asText(message, ""),
    traceback: lines.map((line) => asText(line, "")).filter((line) => line !== ""),
    args: Array.isArray(args) ? args : [],
    kwargs: isJsonObject(kwargs) ? kwargs : {},
  };
}

/** A member of a thrown value, if it is text. Undefined when reading it throws. */
function textMember(thrown: unknown, key: "name" | "message" | "stack"): string | undefined {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  try {
    const value: unknown = Reflect.get(thrown, key);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Text of a thrown value that is not an Error. Never throws, unless `toString` of the value does. */
export function describeThrown(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return String(thrown);
  try {
    const text: string | undefined = toJson(thrown); // undefined if toJSON returns undefined
    if (text !== undefined) return text;
  } catch {}
  return Object.prototype.toString.call(thrown);
}

function asText(value: unknown, fallback: string): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? fallback : describeThrown(value);
}
