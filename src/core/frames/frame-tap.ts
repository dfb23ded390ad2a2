import type { Socket } from "../byte-stream.js";
import { toError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { Frame, FrameFormat } from "./frame-log.js";

/** Called for each frame and each protocol header. */
export type OnFrame = (frame: Frame) => void;

/**
 * Reports each protocol header and each frame in one direction of a connection. After an invalid frame size it reports
 * nothing more; the connection itself handles the error.
 */
export class FrameTap implements Tap {
  readonly #splitter: { receive(bytes: Uint8Array): void };
  #stopped = false;

  constructor(format: FrameFormat, direction: Frame["direction"], onFrame: OnFrame) {
    this.#splitter = format.splitter((bytes, at, end) => {
      onFrame(format.describe(direction, bytes.subarray(at, end)));
      return true;
    });
  }

  /** Observes the next bytes of the stream. */
  pass(bytes: Uint8Array): void {
    if (this.#stopped) return;
    try {
      this.#splitter.receive(bytes);
    } catch {
      this.#stopped = true;
    }
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
