import {
  ConfigurationError,
  DriverLoadFailure,
  InvalidTarget,
  InvalidTransportURL,
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
 * What an endpoint threw, as it travels (oslo_messaging/_drivers/common.py serialize_remote_exception). An Error goes by
 * its name; one that came from elsewhere keeps its class and module, and so do oslo's own. Anything else thrown is an Error.
 *
 * @param sendTraceback tells the peer the stack.
 */
export function toFailure(thrown: unknown, { sendTraceback = false } = {}): RemoteFailure {
  try {
    return thrown instanceof RemoteError ? passedOn(thrown, sendTraceback) : read(thrown, sendTraceback);
  } catch {
    // A Proxy may fail at whatever it is asked, and the caller waits all the same.
    return read("something that cannot be read", false);
  }
}

/**
 * The JSON text that a reply carries in `failure`, its members in Python's order. Arguments that JSON cannot hold are left
 * out for the message: the caller must hear of the failure all the same.
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
 * Reads that text. Members of the wrong shape are made to fit: the remote failed, and that is what the caller must hear.
 *
 * @throws MessagingException when it is no JSON object at all.
 */
export function failureFromJson(text: unknown): RemoteFailure {
  const what = "The failure in a reply";
  if (typeof text !== "string") throw new MessagingException(`${what} is not JSON text but ${typeof text}`);
  const failure = fromJson(text, what, "accept"); // whatever the numbers are
  if (!isJsonObject(failure)) throw new MessagingException(`${what} is not a JSON object`);
  const { class: excType, module, message, tb: traceback, args, kwargs } = failure;
  return fitted({ excType, module: module === "exceptions" ? "builtins" : module, message, traceback, args, kwargs });
}

/** By `module.Class`, as Python names them: `builtins.ValueError`. */
export type RemoteExceptions = ReadonlyMap<string, (failure: RemoteFailure) => Error>;

/** What the caller gets: what the map makes of it, else a RemoteError, whose cause says why when the map's function failed. */
export function toThrowable(failure: RemoteFailure, remoteExceptions?: RemoteExceptions): Error {
  const name = `${failure.module}.${failure.excType}`;
  const make = remoteExceptions?.get(name);
  if (make === undefined) return new RemoteError(failure);
  try {
    const error: unknown = make(failure);
    if (error instanceof Error) return error;
    throw new TypeError(`remoteExceptions made no Error of ${name}`);
  } catch (cause) {
    return new RemoteError(failure, { cause });
  }
}

/** Where Python keeps the exceptions that exist there too. */
const MODULES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
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
]);

/** Python marks the classes that it rebuilds from a failure; the mark does not travel on. */
const REBUILT = "_Remote";

function read(thrown: unknown, withStack: boolean): RemoteFailure {
  const message = textMember(thrown, "message") ?? describe(thrown);
  const stack = withStack ? textMember(thrown, "stack") : undefined;
  return {
    excType: textMember(thrown, "name") || "Error",
    module: (thrown instanceof Error ? MODULES.get(thrown.constructor) : undefined) ?? "javascript",
    message,
    traceback: stack === undefined ? [] : stack.split("\n").map((line) => `${line}\n`),
    args: [message],
    kwargs: {},
  };
}

function passedOn({ value, ...error }: RemoteError, sendTraceback: boolean): RemoteFailure {
  const failure = fitted({ ...error, message: value, traceback: sendTraceback ? error.traceback : [] });
  const { excType, module } = failure;
  if (!excType.endsWith(REBUILT) || !module.endsWith(REBUILT)) return failure;
  return { ...failure, excType: excType.slice(0, -REBUILT.length), module: module.slice(0, -REBUILT.length) };
}

/** Whatever somebody put together as one. */
function fitted({
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

/** A member that is text. Reading one of a thrown thing may throw as well. */
function textMember(thrown: unknown, key: "name" | "message" | "stack"): string | undefined {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  try {
    const value: unknown = Reflect.get(thrown, key);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function describe(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return String(thrown);
  try {
    return toJson(thrown);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}

function asText(value: unknown, absent: string): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? absent : describe(value);
}
