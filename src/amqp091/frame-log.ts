import { toError } from "../core/errors.js";
import type { Frame, FrameFormat } from "../core/frames/frame-log.js";
import { describeProtocol } from "../core/sasl/sasl.js";
import { toHex } from "../core/types/bytes.js";
import { readUtf8 } from "../core/types/utf8.js";
import {
  BODY,
  checkFrame,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
  FrameSplitter,
  frameChannel,
  HEADER,
  HEARTBEAT,
  PROTOCOL_HEADER,
} from "./frames.js";
import { FRAME_MAX } from "./handshake.js";
import { readMethod } from "./method-codec.js";
import { readProperties } from "./properties.js";
import { Reader } from "./reader.js";

/** Fields that are omitted: secrets, and reserved ones. */
const OMITTED = /^(response|challenge|newSecret|reserved\d)$/;

export const AMQP091_FRAMES: FrameFormat = {
  splitter: (onFrame) => new FrameSplitter(FRAME_MAX, onFrame),
  describe: describeFrame,
};

/**
 * Describes one whole frame, or a protocol header. The `performative` is the name of the method, such as `basic.publish`;
 * `content-header`, `content-body`, `heartbeat`, `header` for a protocol header, or `unreadable`. Never throws.
 */
export function describeFrame(direction: Frame["direction"], frame: Uint8Array): Frame {
  const bytes = frame.length;
  if (frame[0] === PROTOCOL_HEADER[0]) {
    return { direction, channel: 0, performative: "header", fields: { protocol: describeProtocol(frame) }, bytes };
  }
  const channel = frameChannel(frame, 0);
  try {
    return { direction, channel, ...read(frame), bytes };
  } catch (thrown) {
    return { direction, channel, performative: "unreadable", fields: { reason: toError(thrown).message }, bytes };
  }
}

function read(frame: Uint8Array): { performative: string; fields: object } {
  checkFrame(frame, 0, frame.length);
  const reader = new Reader(frame, FRAME_HEADER_BYTES, frame.length - 1);
  switch (frame[0]) {
    case HEARTBEAT:
      return { performative: "heartbeat", fields: {} };
    case BODY:
      return { performative: "content-body", fields: { payloadBytes: frame.length - FRAME_OVERHEAD_BYTES } };
    case HEADER: {
      reader.skip(4);
      const bodySize = reader.longlong();
      return { performative: "content-header", fields: { bodySize, ...present(readProperties(reader)) } };
    }
    default: {
      const { method, fields } = readMethod(reader);
      return { performative: method.name, fields: present(fields) };
    }
  }
}

function present(fields: object): object {
  const entries = Object.entries(fields).filter(([name, value]) => value !== undefined && !OMITTED.test(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, forJson(value)]));
}

function forJson(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return readUtf8(value, 0, value.length) ?? `0x${toHex(value)}`;
  if (value instanceof Date) return value.toJSON();
  if (Array.isArray(value)) return value.map(forJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, forJson(item)]));
}
