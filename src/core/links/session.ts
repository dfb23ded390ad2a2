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
import type { RecurringWarnings } from "../recurring-warnings.js";
import type { Reader } from "../types/reader.js";
import type { FlowWriter, Link, LinkSession, RemoteAttach } from "./link.js";
import type { FlushListener, Output } from "./output.js";
import { INCOMING_WINDOW, SessionIncoming } from "./session-incoming.js";
import { SessionOutgoing } from "./session-outgoing.js";

/** Our outgoing-window. Unlimited: sent deliveries are kept until they are settled, however many there are. */
export const OUTGOING_WINDOW = 2 ** 31 - 1;

export interface SessionOptions {
  output: Output;
  /** Our channel number of the session. */
  channel: number;
  /** Largest frame that the peer accepts, in bytes. */
  maxFrameBytes: number;
  /** Largest message that we accept, in bytes. */
  maxMessageBytes: number;
  /** Reserves bytes for incomplete deliveries; a negative number frees them. Throws when the connection holds too many. */
  reserveBytes: (bytes: number) => void;
  logger: Logger;
  warnings: RecurringWarnings;
}

/** Contents of the peer's Begin. */
export interface RemoteBegin {
  readonly nextOutgoingId: number;
  readonly incomingWindow: number;
}

/**
 * The data plane of one session (transport 2.5.6, 2.6): transfer, flow and disposition. The control plane begins and ends
 * the session and attaches its links. The three performatives never pass through rhea.
 */
export class Session implements LinkSession, FlushListener {
  readonly outgoing: SessionOutgoing;
  readonly incoming: SessionIncoming;
  readonly maxMessageBytes: number;
  readonly reserveBytes: (bytes: number) => void;
  readonly warnings: RecurringWarnings;
  readonly #logger: Logger;
  readonly #output: Output;
  readonly #channel: number;
  readonly #links = new Set<Link>();
  readonly #byRemoteHandle = new Map<number, Link>();
  /** Handles of links that we have refused, until the peer detaches them. The peer may send frames before it sees the refusal. */
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
    this.warnings = options.warnings;
    this.#logger = options.logger;
    this.#output = options.output;
    this.#channel = options.channel;
    this.outgoing = new SessionOutgoing(options.output, options.channel, options.maxFrameBytes);
    this.incoming = new SessionIncoming(options.output, options.channel);
  }

  /** Number of links that are attaching, attached or detaching. */
  get links(): number {
    return this.#links.size;
  }

  onBegin(remote: RemoteBegin): void {
    this.incoming.onBegin(remote.nextOutgoingId);
    this.outgoing.onBegin(remote.incomingWindow);
  }

  /** Called before our End is written: no frame of the session may follow it. */
  stopWriting(): void {
    this.#ended = true;
  }

  /** Ends the session and its links: the session ended or the connection was lost. */
  onEnd(error: Error): void {
    this.stopWriting();
    this.outgoing.end(error);
    const links = [...this.#links];
    this.#links.clear();
    this.#byRemoteHandle.clear();
    for (const link of links) link.onEnd(error);
  }

  /** Adds a link. From now on it ends with the session, attached or not. */
  add(link: Link): void {
    this.#links.add(link);
  }

  /** Throws ProtocolError when the peer attaches with a handle that another link uses. */
  checkFree(handle: number): void {
    if (!this.#byRemoteHandle.has(handle) && !this.#refused.has(handle)) return;
    throw new ProtocolError(`attach with handle ${handle}, which is in use`, "amqp:session:handle-in-use");
  }

  onAttach(link: Link, remote: RemoteAttach): void {
    this.checkFree(remote.handle);
    this.#byRemoteHandle.set(remote.handle, link);
    link.onAttach(remote);
  }

  /** Called when the peer's attach is refused. Further frames of that link are ignored. */
  onRefuse(handle: number): void {
    this.#refused.add(handle);
  }

  /** Called when the peer has detached a refused link. */
  onRefusedDetach(handle: number): void {
    this.#refused.delete(handle);
  }

  onDetach(link: Link, remoteHandle: number, error: Error | undefined): void {
    this.#byRemoteHandle.delete(remoteHandle);
    this.#links.delete(link);
    link.onEnd(error);
  }

  /** Handles a transfer. `reader` stands behind its descriptor. */
  onTransfer(reader: Reader): void {
    const transfer = this.#transfer;
    readTransfer(reader, transfer);
    if (this.incoming.onTransfer()) this.#sessionFlow();
    const link = this.#link(transfer.handle, "transfer");
    if (link === undefined) return;
    link.onTransfer(transfer, reader.bytes.subarray(reader.at, reader.end));
  }

  /** Handles a flow. `reader` stands behind its descriptor. */
  onFlow(reader: Reader): void {
    const flow = this.#flow;
    readFlow(reader, flow);
    this.outgoing.onFlow(flow);
    if (flow.handle !== undefined) this.#link(flow.handle, "flow")?.onFlow(flow);
    else if (flow.echo) this.#sessionFlow();
    this.outgoing.pump();
  }

  /** Handles a disposition. `reader` stands behind its descriptor. */
  onDisposition(reader: Reader): void {
    const disposition = this.#disposition;
    readDisposition(reader, disposition);
    // In the sender's role the peer reports on its own deliveries. We have settled them or will, and keep no state for them.
    if (disposition.role) this.outgoing.onDisposition(disposition);
  }

  /** Settles a delivery, in one disposition with others of this turn where possible. */
  settle(id: number, state: DeliveryState): void {
    this.incoming.settle(id, state);
    this.#askFlush();
  }

  /** Calls `writeFlow` of the receiver at the end of the turn. */
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

  /** Logs the error of a user's callback. It must not affect the connection. */
  logCallbackError(callback: string, link: string, thrown: unknown): void {
    const error = toError(thrown);
    this.#logger.error(`${callback} of link ${link} threw ${error.stack ?? error.message}`);
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

  /** The link of a handle. Undefined for a refused link. Throws ProtocolError for a handle that is not attached. */
  #link(handle: number, performative: string): Link | undefined {
    const link = this.#byRemoteHandle.get(handle);
    if (link !== undefined || this.#refused.has(handle)) return link;
    throw new ProtocolError(
      `${performative} for handle ${handle}, which is not attached`,
      "amqp:session:unattached-handle",
    );
  }
}
