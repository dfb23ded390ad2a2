import { ProtocolError } from "../errors.js";
import { CLOSE, checkControlFrame, OPEN } from "../frames/control-frame-checks.js";
import { DISPOSITION, FLOW, TRANSFER } from "../frames/performatives.js";
import { type FrameHead, FrameSplitter, readFrameHead } from "../frames/splitter.js";
import type { Session } from "../links/session.js";
import { describeProtocol } from "../sasl/sasl.js";
import { Reader } from "../types/reader.js";

/** The AMQP 1.0 protocol header (transport 2.2): "AMQP", protocol id, major, minor, revision. */
export const AMQP_HEADER: readonly number[] = [0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0];

/** Where what came in goes. */
export interface InboundRoutes {
  /** The peer's header came. */
  onHeader(): void;
  isOpen(): boolean;
  /** Our Close has been written: what could only be answered behind it is passed over. */
  isClosing(): boolean;
  /** False once nothing of the peer counts any more. */
  isAlive(): boolean;
  session(channel: number): Session | undefined;
  /** One vetted frame for the control plane. */
  onControl(frame: Uint8Array): void;
}

/**
 * From bytes to the two planes: the protocol header, then frames. Transfer, flow and disposition go to their session;
 * every other performative is vetted before rhea reads it.
 */
export class Inbound {
  readonly #routes: InboundRoutes;
  readonly #splitter: FrameSplitter;
  readonly #reader = new Reader();
  readonly #head: FrameHead = { channel: 0, code: 0, body: 0 };
  readonly #header: number[] = [];

  constructor(maxFrameBytes: number, routes: InboundRoutes) {
    this.#routes = routes;
    this.#splitter = new FrameSplitter(maxFrameBytes, this.#onFrame);
  }

  /** Throws ProtocolError for what is not AMQP 1.0. */
  receive(bytes: Uint8Array): void {
    if (this.#header.length === AMQP_HEADER.length) this.#splitter.receive(bytes);
    else this.#receiveHeader(bytes);
  }

  #receiveHeader(bytes: Uint8Array): void {
    const missing = AMQP_HEADER.length - this.#header.length;
    this.#header.push(...bytes.subarray(0, missing));
    if (bytes.length < missing) return;
    if (this.#header.some((byte, i) => byte !== AMQP_HEADER[i])) {
      const spoken = describeProtocol(Uint8Array.from(this.#header));
      throw new ProtocolError(`the peer speaks ${spoken}, not AMQP 1.0`, "amqp:connection:framing-error");
    }
    this.#routes.onHeader();
    this.#splitter.receive(bytes.subarray(missing));
  }

  readonly #onFrame = (bytes: Uint8Array, at: number, end: number): boolean => {
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
      this.#routes.onControl(bytes.subarray(at, end));
    }
    return this.#routes.isAlive();
  };

  #session(channel: number, code: number): Session {
    const session = this.#routes.session(channel);
    if (session !== undefined) return session;
    throw new ProtocolError(`performative 0x${code.toString(16)} on channel ${channel}, where no session is`);
  }
}
