import { ProtocolError } from "../errors.js";
import { checkControlFrame } from "../frames/control-frame-checks.js";
import { type FrameHead, readFrameHead } from "../frames/splitter.js";
import type { Session } from "../links/session.js";
import { CLOSE, DISPOSITION, FLOW, OPEN, TRANSFER } from "../types/descriptors.js";
import { Reader } from "../types/reader.js";

/** Receivers of the incoming frames. */
export interface InboundRoutes {
  isOpen(): boolean;
  /** True once our Close is written. Then only disposition and close are read: an answer would follow the Close. */
  isClosing(): boolean;
  /** False once further frames of the peer are ignored. */
  isAlive(): boolean;
  session(channel: number): Session | undefined;
  /** A checked performative for the control plane. `reader` is positioned at its descriptor. */
  onControl(channel: number, reader: Reader): void;
}

/**
 * Routes incoming frames to the two planes. Transfer, flow and disposition go to their session. Every other performative
 * is checked before rhea reads it.
 */
export class Inbound {
  readonly #routes: InboundRoutes;
  readonly #reader = new Reader();
  readonly #head: FrameHead = { channel: 0, code: 0, body: 0 };

  constructor(routes: InboundRoutes) {
    this.#routes = routes;
  }

  /**
   * Routes one frame: bytes [at, end). Returns false after the end of the connection.
   *
   * @throws ProtocolError for a frame that is not valid here.
   */
  readonly onFrame = (bytes: Uint8Array, at: number, end: number): boolean => {
    const head = this.#head;
    readFrameHead(bytes, at, end, head);
    if (head.body === end) return true;
    const reader = this.#reader.reset(bytes, head.body, end);
    if (head.code < 0) head.code = reader.described();
    else reader.at += 3;
    const { code, channel } = head;
    if (this.#routes.isClosing() && code !== DISPOSITION && code !== CLOSE) return true;
    if (code >= FLOW && code <= DISPOSITION) {
      const session = this.#session(channel, code);
      if (code === TRANSFER) session.onTransfer(reader);
      else if (code === FLOW) session.onFlow(reader);
      else session.onDisposition(reader);
    } else {
      if (code !== OPEN && !this.#routes.isOpen()) {
        throw new ProtocolError(`performative 0x${code.toString(16)} before open`, "amqp:connection:framing-error");
      }
      checkControlFrame(reader, code);
      this.#routes.onControl(channel, reader.reset(bytes, head.body, end));
    }
    return this.#routes.isAlive();
  };

  #session(channel: number, code: number): Session {
    const session = this.#routes.session(channel);
    if (session !== undefined) return session;
    throw new ProtocolError(`performative 0x${code.toString(16)} on channel ${channel}, which has no session`);
  }
}
