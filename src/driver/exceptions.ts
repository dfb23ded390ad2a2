import type { WaitPhase } from "../core/deadlines.js";
import { isError } from "../core/kinds.js";
import type { Target } from "./target.js";

/** A registered symbol, which other copies of this library and other realms share. */
const MESSAGING_EXCEPTION = Symbol.for("oslo-messaging.MessagingException");

/** Base class of the exceptions of messaging (oslo_messaging/exceptions.py). `name` is literally oslo's class name. */
export class MessagingException extends Error {
  /** Name of the class, as in oslo. It identifies errors where `instanceof` cannot. */
  override readonly name: string = "MessagingException";
  /** Underlying error, if known. Declared for a `lib` before es2022, whose Error has no cause. */
  declare cause?: unknown;

  static {
    Object.defineProperty(MessagingException.prototype, MESSAGING_EXCEPTION, { value: true });
  }
}

/**
 * Whether a value is a MessagingException of this library, also of a second copy of it or of another realm, where `instanceof`
 * fails. Its `name` identifies the class. As in oslo, a ConfigurationError is not a MessagingException.
 */
export function isMessagingException(value: unknown): value is MessagingException {
  try {
    return typeof value === "object" && value !== null && MESSAGING_EXCEPTION in value;
  } catch {
    return false; // a Proxy
  }
}

/** Details of a failed operation. */
export interface FailureInit {
  /** Kind of the message, in oslo's words: "RPC Call", "RPC Cast", "Notify". Or "connect", "listen". */
  operation: string;
  /** Target of the message. Of "connect": the hosts. Of "listen": the targets. */
  target: Target | string;
  /** Event that the operation was waiting for when it failed. */
  phase: WaitPhase;
  /**
   * AMQP 1.0 address, or at RabbitMQ `exchange/routing key`, the exchange of a fanout or the queue of a reply. Undefined
   * before the first connection.
   */
  address: string | undefined;
  /** Host and port of the current, or last attempted, connection. */
  host: string | undefined;
  /** Time limit of the operation, in milliseconds. Omitted: none. */
  timeoutMs?: number | undefined;
  /** Time from the start of the operation to its failure, in milliseconds. */
  elapsedMs: number;
  /** Underlying error, if known. The message ends in its text. */
  cause?: unknown;
  /** Text at the end of the message in the place of the text of `cause`. */
  explanation?: string | undefined;
}

/**
 * The timeout of a call, or the one that the caller gave, ended, or no heartbeat arrived in time. The fate of the message is
 * unknown, except in the phases before it is sent. `connect`, `probe` and `start` throw it too, with the last failure as
 * `cause`.
 */
export class MessagingTimeout extends MessagingException {
  override readonly name = "MessagingTimeout";
  /** Kind of the message, in oslo's words: "RPC Call", "RPC Cast", "Notify". Or "connect", "listen". */
  declare readonly operation: string;
  /** Target of the message. */
  declare readonly target: Target | string;
  /** Event that the operation was waiting for when it failed. */
  declare readonly phase: WaitPhase;
  /**
   * AMQP 1.0 address, or at RabbitMQ `exchange/routing key`, the exchange of a fanout or the queue of a reply. Undefined
   * before the first connection.
   */
  declare readonly address: string | undefined;
  /** Host and port of the current, or last attempted, connection. */
  declare readonly host: string | undefined;
  /** Time limit of the operation, in milliseconds: the caller's or the default. Undefined without one. */
  declare readonly timeoutMs: number | undefined;
  /** Time from the start of the operation to its failure, in milliseconds. */
  declare readonly elapsedMs: number;

  constructor(init: FailureInit) {
    super(describe(init, init.phase === "heartbeat" ? "call monitor timed out" : "timed out"), causeOf(init));
    Object.assign(this, factsOf(init));
  }
}

/** The message was not accepted, or its fate is unknown; see `outcome`. A message that was `unsent` can be sent again safely. */
export class MessageDeliveryFailure extends MessagingException {
  override readonly name: string = "MessageDeliveryFailure";
  /**
   * Outcome at the peer. `unsent`: the peer did not receive the message; `unknown`: it may have received it; `rejected`: it
   * refused it, over rabbit:// by basic.nack or an error; `released` and `modified`: it gave the message back, over amqp://;
   * `returned`: no queue receives it, at RabbitMQ with `atLeastOnce`.
   */
  readonly outcome: "released" | "modified" | "rejected" | "returned" | "unsent" | "unknown";
  /** Kind of the message, in oslo's words: "RPC Call", "RPC Cast", "Notify". */
  declare readonly operation: string;
  /** Target of the message. */
  declare readonly target: Target | string;
  /** Event that the operation was waiting for when it failed. */
  declare readonly phase: WaitPhase;
  /**
   * AMQP 1.0 address, or at RabbitMQ `exchange/routing key`, the exchange of a fanout or the queue of a reply. Undefined
   * before the first connection.
   */
  declare readonly address: string | undefined;
  /** Host and port of the current, or last attempted, connection. */
  declare readonly host: string | undefined;
  /** Time limit of the operation, in milliseconds: the caller's or the default. Undefined without one. */
  declare readonly timeoutMs: number | undefined;
  /** Time from the start of the operation to its failure, in milliseconds. */
  declare readonly elapsedMs: number;

  constructor(init: FailureInit & { outcome: MessageDeliveryFailure["outcome"]; reason: string }) {
    super(describe(init, `${init.outcome}: ${init.reason}`), causeOf(init));
    this.outcome = init.outcome;
    Object.assign(this, factsOf(init));
  }
}

/**
 * No queue of RabbitMQ receives the request, which has `atLeastOnce` (oslo_messaging/exceptions.py
 * MessageUndeliverable, which is no MessagingException there).
 */
export class MessageUndeliverable extends MessageDeliveryFailure {
  override readonly name = "MessageUndeliverable";
  /** Name of the exchange. */
  readonly exchange: string;
  /** Routing key: `topic`, or `topic.server` of a request to one server. Empty for a fanout. */
  readonly routingKey: string;
  /** The reason of the broker: `NO_ROUTE`. */
  readonly replyText: string;

  constructor(init: FailureInit & { exchange: string; routingKey: string; replyText: string }) {
    super({ ...init, outcome: "returned", reason: `${init.replyText}, no queue receives the message` });
    this.exchange = init.exchange;
    this.routingKey = init.routingKey;
    this.replyText = init.replyText;
  }
}

/**
 * The send queue has reached `maxQueued` of the transport's options, so this message was not queued: it is `unsent`.
 * `Transport.writable` resolves when the queue has room again.
 */
export class SendQueueFull extends MessageDeliveryFailure {
  override readonly name = "SendQueueFull";
  /** Number of messages in the queue. */
  readonly messages: number;
  /** Total size of these messages, in bytes. */
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

/** The target does not suit the operation: it lacks a required member, has `fanout` in a call, or a member has the wrong type. */
export class InvalidTarget extends MessagingException {
  override readonly name = "InvalidTarget";
  /** The invalid target. */
  readonly target: Target;

  constructor(reason: string, target: Target) {
    super(`${reason}:${target}`);
    this.target = target;
  }
}

/** A malformed transport URL. */
export class InvalidTransportURL extends MessagingException {
  override readonly name = "InvalidTransportURL";
  /** The URL, with its passwords masked. */
  readonly url: string;

  constructor(url: string, reason: string) {
    super(`${reason}: ${url}`);
    this.url = url;
  }
}

/** The runtime does not support the scheme of the URL. */
export class DriverLoadFailure extends MessagingException {
  override readonly name = "DriverLoadFailure";
  /** The scheme of the URL. */
  readonly driver: string;

  constructor(driver: string, reason: string) {
    super(`Failed to load transport driver "${driver}": ${reason}`);
    this.driver = driver;
  }
}

/** The requested version is incompatible with the version cap of the client. */
export class RPCVersionCapError extends MessagingException {
  override readonly name = "RPCVersionCapError";
  /** The requested version. Undefined for a target without version, which no cap permits. */
  readonly version: string | undefined;
  /** The version cap of the client. */
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

/** An exception on the wire. `module` and `excType` are Python's module and class, or "javascript" and the name of an Error. */
export interface RemoteFailure {
  /** Name of the class. */
  readonly excType: string;
  /** Module of the class; `builtins` for Python's own. */
  readonly module: string;
  /** Text of the exception. */
  readonly message: string;
  /** Pieces of the remote stack trace, with their line ends. Usually empty when the server is not Python. */
  readonly traceback: readonly string[];
  /** Positional arguments of the exception. */
  readonly args: readonly unknown[];
  /** Keyword arguments of the exception. */
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/**
 * The called method threw. `message` is the name of the class and the text of the exception, without its stack trace. All
 * details are data: no class is instantiated by a name from untrusted input.
 */
export class RemoteError extends MessagingException {
  override readonly name = "RemoteError";
  /** Name of the class: `ValueError`. */
  readonly excType: string;
  /** Module of the class: `builtins`; `javascript` for an Error of this library's servers. */
  readonly module: string;
  /** Text of the remote exception. */
  readonly value: string;
  /** Pieces of the remote stack trace. Usually empty when the server is not Python. */
  readonly traceback: readonly string[];
  /** Positional arguments of the exception. */
  readonly args: readonly unknown[];
  /** Keyword arguments of the exception. */
  readonly kwargs: Readonly<Record<string, unknown>>;

  constructor(failure: RemoteFailure, options?: { cause?: unknown }) {
    super(summary(failure), options);
    this.excType = failure.excType;
    this.module = failure.module;
    this.value = failure.message;
    this.traceback = failure.traceback;
    this.args = failure.args;
    this.kwargs = failure.kwargs;
  }

  /** The text of this error in Python, with the remote stack trace: `Remote error: <excType> <value>\n<traceback>.` */
  get remoteText(): string {
    return `Remote error: ${this.excType} ${this.value}\n${this.traceback.join("")}.`;
  }
}

/** Base class of the exceptions of servers (oslo_messaging/server.py). */
export class MessagingServerError extends MessagingException {
  override readonly name: string = "MessagingServerError";
}

/** Handlers were still running when the timeout of `wait` ended. */
export class TaskTimeout extends MessagingServerError {
  override readonly name = "TaskTimeout";
}

/** No endpoint can handle the request (oslo_messaging/rpc/dispatcher.py). */
export class RPCDispatcherError extends MessagingServerError {
  override readonly name: string = "RPCDispatcherError";
}

/** Endpoints exist for the namespace and version, but none of them has the method or permits calling it. */
export class NoSuchMethod extends RPCDispatcherError {
  override readonly name = "NoSuchMethod";
  /** The requested method. */
  readonly method: string;

  constructor(method: string) {
    super(`Endpoint does not support RPC method ${method}`);
    this.method = method;
  }
}

/** No endpoint exists for the namespace and version of the request. */
export class UnsupportedVersion extends RPCDispatcherError {
  override readonly name = "UnsupportedVersion";
  /** The requested version. */
  readonly version: string;
  /** The requested method. */
  readonly method: string | undefined;

  constructor(version: string, method?: string) {
    super(
      `Endpoint does not support RPC version ${version}${method === undefined ? "" : `. Attempted method: ${method}`}`,
    );
    this.version = version;
    this.method = method;
  }
}

/** An invalid setting. As in oslo, this is not a MessagingException. */
export class ConfigurationError extends Error {
  /** Name of the class, as in oslo. */
  override readonly name: string = "ConfigurationError";
  /** Name of the setting, as the caller wrote it. */
  readonly key: string;

  constructor(key: string, reason: string) {
    super(`${key}: ${reason}`);
    this.key = key;
  }
}

/** An unknown setting. */
export class NoSuchOptError extends ConfigurationError {
  override readonly name = "NoSuchOptError";
}

/** Python appends the stack trace to the text of a remote exception that it raises again. */
function summary({ excType, message }: RemoteFailure): string {
  const [text = ""] = message.split("\nTraceback (most recent call last):\n", 1);
  return text === "" ? excType : `${excType}: ${text}`;
}

/** The details of a failed operation that its error has as members. */
function factsOf({ operation, target, phase, address, host, timeoutMs, elapsedMs }: FailureInit): object {
  return { operation, target, phase, address, host, timeoutMs, elapsedMs };
}

/** Longest text of a cause in a message, in characters: it may quote the peer. */
const LONGEST_CAUSE = 500;

function describe(init: FailureInit, reason: string): string {
  const { operation, target, phase, address, host, elapsedMs } = init;
  const where = `address ${address ?? "not known yet"}, host ${host ?? "none"}`;
  const facts = `phase ${phase}, after ${Math.round(elapsedMs)} ms, ${where}`;
  const doing = DOING.get(operation) ?? `${operation} message sent to`;
  const text = oneLine(`${doing} ${target} failed: ${reason} (${facts})`);
  const problem = init.explanation ?? (isError(init.cause) ? init.cause.message : "");
  const why = oneLine(problem).slice(0, LONGEST_CAUSE);
  return why === "" || text.includes(why) ? text : `${text}: ${why}`;
}

/** The lines of a text, which may quote the peer, as one line. */
function oneLine(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .join(" ")
    .trim();
}

/** The operations that send no message. */
const DOING: ReadonlyMap<string, string> = new Map([
  ["connect", "connecting to"],
  ["listen", "listening on"],
]);

/** Omits an undefined cause: an Error with `{ cause: undefined }` would show one. */
function causeOf({ cause }: FailureInit): { cause?: unknown } {
  return cause === undefined ? {} : { cause };
}
