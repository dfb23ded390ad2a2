import type { Writer } from "../core/types/writer.js";
import { setLong } from "./encoding.js";
import { FRAME_END, METHOD } from "./frames.js";
import { BASIC_ACK, BASIC_REJECT } from "./methods.js";

/** Size of a frame of basic.ack or basic.reject: header, method, delivery tag, one octet of bits, end. */
const FRAME_BYTES = 21;
const PAYLOAD_BYTES = 13;

/** Writes a basic.ack frame for one delivery. */
export function writeAck(writer: Writer, channel: number, deliveryTag: number): void {
  writeSettlement(writer, channel, BASIC_ACK, deliveryTag, 0);
}

export function writeReject(writer: Writer, channel: number, deliveryTag: number, requeue: boolean): void {
  writeSettlement(writer, channel, BASIC_REJECT, deliveryTag, requeue ? 1 : 0);
}

function writeSettlement(writer: Writer, channel: number, method: number, deliveryTag: number, bits: number): void {
  writer.reserve(FRAME_BYTES);
  const { bytes, at } = writer;
  bytes[at] = METHOD;
  bytes[at + 1] = channel >>> 8;
  bytes[at + 2] = channel;
  setLong(bytes, at + 3, PAYLOAD_BYTES);
  setLong(bytes, at + 7, method);
  setLong(bytes, at + 11, Math.floor(deliveryTag / 0x1_0000_0000));
  setLong(bytes, at + 15, deliveryTag);
  bytes[at + 19] = bits;
  bytes[at + 20] = FRAME_END;
  writer.at = at + FRAME_BYTES;
}
