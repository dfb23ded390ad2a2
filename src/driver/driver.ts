import type { RemoteFailure } from "./exceptions.js";
import type { Target } from "./target.js";

/** The body of an RPC request as it travels; `namespace` and `version` are absent when the target has none. */
export interface RequestBody {
  method: string;
  args: Record<string, unknown>;
  namespace?: string | undefined;
  version?: string | undefined;
}

export interface SendRequest {
  target: Target;
  context: object;
  /** -1 or absent: again until the time is up; 0: once; n: at most n times more (oslo's `retry`). */
  retry?: number | undefined;
  /** What the caller gave. Absent: the driver's default for this kind of message, which fails with MessageDeliveryFailure. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

export interface CastRequest extends SendRequest {
  body: RequestBody;
}

export interface CallRequest extends CastRequest {
  timeoutMs: number;
  callMonitorTimeoutMs?: number | undefined;
}

/** The topic of the target holds the priority already: `notifications.info`. */
export interface NotifyRequest extends SendRequest {
  body: object;
  /** Wrap the body in the envelope of version 2.0 (notify driver `messagingv2`). */
  envelope: boolean;
}

/** A message that came in and whose body could be read. It holds its link's credit until it is acknowledged or requeued. */
export interface IncomingMessage {
  readonly context: object;
  /** The request or the notification, out of its envelope. Whatever JSON value the sender chose. */
  readonly body: unknown;
  readonly messageId: string | undefined;
  /** The sender waits for a reply. */
  readonly wantsReply: boolean;
  /** The sender wants a heartbeat at least this often while it waits. */
  readonly callMonitorTimeoutMs: number | undefined;
  /** Aborted when the connection that it came by is gone before it was answered; never when nobody waits for an answer. Made at the first use. */
  readonly signal: AbortSignal;
  /** Its link is gone, and it was neither acknowledged nor requeued: that can no longer be done, and it is delivered again. */
  readonly linkLost: boolean;
  acknowledge(): void;
  requeue(): void;
  /** Resolves when the reply is handed over; logs and resolves when it cannot be: nobody can be told. */
  reply(value: unknown): Promise<void>;
  replyFailure(failure: RemoteFailure): Promise<void>;
  heartbeat(): void;
}

/** Who is at the other end of a connection. */
export interface Peer {
  /** A router hands a message on, and only while somebody listens; a broker stores it. Not known of products that we do not know. */
  readonly kind: "router" | "broker" | "unknown";
  readonly product: string | undefined;
  /** `name:port`. */
  readonly host: string;
}

/** Links that deliver until stopped; they are attached again by themselves after a link or a connection is lost. */
export interface DriverListener {
  /** Whom it listens to, or did last; undefined before the first connection. */
  readonly peer: Peer | undefined;
  /** Resolves when no message will come any more: it was closed, or the transport was. */
  readonly closed: Promise<void>;
  /** No new messages: credit is withdrawn. What is in hand can still be settled and answered. Idempotent. */
  stop(): Promise<void>;
  /** Detaches. Idempotent. */
  close(): Promise<void>;
}

export type OnIncoming = (message: IncomingMessage) => void;

export interface ListenOptions {
  /** Gives up the wait for the links to be attached. */
  signal?: AbortSignal | undefined;
  /** May refuse a `reply_to` address: then no reply is sent. */
  acceptReplyTo?: ((address: string) => boolean) | undefined;
  /** So many messages must be able to be in hand on each link, whatever credit the options give. */
  minimumCredit?: number | undefined;
}

/**
 * What a scheme must offer. Everything that serialises an RPC or a notification stands above it, everything that knows
 * links and addresses below (oslo_messaging/_drivers/base.py BaseDriver).
 */
export interface Driver {
  /** Resolves with the `response`; rejects with RemoteError (or what `remoteExceptions` makes), MessagingTimeout, MessageDeliveryFailure or the signal's reason. */
  call(request: CallRequest): Promise<unknown>;
  cast(request: CastRequest): Promise<void>;
  notify(request: NotifyRequest): Promise<void>;
  /** Attaches the links of an RPC server: its own, fanout and shared. Resolves when the peer has attached every one. */
  listen(target: Target, on: OnIncoming, options?: ListenOptions): Promise<DriverListener>;
  /** One link for each target, whose topic holds the priority already. */
  listenForNotifications(targets: readonly Target[], on: OnIncoming, options?: ListenOptions): Promise<DriverListener>;
}
