import { ProtocolError } from "../errors.js";
import { DESCRIBED, SMALLULONG } from "../types/codes.js";

/** The frame header's own bytes: size, data offset, type, channel (transport 2.3.1). */
const HEADER_BYTES = 8;
/** The size comes first. */
const SIZE_BYTES = 4;
/** "AMQP", with which a protocol header begins, read as a size. */
const PROTOCOL = 0x41_4d_51_50;
const PROTOCOL_HEADER_BYTES = 8;
const NOTHING = new Uint8Array(0);

/** Takes one whole frame: bytes [at, end), header included. False stops: the connection is over. */
export type FrameHandler = (bytes: Uint8Array, at: number, end: number) => boolean;

/**
 * Cuts a byte stream into frames. A size is believed only if it is at least a header's and at most what we announced.
 * A frame that comes in pieces is put together in memory of its own, so that no piece keeps what the socket read with it.
 */
export class FrameSplitter {
  readonly #maxFrameBytes: number;
  readonly #onFrame: FrameHandler;
  readonly #protocolHeaders: boolean;
  /** The beginning of a frame, with room for all of it, or for its size while that is not known. */
  #started: Uint8Array = NOTHING;
  #have = 0;

  /** `protocolHeaders`: protocol headers may stand between frames, and are passed to `onFrame` like frames. */
  constructor(maxFrameBytes: number, onFrame: FrameHandler, { protocolHeaders = false } = {}) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#onFrame = onFrame;
    this.#protocolHeaders = protocolHeaders;
  }

  /** Throws ProtocolError for a size that cannot be. */
  receive(bytes: Uint8Array): void {
    const at = this.#have === 0 ? 0 : this.#complete(bytes);
    if (at !== undefined) this.#split(bytes, at);
  }

  /** Goes on with the frame that has begun. Gives where the next one begins; undefined: there is none. */
  #complete(bytes: Uint8Array): number | undefined {
    let at = 0;
    for (;;) {
      const piece = bytes.subarray(at, at + this.#started.length - this.#have);
      this.#started.set(piece, this.#have);
      this.#have += piece.length;
      at += piece.length;
      if (this.#have < this.#started.length) return undefined;
      const started = this.#started;
      if (started.length > SIZE_BYTES) {
        this.#started = NOTHING;
        this.#have = 0;
        return this.#onFrame(started, 0, started.length) ? at : undefined;
      }
      this.#started = new Uint8Array(this.#frameSize(started, 0));
      this.#started.set(started);
    }
  }

  #split(bytes: Uint8Array, start: number): void {
    const end = bytes.length;
    let at = start;
    while (at < end) {
      const size = end - at < SIZE_BYTES ? SIZE_BYTES : this.#frameSize(bytes, at);
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

  #frameSize(bytes: Uint8Array, at: number): number {
    const size = readUint32(bytes, at);
    if (size >= HEADER_BYTES && size <= this.#maxFrameBytes) return size;
    if (size === PROTOCOL && this.#protocolHeaders) return PROTOCOL_HEADER_BYTES;
    throw new ProtocolError(
      `frame of ${size} bytes; at least ${HEADER_BYTES} and at most ${this.#maxFrameBytes} were expected`,
      "amqp:connection:framing-error",
    );
  }
}

/** What of a frame says where it belongs. */
export interface FrameHead {
  channel: number;
  /** The performative's descriptor when it is a small number, as all but the strangest peers write it; -1 otherwise. */
  code: number;
  /** Where the performative starts; equal to the frame's end in an empty frame, a heartbeat. */
  body: number;
}

/** Reads the head of an AMQP frame into `into`. */
export function readFrameHead(bytes: Uint8Array, at: number, end: number, into: FrameHead): void {
  const body = at + (bytes[at + 4] ?? 0) * 4;
  if (body < at + HEADER_BYTES || body > end) {
    throw new ProtocolError(`frame with a data offset of ${bytes[at + 4]} words`, "amqp:connection:framing-error");
  }
  if (bytes[at + 5] !== 0) {
    throw new ProtocolError(`frame of type ${bytes[at + 5]}, not AMQP`, "amqp:connection:framing-error");
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
