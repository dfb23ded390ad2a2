import rheaFrames from "rhea/lib/frames.js";
import type { Dial } from "@/src/core/byte-stream.js";

/** A message as it left: whether its transfer was settled, and the encoded message. */
export interface SentMessage {
  settled: boolean;
  payload: Uint8Array;
}

/** The same dial, but every message that goes out by its streams is told, once it is complete. Frames are read by rhea's codec. */
export function tapped(dial: Dial, onMessage: (message: SentMessage) => void): Dial {
  return async (to, on, signal) => {
    const socket = await dial(to, on, signal);
    const tap = new Tap(onMessage);
    return {
      id: socket.id,
      encrypted: socket.encrypted,
      get buffered() {
        return socket.buffered;
      },
      send: (bytes) => {
        tap.push(bytes);
        return socket.send(bytes);
      },
      close: () => socket.close(),
    };
  };
}

/** The fields of a transfer that matter here (transport 2.7.5). Only the first one of a message says whether it is settled. */
interface Transfer {
  handle: number;
  settled?: boolean | null;
  more?: boolean | null;
}

const HEADER_BYTES = 8;
/** Of a frame whose header has no extension: 8 bytes, then the small ulong 0x14 as the performative's descriptor. */
const TRANSFER_START = [0x00, 0x53, 0x14];

class Tap {
  readonly #onMessage: (message: SentMessage) => void;
  /** By channel and handle: what has come of a message whose transfers are not complete. */
  readonly #partial = new Map<string, { settled: boolean; payloads: Uint8Array[] }>();
  #pending = Buffer.alloc(0);

  constructor(onMessage: (message: SentMessage) => void) {
    this.#onMessage = onMessage;
  }

  push(bytes: Uint8Array): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    while (this.#pending.length >= HEADER_BYTES) {
      const isHeader = this.#pending.subarray(0, 4).equals(Buffer.from("AMQP"));
      const size = isHeader ? HEADER_BYTES : this.#pending.readUInt32BE(0);
      if (this.#pending.length < size) return;
      const frame = this.#pending.subarray(0, size);
      this.#pending = this.#pending.subarray(size);
      if (!isHeader && TRANSFER_START.every((byte, index) => frame[HEADER_BYTES + index] === byte))
        this.#transfer(frame);
    }
  }

  #transfer(frame: Buffer): void {
    const { channel, performative, payload = Buffer.alloc(0) } = rheaFrames.read_frame(frame);
    const { handle, settled, more } = performative as Transfer;
    const link = `${channel} ${handle}`;
    const partial = this.#partial.get(link) ?? { settled: settled === true, payloads: [] };
    partial.payloads.push(payload);
    this.#partial.set(link, partial);
    if (more === true) return;
    this.#partial.delete(link);
    this.#onMessage({ settled: partial.settled, payload: Buffer.concat(partial.payloads) });
  }
}
