import type { AmqpError, AmqpErrorInit } from "../../errors.js";
import type { AttachFields, LinkControl, LinkInit, RemoteAttach, TerminusInit } from "../../links/link.js";
import type { RemoteBegin } from "../../links/session.js";

/** Fields of our Open. */
export interface OpenInit {
  /** Not empty. */
  containerId: string;
  hostname?: string | undefined;
  maxFrameBytes: number;
  channelMax: number;
  idleTimeoutMs?: number | undefined;
  properties?: Readonly<Record<string, string | number>> | undefined;
}

/** Fields of the peer's Open. */
export interface RemoteOpen {
  readonly containerId: string;
  readonly hostname: string | undefined;
  readonly product: string | undefined;
  readonly version: string | undefined;
  /** The scalar properties among the first hundred, as text, including product and version. */
  readonly properties: ReadonlyMap<string, string>;
  readonly maxFrameBytes: number;
  readonly idleTimeoutMs: number | undefined;
  readonly offeredCapabilities: readonly string[];
  /** False if the peer refuses the connection. The Close that follows contains the reason. */
  readonly established: boolean;
}

/** Fields of our Begin. The peer may attach handles up to `handleMax`. */
export interface BeginInit {
  incomingWindow: number;
  outgoingWindow: number;
  handleMax: number;
}

export interface AttachInit {
  role: "sender" | "receiver";
  /** Not empty. */
  name: string;
  source: TerminusInit;
  target: TerminusInit;
  maxMessageBytes: number;
  fields: AttachFields | undefined;
}

/** Events of a link. */
export interface LinkEvents {
  onAttach(remote: RemoteAttach): void;
  onDetach(remoteHandle: number, error: AmqpError | undefined): void;
}

/** Fields and channel of the peer's Begin. */
export interface RemoteSession extends RemoteBegin {
  /** Channel on which the peer sends. */
  readonly channel: number;
  /** Highest handle that we may use. */
  readonly handleMax: number;
}

/** Events of a session. */
export interface SessionEvents {
  onBegin(remote: RemoteSession): void;
  onEnd(error: AmqpError | undefined): void;
  /** The peer attaches a link. Must call exactly one of `accept` and `refuse` before it returns. */
  onAttachRequest(request: AttachRequest): void;
  /** The peer has detached a refused link. */
  onRefusedDetach(remoteHandle: number): void;
}

/** A link that the peer attaches. `role` is ours. */
export interface AttachRequest {
  readonly name: string;
  readonly role: "sender" | "receiver";
  readonly remote: RemoteAttach;
  accept(init: Pick<LinkInit, "source" | "target" | "maxMessageBytes">, events: LinkEvents): LinkControl;
  refuse(error: AmqpErrorInit): void;
}

export interface SessionControl {
  /** Channel on which we send. */
  readonly channel: number;
  /**
   * Attaches a link.
   *
   * @throws AmqpError, naming the address, when the attach does not fit into the peer's frames, or a name or an address
   *   contains half a surrogate pair.
   * @throws Error when another value has no AMQP encoding.
   */
  attach(init: AttachInit, events: LinkEvents): LinkControl;
  end(): void;
}

export interface ControlEvents {
  onOpen(remote: RemoteOpen): void;
  /** The peer has closed the connection. Our Close has been written. */
  onClose(error: AmqpError | undefined): void;
  /** The peer begins a session. Returns the receiver of its events, or throws to refuse it. */
  onBeginRequest(session: SessionControl): SessionEvents;
}
