import { ProtocolError, toError } from "../errors.js";
import {
  type Disposition,
  type Flow,
  readDisposition,
  readFlow,
  readTransfer,
  type Transfer,
  writeFlow,
} from "../frames/performatives.js";
import type { Logger } from "../logger.js";
import type { DeliveryState } from "../messages/outcome.js";
import type { Reader } from "../types/reader.js";
import type { FlowWriter, Link, LinkSession, RemoteAttach } from "./link.js";
import type { FlushListener, Output } from "./output.js";
import { INCOMING_WINDOW, SessionIncoming } from "./session-incoming.js";
import { SessionOutgoing } from "./session-outgoing.js";

/** We keep what we send until it is settled, however much that is. */
export const OUTGOING_WINDOW = 2 ** 31 - 1;

export interface SessionOptions {
  output: Output;
  /** Under which we send. */
  channel: number;
  /** The largest frame that the peer takes. */
  maxFrameBytes: number;
  /** The largest message that we take. */
  maxMessageBytes: number;
  /** Counts bytes of incomplete deliveries in and, negative, out again; throws when the connection holds too many. */
  reserveBytes: (bytes: number) => void;
  logger: Logger;
}

/** What the peer's Begin says. */
export interface RemoteBegin {
  readonly nextOutgoingId: number;
  readonly incomingWindow: number;
}

/**
 * The data plane of one session (transport 2.5.6, 2.6): the three performatives that move messages. The control plane
 * begins and ends it and attaches its links; between that, nothing of it passes through rhea.
 */
export class Session implements LinkSession, FlushListener {
  readonly outgoing: SessionOutgoing;
  readonly incoming: SessionIncoming;
  readonly maxMessageBytes: number;
  readonly reserveBytes: (bytes: number) => void;
  readonly logger: Logger;
  readonly #output: Output;
  readonly #channel: number;
  readonly #links = new Set<Link>();
  readonly #byRemoteHandle = new Map<number, Link>();
  /** Handles of links that we have refused, until the peer detaches them: it may have sent more before it heard of that. */
  readonly #refused = new Set<number>();
  readonly #wantFlow = new Set<FlowWriter>();
  #wantSessionFlow = false;
  #flushAsked = false;
  #ended = false;
  readonly #transfer = {} as Transfer;
  readonly #flow = {} as Flow;
  readonly #disposition = {} as Disposition;

  constructor(options: SessionOptions) {
    this.maxMessageBytes = options.maxMessageBytes;
    this.reserveBytes = options.reserveBytes;
    this.logger = options.logger;
    this.#output = options.output;
    this.#channel = options.channel;
    this.outgoing = new SessionOutgoing(options.output, options.channel, options.maxFrameBytes);
    this.incoming = new SessionIncoming(options.output, options.channel);
  }

  /** How many links are attached, on their way to be, or not wholly detached yet. */
  get links(): number {
    return this.#links.size;
  }

  onBegin(remote: RemoteBegin): void {
    this.incoming.onBegin(remote.nextOutgoingId);
    this.outgoing.onBegin(remote.incomingWindow);
  }

  /** Our End is next: nothing may leave behind it. */
  stopWriting(): void {
    this.#ended = true;
  }

  /** The session, or what carried it, is gone. */
  onEnd(error: Error): void {
    this.stopWriting();
    this.outgoing.end(error);
    const links = [...this.#links];
    this.#links.clear();
    this.#byRemoteHandle.clear();
    for (const link of links) link.onEnd(error);
  }

  /** The link ends with the session from now on, attached or not. */
  add(link: Link): void {
    this.#links.add(link);
  }

  /** Throws ProtocolError when the peer attaches under a handle that is another link's. */
  checkFree(handle: number): void {
    if (!this.#byRemoteHandle.has(handle) && !this.#refused.has(handle)) return;
    throw new ProtocolError(`attach with handle ${handle}, which is in use`, "amqp:session:handle-in-use");
  }

  onAttach(link: Link, remote: RemoteAttach): void {
    this.checkFree(remote.handle);
    this.#byRemoteHandle.set(remote.handle, link);
    link.onAttach(remote);
  }

  /** The peer's attach is refused: what else it says of that link counts for nothing. */
  onRefuse(handle: number): void {
    this.#refused.add(handle);
  }

  /** The peer has detached what we had refused. */
  onRefusedDetach(handle: number): void {
    this.#refused.delete(handle);
  }

  onDetach(link: Link, remoteHandle: number, error: Error | undefined): void {
    this.#byRemoteHandle.delete(remoteHandle);
    this.#links.delete(link);
    link.onEnd(error);
  }

  /** A transfer; `reader` stands behind its descriptor. */
  onTransfer(reader: Reader): void {
    const transfer = this.#transfer;
    readTransfer(reader, transfer);
    if (this.incoming.onTransfer()) this.#sessionFlow();
    const link = this.#link(transfer.handle, "transfer");
    if (link === undefined) return;
    link.onTransfer(transfer, reader.bytes.subarray(reader.at, reader.end));
  }

  /** A flow; `reader` stands behind its descriptor. */
  onFlow(reader: Reader): void {
    const flow = this.#flow;
    readFlow(reader, flow);
    this.outgoing.onFlow(flow);
    if (flow.handle !== undefined) this.#link(flow.handle, "flow")?.onFlow(flow);
    else if (flow.echo) this.#sessionFlow();
    this.outgoing.pump();
  }

  /** A disposition; `reader` stands behind its descriptor. */
  onDisposition(reader: Reader): void {
    const disposition = this.#disposition;
    readDisposition(reader, disposition);
    // As a sender the peer tells of what it sent us: we have answered, or will, and keep nothing to settle.
    if (disposition.role) this.outgoing.onDisposition(disposition);
  }

  /** Answers a delivery, together with what else is answered in this turn. */
  settle(id: number, state: DeliveryState): void {
    this.incoming.settle(id, state);
    this.#askFlush();
  }

  /** At the end of the turn the receiver's credit is topped up, and told. */
  wantsFlow(receiver: FlowWriter): void {
    this.#wantFlow.add(receiver);
    this.#askFlush();
  }

  beforeFlush(): void {
    this.#flushAsked = false;
    if (this.#ended) return;
    this.incoming.flush();
    for (const receiver of this.#wantFlow) {
      this.#wantFlow.delete(receiver);
      receiver.writeFlow();
    }
    if (this.#wantSessionFlow) this.#writeFlow(undefined);
  }

  /** What a user has given us has thrown: that must break nothing but itself. */
  logCallbackError(callback: string, link: string, thrown: unknown): void {
    const error = toError(thrown);
    this.logger.error(`${callback} of link ${link} threw ${error.stack ?? error.message}`);
  }

  writeLinkFlow(handle: number, deliveryCount: number, credit: number, drain: boolean): void {
    this.#writeFlow({ handle, deliveryCount, credit, drain });
  }

  #writeFlow(link: Parameters<typeof writeFlow>[3]): void {
    this.#wantSessionFlow = false;
    this.incoming.announced();
    const window = {
      nextIncomingId: this.incoming.nextId,
      incomingWindow: INCOMING_WINDOW,
      nextOutgoingId: this.outgoing.nextId,
      outgoingWindow: OUTGOING_WINDOW,
    };
    writeFlow(this.#output.writer, this.#channel, window, link);
    this.#output.wrote();
  }

  #askFlush(): void {
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    this.#output.atFlush(this);
  }

  #sessionFlow(): void {
    this.#wantSessionFlow = true;
    this.#askFlush();
  }

  /** Undefined for one that was refused. */
  #link(handle: number, performative: string): Link | undefined {
    const link = this.#byRemoteHandle.get(handle);
    if (link !== undefined || this.#refused.has(handle)) return link;
    throw new ProtocolError(
      `${performative} for handle ${handle}, which is not attached`,
      "amqp:session:unattached-handle",
    );
  }
}
