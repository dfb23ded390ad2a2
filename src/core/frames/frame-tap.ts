import type { Socket } from "../byte-stream.js";
import { ProtocolError } from "../errors.js";
import { describeProtocol } from "../sasl/sasl.js";
import { describeFrame, type Frame } from "./frame-log.js";
import { FrameSplitter } from "./splitter.js";

/** At a larger frame, which the connection refuses, the tap stops looking. */
const MAX_FRAME_BYTES = 1024 * 1024;

/** A protocol header begins with "AMQP"; the first byte of a frame, that of its size, is 0 here. */
const LETTER_A = 0x41;

export type OnFrame = (frame: Frame) => void;

/** Looks at one direction of a connection's bytes as they pass, and tells each protocol header and each frame. */
export class FrameTap {
  readonly #direction: Frame["direction"];
  readonly #onFrame: OnFrame;
  readonly #splitter = new FrameSplitter(MAX_FRAME_BYTES, (bytes, at, end) => this.#report(bytes.subarray(at, end)), {
    protocolHeaders: true,
  });
  #blind = false;

  constructor(direction: Frame["direction"], onFrame: OnFrame) {
    this.#direction = direction;
    this.#onFrame = onFrame;
  }

  pass(bytes: Uint8Array): void {
    if (this.#blind) return;
    try {
      this.#splitter.receive(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#blind = true;
    }
  }

  #report(bytes: Uint8Array): true {
    const direction = this.#direction;
    if (bytes[0] === LETTER_A) {
      const fields = { protocol: describeProtocol(bytes) };
      this.#onFrame({ direction, channel: 0, performative: "header", fields, bytes: bytes.length });
    } else {
      this.#onFrame(describeFrame(direction, bytes));
    }
    return true;
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
