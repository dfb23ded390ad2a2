import { ProtocolError } from "../errors.js";
import { readState, writeState } from "../messages/delivery-states.js";
import type { DeliveryState } from "../messages/outcome.js";
import { DESCRIBED, FALSE, LIST8, NULL, SMALLUINT, SMALLULONG, TRUE, UINT, UINT0, VBIN8 } from "../types/codes.js";
import { DISPOSITION, FLOW, TRANSFER } from "../types/descriptors.js";
import type { Reader } from "../types/reader.js";
import type { Writer } from "../types/writer.js";

/** Upper bound, in bytes, for the frame header and the performative that `writeTransfer` writes. */
export const TRANSFER_BYTES = 48;

/** Fields of a received transfer. A session reuses one object for all transfers, so it must not be retained. */
export interface Transfer {
  handle: number;
  deliveryId: number | undefined;
  settled: boolean;
  more: boolean;
  aborted: boolean;
}

/** Fields of a received flow. Without `handle` it applies to the session only. */
export interface Flow {
  nextIncomingId: number | undefined;
  incomingWindow: number;
  nextOutgoingId: number;
  handle: number | undefined;
  deliveryCount: number | undefined;
  linkCredit: number | undefined;
  drain: boolean;
  echo: boolean;
}

/** Fields of a received disposition. `state` is undefined when it is null or not an outcome. */
export interface Disposition {
  /** True when the peer is the receiver and the deliveries were sent by this side. */
  role: boolean;
  first: number;
  last: number;
  settled: boolean;
  state: DeliveryState | undefined;
}

export function readTransfer(reader: Reader, into: Transfer): void {
  const count = reader.list();
  const end = reader.listEnd;
  into.handle = required(count > 0 ? reader.uint() : undefined, "transfer", "handle");
  into.deliveryId = count > 1 ? reader.uint() : undefined;
  if (count > 2) reader.skip(); // delivery-tag
  if (count > 3) reader.uint(); // message-format
  into.settled = count > 4 && reader.boolean() === true;
  into.more = count > 5 && reader.boolean() === true;
  if (count > 6) reader.ubyte(); // rcv-settle-mode
  if (count > 7) reader.skip(); // state
  if (count > 8) reader.boolean(); // resume
  into.aborted = count > 9 && reader.boolean() === true;
  reader.leaveList(Math.max(0, count - 10), end);
}

export function readFlow(reader: Reader, into: Flow): void {
  const count = reader.list();
  const end = reader.listEnd;
  into.nextIncomingId = count > 0 ? reader.uint() : undefined;
  into.incomingWindow = required(count > 1 ? reader.uint() : undefined, "flow", "incoming-window");
  into.nextOutgoingId = required(count > 2 ? reader.uint() : undefined, "flow", "next-outgoing-id");
  if (count > 3) reader.uint(); // outgoing-window
  into.handle = count > 4 ? reader.uint() : undefined;
  into.deliveryCount = count > 5 ? reader.uint() : undefined;
  into.linkCredit = count > 6 ? reader.uint() : undefined;
  if (count > 7) reader.uint(); // available
  into.drain = count > 8 && reader.boolean() === true;
  into.echo = count > 9 && reader.boolean() === true;
  reader.leaveList(Math.max(0, count - 10), end);
}

export function readDisposition(reader: Reader, into: Disposition): void {
  const count = reader.list();
  const end = reader.listEnd;
  into.role = required(count > 0 ? reader.boolean() : undefined, "disposition", "role");
  into.first = required(count > 1 ? reader.uint() : undefined, "disposition", "first");
  into.last = (count > 2 ? reader.uint() : undefined) ?? into.first;
  into.settled = count > 3 && reader.boolean() === true;
  into.state = count > 4 ? readState(reader) : undefined;
  reader.leaveList(Math.max(0, count - 5), end);
}

/** Writes header and performative of a transfer frame. Returns the offset of the frame's start from `writer.from`. */
export function writeTransfer(
  writer: Writer,
  channel: number,
  handle: number,
  deliveryId: number,
  settled: boolean,
  more: boolean,
): number {
  writer.reserve(TRANSFER_BYTES);
  const start = writer.at - writer.from;
  const { bytes } = writer;
  let at = writeFrameHeader(bytes, writer.at, channel, TRANSFER);
  const size = at;
  at += 2;
  if (handle < 256) {
    bytes[at++] = SMALLUINT;
    bytes[at++] = handle;
  } else {
    at = writeUint32(bytes, at, handle);
  }
  at = writeUint32(bytes, at, deliveryId);
  // The delivery id serves as the tag, which must be unique among the unsettled deliveries of the link.
  bytes[at++] = VBIN8;
  bytes[at++] = 4;
  bytes[at++] = deliveryId >>> 24;
  bytes[at++] = deliveryId >>> 16;
  bytes[at++] = deliveryId >>> 8;
  bytes[at++] = deliveryId;
  bytes[at++] = UINT0; // message-format 0
  bytes[at++] = settled ? TRUE : FALSE;
  let fields = 5;
  if (more) {
    bytes[at++] = TRUE;
    fields = 6;
  }
  bytes[size] = at - size - 1;
  bytes[size + 1] = fields;
  writer.at = at;
  return start;
}

/** Writes the frame that aborts a delivery whose last frame has not been written. */
export function writeAbort(writer: Writer, channel: number, handle: number, deliveryId: number): void {
  writer.reserve(TRANSFER_BYTES);
  const start = writer.at - writer.from;
  writer.at = writeFrameHeader(writer.bytes, writer.at, channel, TRANSFER, false);
  const list = writer.beginList();
  writer.uint(handle);
  writer.uint(deliveryId);
  for (let field = 2; field < 9; field++) writer.null();
  writer.boolean(true); // aborted
  writer.endList(list, 10);
  endFrame(writer, start);
}

/** Writes the size of the frame that starts at offset `start` from `writer.from` and ends at `writer.at`. */
export function endFrame(writer: Writer, start: number): void {
  const { bytes } = writer;
  const at = writer.from + start;
  const size = writer.at - at;
  bytes[at] = size >>> 24;
  bytes[at + 1] = size >>> 16;
  bytes[at + 2] = size >>> 8;
  bytes[at + 3] = size;
}

export interface SessionWindow {
  nextIncomingId: number;
  incomingWindow: number;
  nextOutgoingId: number;
  outgoingWindow: number;
}

export interface LinkCredit {
  handle: number;
  deliveryCount: number;
  credit: number;
  drain: boolean;
}

export function writeFlow(writer: Writer, channel: number, window: SessionWindow, link: LinkCredit | undefined): void {
  writer.reserve(64);
  const start = writer.at - writer.from;
  const { bytes } = writer;
  let at = writeFrameHeader(bytes, writer.at, channel, FLOW);
  const size = at;
  at += 2;
  at = writeUint32(bytes, at, window.nextIncomingId);
  at = writeUint32(bytes, at, window.incomingWindow);
  at = writeUint32(bytes, at, window.nextOutgoingId);
  at = writeUint32(bytes, at, window.outgoingWindow);
  let fields = 4;
  if (link !== undefined) {
    at = writeUint32(bytes, at, link.handle);
    at = writeUint32(bytes, at, link.deliveryCount);
    at = writeUint32(bytes, at, link.credit);
    bytes[at++] = NULL; // available
    bytes[at++] = link.drain ? TRUE : FALSE;
    fields = 9;
  }
  bytes[size] = at - size - 1;
  bytes[size + 1] = fields;
  writer.at = at;
  endFrame(writer, start);
}

/** Writes a disposition that settles deliveries, with `state` unless undefined. `role`: true for the receiver. */
export function writeDisposition(
  writer: Writer,
  channel: number,
  role: boolean,
  first: number,
  last: number,
  state: DeliveryState | undefined,
): void {
  writer.reserve(64);
  const start = writer.at - writer.from;
  writer.at = writeFrameHeader(writer.bytes, writer.at, channel, DISPOSITION, false);
  const list = writer.beginList();
  writer.boolean(role);
  writer.uint(first);
  writer.uint(last);
  writer.boolean(true);
  if (state !== undefined) writeState(writer, state);
  writer.endList(list, state === undefined ? 4 : 5);
  endFrame(writer, start);
}

function writeFrameHeader(bytes: Uint8Array, start: number, channel: number, code: number, list8 = true): number {
  let at = start + 4; // the size is written last
  bytes[at++] = 2; // data offset, in words of 4 bytes
  bytes[at++] = 0; // AMQP
  bytes[at++] = channel >>> 8;
  bytes[at++] = channel;
  bytes[at++] = DESCRIBED;
  bytes[at++] = SMALLULONG;
  bytes[at++] = code;
  if (list8) bytes[at++] = LIST8;
  return at;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = UINT;
  bytes[at + 1] = value >>> 24;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 8;
  bytes[at + 4] = value;
  return at + 5;
}

function required<T>(value: T | undefined, performative: string, field: string): T {
  if (value === undefined) throw new ProtocolError(`${performative} without ${field}`);
  return value;
}
