import type { AmqpError, AmqpErrorInit } from "../../errors.js";
import type { LinkControl, RemoteAttach, TerminusInit } from "../../links/link.js";
import type { RemoteBegin } from "../../links/session.js";

/** What our Open says. */
export interface OpenInit {
  /** Not empty. */
  containerId: string;
  hostname?: string | undefined;
  maxFrameBytes: number;
  channelMax: number;
  idleTimeoutMs?: number | undefined;
  properties?: Readonly<Record<string, string | number>> | undefined;
}

/** What the peer's Open says. */
export interface RemoteOpen {
  readonly containerId: string;
  readonly hostname: string | undefined;
  readonly product: string | undefined;
  readonly version: string | undefined;
  /** The properties that are scalars, product and version among them, as text: the first hundred. */
  readonly properties: ReadonlyMap<string, string>;
  readonly maxFrameBytes: number;
  readonly idleTimeoutMs: number | undefined;
  readonly offeredCapabilities: readonly string[];
  /** False: the peer opens only to say, in the Close behind it, why there will be no connection. */
  readonly established: boolean;
}

/** What our Begin says; the peer may attach handles up to `handleMax`. */
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
}

/** What a link of ours is told. */
export interface LinkEvents {
  onAttach(remote: RemoteAttach): void;
  onDetach(remoteHandle: number, error: AmqpError | undefined): void;
}

/** What the peer's Begin says, and where it says it. */
export interface RemoteSession extends RemoteBegin {
  /** Under which the peer sends. */
  readonly channel: number;
  /** The highest handle that we may use. */
  readonly handleMax: number;
}

/** What a session is told. */
export interface SessionEvents {
  onBegin(remote: RemoteSession): void;
  onEnd(error: AmqpError | undefined): void;
  /** The peer attaches a link. Exactly one of the answers, before returning. */
  onAttachRequest(request: AttachRequest): void;
  /** The peer has detached a link that was refused. */
  onRefusedDetach(remoteHandle: number): void;
}

/** A link that the peer wants; `role` is ours. */
export interface AttachRequest {
  readonly name: string;
  readonly role: "sender" | "receiver";
  readonly remote: RemoteAttach;
  accept(termini: { source: TerminusInit; target: TerminusInit }, events: LinkEvents): LinkControl;
  refuse(error: AmqpErrorInit): void;
}

export interface SessionControl {
  /** Under which we send. */
  readonly channel: number;
  /** Throws when the peer cannot be told: a value that is none of AMQP's. */
  attach(init: AttachInit, events: LinkEvents): LinkControl;
  end(): void;
}

export interface ControlEvents {
  onOpen(remote: RemoteOpen): void;
  /** The peer closed; our own Close has been written. */
  onClose(error: AmqpError | undefined): void;
  /** The peer begins a session: gives what is told of it, and throws to refuse. */
  onBeginRequest(session: SessionControl): SessionEvents;
}
