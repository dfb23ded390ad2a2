import { toError } from "../core/errors.js";
import type { Output } from "../core/links/output.js";
import { writeLong, writeLonglong, writeOctet, writeShort, writeShortstr } from "./encoding.js";
import { BODY, beginFrame, endFrame, FRAME_OVERHEAD_BYTES, HEADER, METHOD, removeFrame } from "./frames.js";
import { BASIC, BASIC_PUBLISH } from "./methods.js";
import { type Properties, type ReceivedProperties, readProperties, writeProperties } from "./properties.js";
import type { Reader } from "./reader.js";
import { FRAME_ERROR, UNEXPECTED_FRAME } from "./reply-codes.js";
import { violation } from "./violation.js";

/** A message to publish. */
export interface PublishedMessage {
  /** Empty: the default exchange, which routes to the queue named by the routing key. */
  readonly exchange: string;
  readonly routingKey: string;
  /** Return the message if it cannot be routed. Default: the broker drops it. */
  readonly mandatory?: boolean | undefined;
  readonly properties: Properties;
  /** Must not be changed until the message is confirmed. */
  readonly body: Uint8Array;
}

/** Largest body that RabbitMQ can be configured to accept. Larger ones, which would be skipped for ever, are violations. */
const MAX_BODY_BYTES = 512 * 1024 * 1024;

const NOTHING = new Uint8Array(0);

/**
 * Writes basic.publish, the content header and the body.
 *
 * @throws RangeError when a name, a property or all properties together are too large. Nothing is written then.
 */
export function writePublish(output: Output, channel: number, message: PublishedMessage, maxFrameBytes: number): void {
  const { writer } = output;
  const { exchange, routingKey, mandatory, properties, body } = message;
  const start = beginFrame(writer, METHOD, channel);
  try {
    writeLong(writer, "method", BASIC_PUBLISH);
    writeShort(writer, "reserved1", 0);
    writeShortstr(writer, "exchange", exchange);
    writeShortstr(writer, "routingKey", routingKey);
    writeOctet(writer, "mandatory", mandatory ? 1 : 0);
    endFrame(writer, start);
    const header = beginFrame(writer, HEADER, channel);
    writeShort(writer, "class", BASIC);
    writeShort(writer, "weight", 0);
    writeLonglong(writer, "bodySize", body.length);
    writeProperties(writer, properties);
    endFrame(writer, header);
    const size = writer.at - writer.from - header;
    if (size > maxFrameBytes) throw new RangeError(`properties in a frame of ${size} bytes, at most ${maxFrameBytes}`);
  } catch (thrown) {
    removeFrame(writer, start);
    throw thrown;
  }
  const most = maxFrameBytes - FRAME_OVERHEAD_BYTES;
  for (let at = 0; at < body.length; at += most) {
    if (at > 0) output.wrote();
    const frame = beginFrame(writer, BODY, channel);
    writer.append(body.length <= most ? body : body.subarray(at, at + most));
    endFrame(writer, frame);
  }
  output.wrote();
}

/** Handles a complete content. `body` is undefined when it was refused, for the reason `refusal`; `tail` has its last bytes then. */
export type OnContent<M> = (
  method: M,
  properties: ReceivedProperties | undefined,
  body: Uint8Array | undefined,
  size: number,
  refusal: string,
  tail: Uint8Array,
) => void;

/** Bytes that are kept of the end of a refused body. */
const TAIL_BYTES = 512;

/**
 * Joins the frames of a message: a method, the content header and the body. A message that is too large, or whose
 * properties are invalid, is skipped: only the end of its body is kept, and it does not end the connection.
 */
export class ContentAssembly<M> {
  readonly #maxBytes: number;
  readonly #onContent: OnContent<M>;
  #method: M | undefined;
  #properties: ReceivedProperties | undefined;
  /** -1 until the content header has arrived. */
  #size = -1;
  #received = 0;
  #body: Uint8Array | undefined;
  #refusal = "";
  /** The last bytes of a refused body. */
  #tail: Uint8Array = NOTHING;

  constructor(maxBytes: number, onContent: OnContent<M>) {
    this.#maxBytes = maxBytes;
    this.#onContent = onContent;
  }

  get isComplete(): boolean {
    return this.#method === undefined;
  }

  begin(method: M): void {
    this.#method = method;
    this.#properties = undefined;
    this.#size = -1;
    this.#received = 0;
    this.#body = undefined;
    this.#refusal = "";
    this.#tail = NOTHING;
  }

  /** @throws Amqp091Error when no header is expected here, or its size is absurd. */
  onHeader(reader: Reader): void {
    if (this.#method === undefined || this.#size >= 0) throw unexpected("content header");
    const classId = reader.short();
    if (classId !== BASIC)
      throw violation(FRAME_ERROR, `FRAME_ERROR - content header of class ${classId}, not ${BASIC}`);
    reader.skip(2);
    this.#size = reader.longlong();
    if (this.#size > MAX_BODY_BYTES)
      throw violation(FRAME_ERROR, `FRAME_ERROR - body of ${this.#size} bytes announced`);
    try {
      this.#properties = readProperties(reader);
    } catch (thrown) {
      this.#refusal = `invalid properties: ${toError(thrown).message}`;
    }
    if (this.#size > this.#maxBytes) {
      this.#refusal = `message of ${this.#size} bytes exceeds the limit of ${this.#maxBytes} bytes, maxMessageBytes`;
    }
    if (this.#size === 0) this.#complete(NOTHING);
  }

  /**
   * Handles a body frame's payload, bytes [at, end).
   *
   * @throws Amqp091Error when no body is expected here, or it exceeds its announced size.
   */
  onBody(bytes: Uint8Array, at: number, end: number): void {
    if (this.#method === undefined || this.#size < 0) throw unexpected("content body");
    const length = end - at;
    const received = this.#received + length;
    if (received > this.#size) {
      throw violation(FRAME_ERROR, `FRAME_ERROR - body of ${received} bytes, ${this.#size} announced`);
    }
    const isWhole = length === this.#size;
    if (this.#refusal !== "") {
      this.#tail = tailOf(this.#tail, bytes.subarray(at, end));
    } else if (!isWhole) {
      this.#body ??= new Uint8Array(this.#size);
      this.#body.set(bytes.subarray(at, end), this.#received);
    }
    this.#received = received;
    if (received === this.#size) this.#complete(isWhole ? bytes.subarray(at, end) : this.#body);
  }

  #complete(body: Uint8Array | undefined): void {
    const method = this.#method as M;
    const properties = this.#properties;
    const refusal = this.#refusal;
    const tail = this.#tail;
    this.#method = undefined;
    this.#properties = undefined;
    this.#body = undefined;
    this.#tail = NOTHING;
    this.#onContent(method, properties, refusal === "" ? body : undefined, this.#size, refusal, tail);
  }
}

/** The last bytes of `before` and `piece`, copied. */
function tailOf(before: Uint8Array, piece: Uint8Array): Uint8Array {
  if (piece.length >= TAIL_BYTES) return piece.slice(-TAIL_BYTES);
  const kept = before.subarray(-(TAIL_BYTES - piece.length));
  const tail = new Uint8Array(kept.length + piece.length);
  tail.set(kept);
  tail.set(piece, kept.length);
  return tail;
}

function unexpected(frame: string): Error {
  return violation(UNEXPECTED_FRAME, `UNEXPECTED_FRAME - ${frame} without the frame that precedes it`);
}
