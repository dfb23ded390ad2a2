import type { Socket } from "../byte-stream.js";
import { describeProtocol } from "../sasl/sasl.js";
import { concat } from "../types/bytes.js";
import { describeFrame, type Frame } from "./frame-log.js";

const HEADER_BYTES = 8;
/** A larger one is no frame; the connection says so, the tap only stops looking. */
const MAX_FRAME_BYTES = 1024 * 1024;

export type OnFrame = (frame: Frame) => void;

/** Looks at one direction of a connection's bytes as they pass, and tells each protocol header and each frame. */
export class FrameTap {
  readonly #direction: Frame["direction"];
  readonly #onFrame: OnFrame;
  #rest: Uint8Array = new Uint8Array(0);
  #blind = false;

  constructor(direction: Frame["direction"], onFrame: OnFrame) {
    this.#direction = direction;
    this.#onFrame = onFrame;
  }

  pass(bytes: Uint8Array): void {
    if (this.#blind) return;
    let rest = this.#rest.length === 0 ? bytes : concat([this.#rest, bytes], this.#rest.length + bytes.length);
    for (;;) {
      if (rest.length < HEADER_BYTES) break;
      const size = sizeOf(rest);
      if (size < HEADER_BYTES || size > MAX_FRAME_BYTES) {
        this.#blind = true;
        return;
      }
      if (rest.length < size) break;
      this.#tell(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
    this.#rest = rest;
  }

  #tell(bytes: Uint8Array): void {
    if (bytes[0] !== 0x41) return this.#onFrame(describeFrame(this.#direction, bytes));
    const fields = { protocol: describeProtocol(bytes) };
    this.#onFrame({ direction: this.#direction, channel: 0, performative: "header", fields, bytes: bytes.length });
  }
}

/** The same socket, with what is sent passing `tap`. */
export function tapped(socket: Socket, tap: FrameTap): Socket {
  return {
    id: socket.id,
    encrypted: socket.encrypted,
    get buffered() {
      return socket.buffered;
    },
    send(bytes) {
      tap.pass(bytes);
      return socket.send(bytes);
    },
    close: () => socket.close(),
  };
}

function sizeOf(bytes: Uint8Array): number {
  if (bytes[0] === 0x41) return HEADER_BYTES; // "AMQP"
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
