import { ProtocolError } from "../errors.js";
import {
  type Disposition,
  endFrame,
  type Flow,
  TRANSFER_BYTES,
  writeAbort,
  writeDisposition,
  writeTransfer,
} from "../frames/performatives.js";
import { encodeMessage } from "../messages/message.js";
import type { Outcome } from "../messages/outcome.js";
import { serialAdd, serialDistance } from "../types/serial.js";
import type { Outgoing, OutgoingLink } from "./outgoing.js";
import type { Output } from "./output.js";

/** How much of a message has left: all of it, its first frames, nothing yet, or nothing ever because it is too large. */
export type TransferProgress = "sent" | "partial" | "blocked" | "refused";

/** The outgoing half of a session: the peer's window, delivery ids, and the deliveries that the peer has not settled yet. */
export class SessionOutgoing {
  readonly #output: Output;
  readonly #channel: number;
  /** Largest frame that the peer accepts, in bytes. */
  readonly #maxFrameBytes: number;
  readonly #unsettled = new Map<number, Outgoing>();
  /** Senders that have messages and credit, but no window. */
  readonly #blocked = new Set<OutgoingLink>();
  #nextId = 0;
  #nextDeliveryId = 0;
  #window = 0;
  /** The incoming-window that the peer announced last. */
  announced = 0;
  readonly #abandoned = (outgoing: Outgoing): void => this.abandon(outgoing);

  constructor(output: Output, channel: number, maxFrameBytes: number) {
    this.#output = output;
    this.#channel = channel;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** next-outgoing-id: the id of the next transfer frame. */
  get nextId(): number {
    return this.#nextId;
  }

  onBegin(incomingWindow: number): void {
    this.#window = this.announced = incomingWindow;
    this.pump();
  }

  /** Transport 2.5.6: the window is what the peer announced, less the transfers that it had not seen yet. */
  onFlow(flow: Flow): void {
    const underWay = serialDistance(this.#nextId, flow.nextIncomingId ?? 0);
    this.announced = flow.incomingWindow;
    this.#window = Math.max(0, flow.incomingWindow - underWay);
  }

  /** Lets the blocked senders send, one after the other, now that the window or the socket is open again. */
  pump(): void {
    for (const sender of this.#blocked) {
      if (!this.#open) return;
      this.#blocked.delete(sender); // a sender that blocks again queues behind all others
      sender.pump();
    }
  }

  /** Writes the message, or its first frames. Throws when it cannot be encoded: then no part of it has left. */
  transfer(outgoing: Outgoing): TransferProgress {
    if (!this.#open) return this.#block(outgoing.sender);
    const { writer } = this.#output;
    const { sender, message, settled } = outgoing;
    const id = this.#nextDeliveryId;
    const start = writeTransfer(writer, this.#channel, sender.handle, id, settled, false);
    const body = writer.at - writer.from;
    try {
      if (ArrayBuffer.isView(message)) writer.append(message);
      else encodeMessage(writer, message);
    } catch (error) {
      writer.at = writer.from + start;
      throw error;
    }
    const end = writer.at - writer.from;
    const limit = sender.maxMessageBytes;
    if ((limit !== undefined && end - body > limit) || end - start > this.#maxFrameBytes) {
      const payload = writer.bytes.slice(writer.from + body, writer.at);
      writer.at = writer.from + start;
      if (limit !== undefined && payload.length > limit) return refuse(outgoing, payload.length, limit);
      return this.#begin(outgoing, payload);
    }
    endFrame(writer, start);
    this.#number(outgoing);
    this.#count();
    outgoing.transferred(this.#abandoned);
    this.#output.wrote();
    return "sent";
  }

  /** Writes more frames of a delivery. Returns true when its last frame has left. That frame aborts a delivery that is over. */
  transferRest(outgoing: Outgoing): boolean {
    const { payload } = outgoing;
    if (payload === undefined) return true;
    const { writer } = this.#output;
    const room = this.#maxFrameBytes - TRANSFER_BYTES;
    while (outgoing.sentBytes < payload.length) {
      if (!this.#open) {
        this.#block(outgoing.sender);
        return false;
      }
      const { sender, deliveryId, settled } = outgoing;
      if (outgoing.isOver) {
        outgoing.sentBytes = payload.length;
        writeAbort(writer, this.#channel, sender.handle, deliveryId);
      } else {
        const piece = payload.subarray(outgoing.sentBytes, outgoing.sentBytes + room);
        outgoing.sentBytes += piece.length;
        const more = outgoing.sentBytes < payload.length;
        const start = writeTransfer(writer, this.#channel, sender.handle, deliveryId, settled, more);
        writer.append(piece);
        endFrame(writer, start);
      }
      this.#count();
      this.#output.wrote();
    }
    outgoing.payload = undefined;
    outgoing.transferred(this.#abandoned);
    return true;
  }

  /** Stops waiting for the outcome. */
  abandon(outgoing: Outgoing): void {
    if (!outgoing.settled) this.#unsettled.delete(outgoing.deliveryId);
  }

  /** Handles the outcome that the peer, as receiver, reports for a run of deliveries. Settled deliveries of the run are ignored. */
  onDisposition({ first, last, settled, state }: Disposition): void {
    if (!settled && state === undefined) return; // received so far: no outcome yet
    const outcome: Outcome = state ?? { type: "unknown", error: new ProtocolError("settled without an outcome") };
    const any = first === last ? this.#settle(first, outcome) : this.#settleRun(first, last, outcome);
    if (settled || !any) return;
    // The receiver keeps the delivery until we settle it as well (rcv-settle-mode second).
    writeDisposition(this.#output.writer, this.#channel, false, first, last, undefined);
    this.#output.wrote();
  }

  /** Ends the deliveries of a lost link: the peer reports no outcomes for them. */
  forget(sender: OutgoingLink, error: Error): void {
    this.#blocked.delete(sender);
    for (const [id, outgoing] of this.#unsettled) {
      if (outgoing.sender !== sender) continue;
      this.#unsettled.delete(id);
      outgoing.connectionLost(error);
    }
  }

  /** Ends all deliveries: the session is lost with its links. */
  end(error: Error): void {
    this.#blocked.clear();
    for (const outgoing of this.#unsettled.values()) outgoing.connectionLost(error);
    this.#unsettled.clear();
  }

  get #open(): boolean {
    return this.#window > 0 && this.#output.writable;
  }

  #block(sender: OutgoingLink): "blocked" {
    this.#blocked.add(sender);
    return "blocked";
  }

  #begin(outgoing: Outgoing, payload: Uint8Array): TransferProgress {
    this.#number(outgoing);
    outgoing.payload = payload;
    return this.transferRest(outgoing) ? "sent" : "partial";
  }

  #number(outgoing: Outgoing): void {
    outgoing.deliveryId = this.#nextDeliveryId;
    this.#nextDeliveryId = serialAdd(this.#nextDeliveryId, 1);
    if (!outgoing.settled) this.#unsettled.set(outgoing.deliveryId, outgoing);
  }

  #count(): void {
    this.#nextId = serialAdd(this.#nextId, 1);
    this.#window--;
  }

  /**
   * Settles a run. The run is untrusted input of any length: it is cut to the ids that can be unsettled, so that the cost
   * stays within the number of unsettled deliveries.
   */
  #settleRun(first: number, last: number, outcome: Outcome): boolean {
    if (serialDistance(last, first) < 0) throw new ProtocolError(`disposition from ${first} back to ${last}`);
    const [oldest] = this.#unsettled.keys();
    if (oldest === undefined) return false;
    const newest = serialAdd(this.#nextDeliveryId, -1);
    const from = serialDistance(first, oldest) < 0 ? oldest : first;
    const length = serialDistance(serialDistance(last, newest) > 0 ? newest : last, from) + 1;
    let any = false;
    if (length <= this.#unsettled.size) {
      for (let i = 0; i < length; i++) any = this.#settle(serialAdd(from, i), outcome) || any;
    } else {
      for (const id of this.#unsettled.keys()) {
        const distance = serialDistance(id, from);
        if (distance >= 0 && distance < length) any = this.#settle(id, outcome) || any;
      }
    }
    return any;
  }

  #settle(id: number, outcome: Outcome): boolean {
    const outgoing = this.#unsettled.get(id);
    if (outgoing === undefined) return false;
    this.#unsettled.delete(id);
    outgoing.settle(outcome);
    return true;
  }
}

function refuse(outgoing: Outgoing, bytes: number, limit: number): "refused" {
  const description = `message of ${bytes} bytes exceeds the peer's limit of ${limit} bytes on link ${outgoing.sender.name}`;
  outgoing.settle({ type: "rejected", error: { condition: "amqp:link:message-size-exceeded", description } });
  return "refused";
}
