import type { Socket } from "../byte-stream.js";
import { ProtocolError, toError } from "../errors.js";
import type { Logger } from "../logger.js";
import { describeProtocol } from "../sasl/sasl.js";
import { describeFrame, type Frame } from "./frame-log.js";
import { FrameSplitter } from "./splitter.js";

/** Largest frame that is reported, in bytes. */
const MAX_FRAME_BYTES = 1024 * 1024;

/** The first byte of a protocol header. A frame up to `MAX_FRAME_BYTES` begins with 0. */
const LETTER_A = 0x41;

/** Called for each frame and each protocol header. */
export type OnFrame = (frame: Frame) => void;

/**
 * Reports each protocol header and each frame in one direction of a connection. After an invalid frame size it reports
 * nothing more; the connection itself handles the error.
 */
export class FrameTap implements Tap {
  readonly #direction: Frame["direction"];
  readonly #onFrame: OnFrame;
  readonly #splitter = new FrameSplitter(MAX_FRAME_BYTES, (bytes, at, end) => this.#report(bytes.subarray(at, end)), {
    protocolHeaders: true,
  });
  #stopped = false;

  constructor(direction: Frame["direction"], onFrame: OnFrame) {
    this.#direction = direction;
    this.#onFrame = onFrame;
  }

  /** Observes the next bytes of the stream. */
  pass(bytes: Uint8Array): void {
    if (this.#stopped) return;
    try {
      this.#splitter.receive(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#stopped = true;
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

/** Observes the bytes of one direction of a stream. */
export interface Tap {
  pass(bytes: Uint8Array): void;
}

/** Wraps a socket so that `tap` observes the bytes that are sent. */
export function tapped(socket: Socket, tap: Tap): Socket {
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

/** Logs what `onFrame` throws: it must not break the connection. */
export function watcher(onFrame: OnFrame, logger: Logger): OnFrame {
  return (frame) => {
    try {
      onFrame(frame);
    } catch (thrown) {
      const error = toError(thrown);
      logger.error(`onFrame threw ${error.stack ?? error.message}`);
    }
  };
}
