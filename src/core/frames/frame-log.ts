import { ProtocolError, toError } from "../errors.js";
import { describeProtocol } from "../sasl/sasl.js";
import { toHex } from "../types/bytes.js";
import {
  ACCEPTED_STATE,
  ATTACH,
  BEGIN,
  CLOSE,
  DETACH,
  DISPOSITION,
  descriptorCode,
  descriptorName,
  END,
  ERROR,
  FLOW,
  MODIFIED_STATE,
  OPEN,
  RECEIVED_STATE,
  REJECTED_STATE,
  RELEASED_STATE,
  SASL_CHALLENGE,
  SASL_INIT,
  SASL_MECHANISMS,
  SASL_OUTCOME,
  SASL_RESPONSE,
  SOURCE,
  TARGET,
  TRANSFER,
} from "../types/descriptors.js";
import { Reader } from "../types/reader.js";
import { readUtf8 } from "../types/utf8.js";
import { Uuid } from "../types/uuid.js";
import { Described } from "../types/value.js";
import { type FrameHandler, FrameSplitter } from "./splitter.js";

/** Description of a frame that was sent or received, for logs and debugging. */
export interface Frame {
  /** `in`: from the peer; `out`: to the peer. */
  direction: "in" | "out";
  /** Channel of the session; 0 for frames of the connection. */
  channel: number;
  /**
   * AMQP's name, such as `open`, `transfer` or `sasl-init`; `header` for a protocol header, `heartbeat` for an empty
   * frame, `unreadable` for an invalid one. Over AMQP 0-9-1 it is the method, such as `basic.publish` or
   * `connection.start-ok`, `content-header` or `content-body` for a message, and `header`, `heartbeat` or `unreadable`.
   */
  performative: string;
  /**
   * Fields by AMQP's names in camelCase, as values that JSON can represent. Null fields are omitted, and so are all SASL
   * data except mechanism names, host name and outcome code. A transfer also has `payloadBytes`, a header `protocol`; an
   * unreadable frame has only `reason`. Over AMQP 0-9-1 reserved fields are omitted, a `content-header` has `bodySize` and
   * the properties of the message, and a `content-body` has `payloadBytes`.
   */
  fields: object;
  /** Size of the whole frame in bytes. */
  bytes: number;
}

/** How the frames of a protocol are found and described. */
export interface FrameFormat {
  /** Returns a splitter that passes each frame and each protocol header to `onFrame`. */
  splitter(onFrame: FrameHandler): { receive(bytes: Uint8Array): void };
  /** Describes a whole frame or a protocol header. Never throws. */
  describe(direction: Frame["direction"], bytes: Uint8Array): Frame;
}

const HEADER_BYTES = 8;

/** Largest frame that is reported, in bytes. */
const MAX_FRAME_BYTES = 1024 * 1024;

/** The first byte of a protocol header. A frame up to `MAX_FRAME_BYTES` begins with 0. */
const LETTER_A = 0x41;

export const AMQP10_FRAMES: FrameFormat = {
  splitter: (onFrame) => new FrameSplitter(MAX_FRAME_BYTES, onFrame, { protocolHeaders: true }),
  describe: describeFrame,
};

/** Field names by descriptor. A field called `-` is secret and is omitted. */
const FIELDS: ReadonlyMap<number, string> = new Map([
  [
    OPEN,
    "containerId hostname maxFrameSize channelMax idleTimeOut outgoingLocales incomingLocales offeredCapabilities desiredCapabilities properties",
  ],
  [
    BEGIN,
    "remoteChannel nextOutgoingId incomingWindow outgoingWindow handleMax offeredCapabilities desiredCapabilities properties",
  ],
  [
    ATTACH,
    "name handle role sndSettleMode rcvSettleMode source target unsettled incompleteUnsettled initialDeliveryCount maxMessageSize offeredCapabilities desiredCapabilities properties",
  ],
  [
    FLOW,
    "nextIncomingId incomingWindow nextOutgoingId outgoingWindow handle deliveryCount linkCredit available drain echo properties",
  ],
  [TRANSFER, "handle deliveryId deliveryTag messageFormat settled more rcvSettleMode state resume aborted batchable"],
  [DISPOSITION, "role first last settled state batchable"],
  [DETACH, "handle closed error"],
  [END, "error"],
  [CLOSE, "error"],
  [ERROR, "condition description info"],
  [RECEIVED_STATE, "sectionNumber sectionOffset"],
  [ACCEPTED_STATE, ""],
  [REJECTED_STATE, "error"],
  [RELEASED_STATE, ""],
  [MODIFIED_STATE, "deliveryFailed undeliverableHere messageAnnotations"],
  [
    SOURCE,
    "address durable expiryPolicy timeout dynamic dynamicNodeProperties distributionMode filter defaultOutcome outcomes capabilities",
  ],
  [TARGET, "address durable expiryPolicy timeout dynamic dynamicNodeProperties capabilities"],
  [SASL_MECHANISMS, "saslServerMechanisms"],
  [SASL_INIT, "mechanism - hostname"],
  [SASL_CHALLENGE, "-"],
  [SASL_RESPONSE, "-"],
  [SASL_OUTCOME, "code -"],
]);

/** Describes a whole frame or a protocol header. Never throws: an invalid frame is described as `unreadable`. */
export function describeFrame(direction: "in" | "out", frame: Uint8Array): Frame {
  const channel = frame[5] === 0 ? ((frame[6] ?? 0) << 8) | (frame[7] ?? 0) : 0;
  try {
    return { direction, channel, ...read(frame), bytes: frame.length };
  } catch (thrown) {
    const fields = { reason: toError(thrown).message };
    return { direction, channel, performative: "unreadable", fields, bytes: frame.length };
  }
}

function read(frame: Uint8Array): Pick<Frame, "performative" | "fields"> & Partial<Frame> {
  if (frame[0] === LETTER_A)
    return { channel: 0, performative: "header", fields: { protocol: describeProtocol(frame) } };
  const body = (frame[4] ?? 0) * 4;
  const type = frame[5] ?? 0;
  if (frame.length < HEADER_BYTES || body < HEADER_BYTES || body > frame.length || type > 1) {
    throw new ProtocolError("invalid frame header");
  }
  if (body === frame.length) return { performative: "heartbeat", fields: {} };
  const reader = new Reader(frame, body);
  const code = reader.described();
  const value = reader.value();
  const performative =
    code <= CLOSE || (code >= SASL_MECHANISMS && code <= SASL_OUTCOME) ? descriptorName(code) : undefined;
  if (performative === undefined || !Array.isArray(value)) {
    throw new ProtocolError(`unknown performative 0x${code.toString(16)}`);
  }
  const fields = named(code, value);
  return { performative, fields: code === TRANSFER ? { ...fields, payloadBytes: reader.end - reader.at } : fields };
}

function named(code: number, values: readonly unknown[]): object {
  const names = FIELDS.get(code)?.match(/\S+/g) ?? [];
  const present = names.flatMap((name, index) => {
    const value = values[index] ?? undefined;
    return name === "-" || value === undefined ? [] : [[name, forJson(value)]];
  });
  return Object.fromEntries(present);
}

function forJson(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (ArrayBuffer.isView(value)) return textOf(value as Uint8Array);
  if (value instanceof Uuid) return value.toString();
  if (Array.isArray(value)) return value.map(forJson);
  if (value instanceof Map) {
    return Object.fromEntries(Array.from(value, ([key, item]) => [String(forJson(key)), forJson(item)]));
  }
  if (value instanceof Described) return describedForJson(value);
  return value;
}

/** An outcome, a source, a target or an error becomes its name as `type` with its fields. */
function describedForJson({ descriptor, value }: Described): object {
  const code = typeof descriptor === "string" ? descriptorCode(descriptor) : Number(descriptor);
  if (code === undefined || !FIELDS.has(code) || !Array.isArray(value)) {
    return { descriptor: forJson(descriptor), value: forJson(value) };
  }
  return { type: descriptorName(code), ...named(code, value) };
}

/** Binary as text when it is printable ASCII, as most tags and names are; otherwise as hexadecimal digits. */
function textOf(bytes: Uint8Array): string {
  const text = bytes.every((byte) => byte >= 0x20 && byte < 0x7f) ? readUtf8(bytes, 0, bytes.length) : undefined;
  return text ?? `0x${toHex(bytes)}`;
}
