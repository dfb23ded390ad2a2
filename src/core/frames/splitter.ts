import { ProtocolError } from "../errors.js";
import { DESCRIBED, SMALLULONG } from "../types/codes.js";

/** Length of a frame header: size, data offset, type and channel (transport 2.3.1). */
const HEADER_BYTES = 8;
/** Length of the size, the first field of the header. */
const SIZE_BYTES = 4;
/** The first four bytes of a protocol header, "AMQP", read as a frame size. */
const PROTOCOL = 0x41_4d_51_50;
const PROTOCOL_HEADER_BYTES = 8;
const NOTHING = new Uint8Array(0);

/** Handles one whole frame: bytes [at, end), with its header. Returns false to stop, after the end of the connection. */
export type FrameHandler = (bytes: Uint8Array, at: number, end: number) => boolean;

/**
 * Splits a byte stream into frames. A frame that arrives in pieces is copied into memory of its own, so that a piece does
 * not keep the whole buffer of the socket alive.
 */
export class FrameSplitter {
  /** Largest frame that is accepted, in bytes. */
  maxFrameBytes: number;
  /** Bytes at the start of a frame that contain its size. */
  protected readonly headBytes: number = SIZE_BYTES;
  readonly #onFrame: FrameHandler;
  readonly #protocolHeaders: boolean;
  /** The beginning of a frame, with room for the whole frame, or for its size while that is unknown. */
  #started: Uint8Array = NOTHING;
  #have = 0;

  /** `protocolHeaders`: accept protocol headers between frames and pass them to `onFrame`. Default: false. */
  constructor(maxFrameBytes: number, onFrame: FrameHandler, { protocolHeaders = false } = {}) {
    this.maxFrameBytes = maxFrameBytes;
    this.#onFrame = onFrame;
    this.#protocolHeaders = protocolHeaders;
  }

  /**
   * Receives the next bytes of the stream.
   *
   * @throws ProtocolError when a frame is smaller than its header or larger than the announced maximum.
   */
  receive(bytes: Uint8Array): void {
    const end = bytes.length;
    let at = this.#have === 0 ? 0 : this.#complete(bytes);
    while (at < end) {
      const size = end - at < this.headBytes ? this.headBytes : this.frameSize(bytes, at);
      if (end - at < size) {
        this.#started = new Uint8Array(size);
        this.#started.set(bytes.subarray(at));
        this.#have = end - at;
        return;
      }
      if (!this.#onFrame(bytes, at, at + size)) return;
      at += size;
    }
  }

  /**
   * Continues an incomplete frame. Returns the position after it: the end when it is still incomplete or `onFrame`
   * stopped.
   */
  #complete(bytes: Uint8Array): number {
    let at = 0;
    for (;;) {
      const piece = bytes.subarray(at, at + this.#started.length - this.#have);
      this.#started.set(piece, this.#have);
      this.#have += piece.length;
      at += piece.length;
      if (this.#have < this.#started.length) return bytes.length;
      const started = this.#started;
      if (started.length > this.headBytes) {
        this.#started = NOTHING;
        this.#have = 0;
        return this.#onFrame(started, 0, started.length) ? at : bytes.length;
      }
      this.#started = new Uint8Array(this.frameSize(started, 0));
      this.#started.set(started);
    }
  }

  /** The size of the frame that begins at `at`. */
  protected frameSize(bytes: Uint8Array, at: number): number {
    const size = readUint32(bytes, at);
    if (size >= HEADER_BYTES && size <= this.maxFrameBytes) return size;
    if (size === PROTOCOL && this.#protocolHeaders) return PROTOCOL_HEADER_BYTES;
    throw new ProtocolError(
      `frame of ${size} bytes, must be ${HEADER_BYTES} to ${this.maxFrameBytes}`,
      "amqp:connection:framing-error",
    );
  }
}

/** Head of an AMQP frame. */
export interface FrameHead {
  channel: number;
  /** The performative's descriptor if it is encoded as a smallulong, as almost all peers do; -1 otherwise. */
  code: number;
  /** Position of the performative; equal to the frame's end for an empty frame, a heartbeat. */
  body: number;
}

/**
 * Reads the head of an AMQP frame into `into`.
 *
 * @throws ProtocolError when the data offset or the type is invalid.
 */
export function readFrameHead(bytes: Uint8Array, at: number, end: number, into: FrameHead): void {
  const body = at + (bytes[at + 4] ?? 0) * 4;
  if (body < at + HEADER_BYTES || body > end) {
    throw new ProtocolError(
      `invalid data offset of ${bytes[at + 4]} words in frame header`,
      "amqp:connection:framing-error",
    );
  }
  if (bytes[at + 5] !== 0) {
    throw new ProtocolError(
      `unsupported frame type ${bytes[at + 5]}, must be 0 (AMQP)`,
      "amqp:connection:framing-error",
    );
  }
  into.channel = ((bytes[at + 6] ?? 0) << 8) | (bytes[at + 7] ?? 0);
  into.body = body;
  into.code =
    body + 2 < end && bytes[body] === DESCRIBED && bytes[body + 1] === SMALLULONG ? (bytes[body + 2] ?? -1) : -1;
}

function readUint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return ((high << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}
