import { FrameSplitter as Splitter } from "../core/frames/splitter.js";
import { describeProtocol } from "../core/sasl/sasl.js";
import type { Writer } from "../core/types/writer.js";
import { setLong } from "./encoding.js";
import { FRAME_ERROR, NOT_IMPLEMENTED, UNEXPECTED_FRAME } from "./reply-codes.js";
import { violation } from "./violation.js";

/** Types of frames (2.3.5). */
export const METHOD = 1;
export const HEADER = 2;
export const BODY = 3;
export const HEARTBEAT = 8;

/** Last octet of every frame. */
export const FRAME_END = 0xce;
/** Length of a frame header: type, channel and size of the payload. */
export const FRAME_HEADER_BYTES = 7;
/** Bytes of a frame besides its payload. */
export const FRAME_OVERHEAD_BYTES = 8;
/** Smallest maximum frame size that a peer may require (FRAME-MIN-SIZE). */
export const FRAME_MIN_SIZE = 4_096;

/** The protocol header of AMQP 0-9-1: "AMQP", 0, major, minor, revision. */
export const PROTOCOL_HEADER: readonly number[] = [0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1];
/** Its name. */
const PROTOCOL = "AMQP 0-9-1";
const PROTOCOL_HEADER_BYTES = 8;
const LETTER_A = 0x41;
const LETTER_H = 0x48;

export const HEARTBEAT_FRAME = Uint8Array.of(HEARTBEAT, 0, 0, 0, 0, 0, 0, FRAME_END);

/**
 * Splits a byte stream into frames of AMQP 0-9-1. `onFrame` gets each frame with its header and its end octet, and the
 * first 8 bytes of a protocol header: of a peer that speaks another protocol, or of this side in a frame log.
 */
export class FrameSplitter extends Splitter {
  protected override readonly headBytes: number = FRAME_HEADER_BYTES;

  /** @throws Amqp091Error when the type is unknown or the frame is larger than the maximum. */
  protected override frameSize(bytes: Uint8Array, at: number): number {
    const type = bytes[at];
    if (type !== METHOD && type !== HEADER && type !== BODY && type !== HEARTBEAT) {
      if (type === LETTER_A || type === LETTER_H) return PROTOCOL_HEADER_BYTES;
      throw foreign(bytes.subarray(at, at + FRAME_HEADER_BYTES));
    }
    const size = payloadSize(bytes, at) + FRAME_OVERHEAD_BYTES;
    if (size <= this.maxFrameBytes) return size;
    throw violation(FRAME_ERROR, `FRAME_ERROR - frame of ${size} bytes, at most ${this.maxFrameBytes}`);
  }
}

/**
 * Checks a frame that the splitter has found.
 *
 * @throws Amqp091Error when it is no frame, or does not end with the end octet.
 */
export function checkFrame(bytes: Uint8Array, at: number, end: number): void {
  const type = bytes[at] as number;
  if (type > HEARTBEAT) throw foreign(bytes.subarray(at, end));
  if (bytes[end - 1] === FRAME_END) return;
  const octet = (bytes[end - 1] as number).toString(16).padStart(2, "0");
  throw violation(FRAME_ERROR, `FRAME_ERROR - frame of type ${type} ends with 0x${octet}, not 0xce`);
}

export function frameChannel(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

/** Begins a frame and returns the mark for `endFrame`. Nothing else may be written or taken in between. */
export function beginFrame(writer: Writer, type: number, channel: number): number {
  writer.reserve(FRAME_HEADER_BYTES);
  const { bytes, at } = writer;
  bytes[at] = type;
  bytes[at + 1] = channel >>> 8;
  bytes[at + 2] = channel;
  writer.at = at + FRAME_HEADER_BYTES;
  return at - writer.from;
}

export function endFrame(writer: Writer, mark: number): void {
  writer.reserve(1);
  const start = writer.from + mark;
  setLong(writer.bytes, start + 3, writer.at - start - FRAME_HEADER_BYTES);
  writer.bytes[writer.at++] = FRAME_END;
}

/** Removes what has been written since `beginFrame`. */
export function removeFrame(writer: Writer, mark: number): void {
  writer.at = writer.from + mark;
}

function payloadSize(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at + 3] as number) << 24) | ((bytes[at + 4] as number) << 16);
  return (high | ((bytes[at + 5] as number) << 8) | (bytes[at + 6] as number)) >>> 0;
}

function foreign(bytes: Uint8Array): Error {
  const protocol = describeProtocol(bytes);
  if (protocol === PROTOCOL)
    return violation(UNEXPECTED_FRAME, "UNEXPECTED_FRAME - the peer answers with a protocol header");
  return violation(NOT_IMPLEMENTED, `the peer speaks ${protocol}, not ${PROTOCOL}${HINTS[protocol] ?? ""}`);
}

/** The likely mistake, by the protocol of the peer. */
const HINTS: Readonly<Record<string, string>> = {
  TLS: ": use ?ssl=true (relay: --to-tls)",
  "AMQP 1.0 with SASL": ": use amqp:// or amqp+ws://",
};
