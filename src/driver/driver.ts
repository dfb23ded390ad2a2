import type { ConnectionReport } from "./connection-report.js";
import type { RemoteFailure } from "./exceptions.js";
import type { Target } from "./target.js";

/** The body of an RPC request on the wire. `namespace` and `version` are omitted when the target omits them. */
export interface RequestBody {
  method: string;
  args: Record<string, unknown>;
  namespace?: string | undefined;
  version?: string | undefined;
}

export interface SendRequest {
  target: Target;
  context: object;
  /** Most times that the message is sent again (oslo's `retry`). -1 or omitted: until the timeout. */
  retry?: number | undefined;
  /** The caller's timeout. Omitted: the driver's default for this kind of message, which ends with MessageDeliveryFailure. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface CastRequest extends SendRequest {
  body: RequestBody;
  /** Fail with MessageUndeliverable when no queue receives the request. */
  atLeastOnce?: boolean | undefined;
}

export interface CallRequest extends CastRequest {
  timeoutMs: number;
  callMonitorTimeoutMs?: number | undefined;
}

/** A notification to send. The topic of its target includes the priority: `notifications.info`. */
export interface NotifyRequest extends SendRequest {
  body: object;
  /** Wrap the body in the envelope of version 2.0 (notify driver `messagingv2`). */
  envelope: boolean;
}

/** An incoming message with a readable body. It holds one credit of its link or consumer until it is acknowledged or requeued. */
export interface IncomingMessage {
  readonly context: object;
  /** The request or the notification without its envelope. It is untrusted input: any JSON value. */
  readonly body: unknown;
  readonly messageId: string | undefined;
  /** Identifies the message: a repeat has the same. AMQP 1.0: reply address and message ID; AMQP 0-9-1: `_unique_id`. */
  readonly identity: string | undefined;
  /** True when the sender waits for a reply. */
  readonly wantsReply: boolean;
  /** Longest interval between heartbeats that the waiting sender accepts, in milliseconds. */
  readonly callMonitorTimeoutMs: number | undefined;
  /** Aborted when the reply can no longer be sent. Never aborted without `wantsReply`. Created at the first use. */
  readonly signal: AbortSignal;
  /** True when its link or channel ended before it was settled. That is not possible any more: it is delivered again. */
  readonly linkLost: boolean;
  acknowledge(): void;
  requeue(): void;
  /**
   * Resolves when the reply is handed over. If the reply is rejected, for its size for example, sends a failure in its place.
   * If neither can be delivered, logs a warning and resolves. Throws TypeError for a value that JSON cannot hold.
   */
  reply(value: unknown): Promise<void>;
  replyFailure(failure: RemoteFailure): Promise<void>;
  heartbeat(): void;
}

/** The peer of a connection. */
export interface Peer {
  /** A router forwards a message only while a listener is connected. A broker stores it. `unknown`: the product is unknown. */
  readonly kind: "router" | "broker" | "unknown";
  readonly product: string | undefined;
  /** `name:port`. */
  readonly host: string;
}

/** Links or consumers that deliver messages until they are stopped. After a loss they are started again. */
export interface DriverListener {
  /** Peer of the present or the last connection. Undefined before the first one. */
  readonly peer: Peer | undefined;
  /** Resolves when the listener or the transport is closed: no more messages arrive. */
  readonly closed: Promise<void>;
  /** Ends the arrival of messages. Received ones can still be settled and answered. Idempotent. */
  stop(): Promise<void>;
  /** Detaches the links or closes the channel. Idempotent. */
  close(): Promise<void>;
}

export type OnIncoming = (message: IncomingMessage) => void;

/** Options of `Transport.connect` and `Transport.probe`. */
export interface ConnectOptions {
  /** Cancels the wait. */
  signal?: AbortSignal | undefined;
  /** Time limit in milliseconds. Omitted: no limit. */
  timeoutMs?: number | undefined;
  /** Try until connected, with pauses. Default false: try each host once. */
  keepTrying?: boolean | undefined;
}

/** Limits of the wait for the links to be attached. */
export interface ListenLimits {
  signal?: AbortSignal | undefined;
  /** Milliseconds. When they have passed, the wait ends with MessagingTimeout. Omitted: no limit. */
  timeoutMs?: number | undefined;
}

export interface ListenOptions extends ListenLimits {
  /** Called with each reply address. If it does not return true, no reply is sent. */
  acceptReplyTo?: ((address: string) => boolean) | undefined;
  /** Least credit of each link, or prefetch count of each consumer. The value of the options is raised to it. */
  minimumCredit?: number | undefined;
  /** Number of messages or batches that are handled at once, for a driver whose options set no credit. */
  concurrency?: number | undefined;
  /** Name of the queue that the listeners of notifications with this name share. For drivers with `hasPools` only. */
  pool?: string | undefined;
}

/**
 * The interface that the driver of a URL scheme implements (oslo_messaging/_drivers/base.py BaseDriver). The layers above
 * it serialize RPC messages and notifications. The layers below it know links and addresses, or channels and queues.
 */
export interface Driver {
  /** Whether notification listeners can share a queue of their own, a pool. */
  readonly hasPools: boolean;
  /**
   * Resolves with the `response`.
   *
   * @throws RemoteError, or the error that `remoteExceptions` makes, when the method failed.
   * @throws MessagingTimeout when the caller's timeout or the call monitor timeout passes.
   * @throws MessageDeliveryFailure when the request is not accepted, or its fate is unknown.
   * @throws the reason of the signal.
   */
  call(request: CallRequest): Promise<unknown>;
  cast(request: CastRequest): Promise<void>;
  notify(request: NotifyRequest): Promise<void>;
  /** Attaches the links, or consumes the queues, of an RPC server: its own, fanout and shared. Resolves when all are active. */
  listen(target: Target, onMessage: OnIncoming, options?: ListenOptions): Promise<DriverListener>;
  /** Attaches one link, or consumes one queue, for each target. Its topic includes the priority. Resolves as `listen`. */
  listenForNotifications(
    targets: readonly Target[],
    onMessage: OnIncoming,
    options?: ListenOptions,
  ): Promise<DriverListener>;
}

/** Kind of messages that a target addresses. */
export type ServiceKind = "rpc" | "notify";

/** A driver, as its transport uses it. It connects at the first use, and again after each loss until it is closed. */
export interface TransportDriver extends Driver {
  /** The driver that serves the transport at present. Undefined: this one. */
  readonly inUse?: TransportDriver | undefined;
  /** Resolves when connected. Rejects when each host has failed once, unless `keepTrying` is set. */
  connect(options: ConnectOptions): Promise<void>;
  /** Resolves with a report on the connection. Rejects as `connect` does, and when the connection is lost meanwhile. */
  probe(target: Target | undefined, service: ServiceKind, options: ConnectOptions): Promise<ConnectionReport>;
  /** Resolves when the send queue is not full. */
  writable(signal: AbortSignal | undefined): Promise<void>;
  /** Waits up to `graceMs` for running operations, ends the rest, and closes the connections. Idempotent. */
  close(graceMs: number): Promise<void>;
}
