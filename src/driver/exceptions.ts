import type { WaitPhase } from "../core/deadlines.js";
import type { Target } from "./target.js";

/** What everything that messaging itself throws has in common (oslo_messaging/exceptions.py). `name` is oslo's, literally. */
export class MessagingException extends Error {
  /** The name of the class, as in oslo: it tells errors apart where `instanceof` cannot. */
  override readonly name: string = "MessagingException";
}

/** Where and when an operation failed. */
export interface FailureInit {
  /** What was being sent, in oslo's words: "RPC Call", "RPC Cast", "Notify". */
  operation: string;
  /** Whom it was for. */
  target: Target | string;
  /** What was waited for. */
  phase: WaitPhase;
  /** The AMQP address; absent as long as no connection has told how to make one. */
  address: string | undefined;
  /** The host that is, or was last, connected or tried, with its port. */
  host: string | undefined;
  /** How long it took until then. */
  elapsedMs: number;
  /** What made it fail, if that is known. */
  cause?: unknown;
}

/** The time that the caller gave is up. What became of the message is not known, but for the phases before it was sent. */
export class MessagingTimeout extends MessagingException {
  override readonly name = "MessagingTimeout";
  /** What it was waiting for. */
  readonly phase: WaitPhase;
  /** The AMQP address; absent when no connection had told yet how to make one. */
  readonly address: string | undefined;
  /** The host that was connected or tried last, with its port. */
  readonly host: string | undefined;
  /** How long it took until then. */
  readonly elapsedMs: number;

  constructor(init: FailureInit) {
    super(describe(init, init.phase === "heartbeat" ? "call monitor timed out" : "timed out"), causeOf(init));
    this.phase = init.phase;
    this.address = init.address;
    this.host = init.host;
    this.elapsedMs = init.elapsedMs;
  }
}

/** The message was not taken, or nobody can tell: see `outcome`. After `unsent` it can be sent again without doubling it. */
export class MessageDeliveryFailure extends MessagingException {
  override readonly name: string = "MessageDeliveryFailure";
  /** What the peer answered; `unsent`: it never got the message; `unknown`: it may have got it. */
  readonly outcome: "released" | "modified" | "rejected" | "unsent" | "unknown";
  /** What it was waiting for. */
  readonly phase: WaitPhase;
  /** The AMQP address; absent when no connection had told yet how to make one. */
  readonly address: string | undefined;
  /** The host that was connected or tried last, with its port. */
  readonly host: string | undefined;
  /** How long it took until then. */
  readonly elapsedMs: number;

  constructor(init: FailureInit & { outcome: MessageDeliveryFailure["outcome"]; reason: string }) {
    super(describe(init, `${init.outcome}: ${init.reason}`), causeOf(init));
    this.outcome = init.outcome;
    this.phase = init.phase;
    this.address = init.address;
    this.host = init.host;
    this.elapsedMs = init.elapsedMs;
  }
}

/**
 * So much waits to be sent already that this message was not taken: it is `unsent`. `Transport.writable` resolves when there
 * is room again. The bound is `maxQueued` of the transport's options.
 */
export class SendQueueFull extends MessageDeliveryFailure {
  override readonly name = "SendQueueFull";
  /** How many messages wait. */
  readonly messages: number;
  /** How many bytes they have together. */
  readonly bytes: number;

  constructor(
    init: FailureInit & {
      messages: number;
      bytes: number;
      limits: { readonly messages: number; readonly bytes: number };
    },
  ) {
    const { messages, bytes, limits } = init;
    const reason =
      messages >= limits.messages
        ? `${messages} messages wait to be sent, maxQueued.messages is ${limits.messages}`
        : `${bytes} bytes wait to be sent, maxQueued.bytes is ${limits.bytes}`;
    super({ ...init, outcome: "unsent", reason });
    this.messages = messages;
    this.bytes = bytes;
  }
}

/** A target that lacks what the operation needs. */
export class InvalidTarget extends MessagingException {
  override readonly name = "InvalidTarget";
  /** The target that it is about. */
  readonly target: Target;

  constructor(reason: string, target: Target) {
    super(`${reason}:${target}`);
    this.target = target;
  }
}

/** A transport URL that cannot be read. `url` is given with its passwords masked. */
export class InvalidTransportURL extends MessagingException {
  override readonly name = "InvalidTransportURL";
  /** The URL, its passwords masked. */
  readonly url: string;

  constructor(url: string, reason: string) {
    super(`${reason}: ${url}`);
    this.url = url;
  }
}

/** Nothing here speaks the scheme of the URL. */
export class DriverLoadFailure extends MessagingException {
  override readonly name = "DriverLoadFailure";
  /** The scheme of the URL. */
  readonly driver: string;

  constructor(driver: string, reason: string) {
    super(`Failed to load transport driver "${driver}": ${reason}`);
    this.driver = driver;
  }
}

/** The version asked for is above the cap that the client was given. */
export class RPCVersionCapError extends MessagingException {
  override readonly name = "RPCVersionCapError";
  /** What was asked for; absent when the target has no version, which a cap does not let through. */
  readonly version: string | undefined;
  /** What the client was given. */
  readonly versionCap: string;

  constructor(version: string | undefined, versionCap: string) {
    super(
      `Requested message version, ${version} is incompatible.  It needs to be equal in major version and less than ` +
        `or equal in minor version as the specified version cap ${versionCap}.`,
    );
    this.version = version;
    this.versionCap = versionCap;
  }
}

/** An exception as it travels. `module` and `excType` are Python's module and class, or "javascript" and an Error's name. */
export interface RemoteFailure {
  /** The name of the class. */
  readonly excType: string;
  /** Where the class lives; `builtins` for Python's own. */
  readonly module: string;
  /** The text of the exception. */
  readonly message: string;
  /** Pieces of the remote stack trace, each with its line ends. Mostly empty when the remote is not Python. */
  readonly traceback: readonly string[];
  /** What the exception was made with. */
  readonly args: readonly unknown[];
  /** The same, of those that have names. */
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** The method that was called threw. Everything known about it is data: nothing is built by a name off the wire. */
export class RemoteError extends MessagingException {
  override readonly name = "RemoteError";
  /** The name of the class: `ValueError`. */
  readonly excType: string;
  /** Where the class lives: `builtins`; `javascript` for an Error of this library's servers. */
  readonly module: string;
  /** The text of the remote exception. */
  readonly value: string;
  /** Pieces of the remote stack trace. Mostly empty when the remote is not Python. */
  readonly traceback: readonly string[];
  /** What the exception was made with. */
  readonly args: readonly unknown[];
  /** The same, of those that have names. */
  readonly kwargs: Readonly<Record<string, unknown>>;

  constructor(failure: RemoteFailure, options?: ErrorOptions) {
    super(`Remote error: ${failure.excType} ${failure.message}\n${failure.traceback.join("")}.`, options);
    this.excType = failure.excType;
    this.module = failure.module;
    this.value = failure.message;
    this.traceback = failure.traceback;
    this.args = failure.args;
    this.kwargs = failure.kwargs;
  }
}

/** What servers throw (oslo_messaging/server.py). */
export class MessagingServerError extends MessagingException {
  override readonly name: string = "MessagingServerError";
}

/** Handlers were still running when the time given to `wait` was up. */
export class TaskTimeout extends MessagingServerError {
  override readonly name = "TaskTimeout";
}

/** No endpoint can take the request (oslo_messaging/rpc/dispatcher.py). */
export class RPCDispatcherError extends MessagingServerError {
  override readonly name: string = "RPCDispatcherError";
}

/** Endpoints are there for the namespace and version, and none of them has the method, or may be asked for it. */
export class NoSuchMethod extends RPCDispatcherError {
  override readonly name = "NoSuchMethod";
  /** The method that was asked for. */
  readonly method: string;

  constructor(method: string) {
    super(`Endpoint does not support RPC method ${method}`);
    this.method = method;
  }
}

/** No endpoint is there for the namespace and version of the request. */
export class UnsupportedVersion extends RPCDispatcherError {
  override readonly name = "UnsupportedVersion";
  /** The version that was asked for. */
  readonly version: string;
  /** The method that was asked for. */
  readonly method: string | undefined;

  constructor(version: string, method?: string) {
    super(
      `Endpoint does not support RPC version ${version}${method === undefined ? "" : `. Attempted method: ${method}`}`,
    );
    this.version = version;
    this.method = method;
  }
}

/** A setting that cannot be used. `key` is its name as the caller wrote it. Not a MessagingException, as in oslo. */
export class ConfigurationError extends Error {
  /** The name of the class, as in oslo. */
  override readonly name: string = "ConfigurationError";
  /** The setting, as the caller wrote it. */
  readonly key: string;

  constructor(key: string, reason: string) {
    super(`${key}: ${reason}`);
    this.key = key;
  }
}

/** A setting of a name that does not exist. */
export class NoSuchOptError extends ConfigurationError {
  override readonly name = "NoSuchOptError";
}

function describe(init: FailureInit, reason: string): string {
  const { operation, target, phase, address, host, elapsedMs } = init;
  const where = `address ${address ?? "not known yet"}, host ${host ?? "none"}`;
  return `${operation} message sent to ${target} failed: ${reason} (phase ${phase}, after ${Math.round(elapsedMs)} ms, ${where})`;
}

/** An Error made with `{ cause: undefined }` would show a cause. */
function causeOf({ cause }: FailureInit): ErrorOptions {
  return cause === undefined ? {} : { cause };
}
