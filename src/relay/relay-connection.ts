import type { Socket as NetSocket } from "node:net";
import type { RawData, WebSocket } from "ws";
import { authority } from "../core/authority.js";
import type { Address } from "../core/byte-stream.js";
import { toError } from "../core/errors.js";
import { linger } from "../transports/node/linger.js";
import { connectStream } from "../transports/node/tcp.js";
import { dialErrorText, tlsErrorText } from "../transports/tls-error-text.js";
import { MESSAGE_BYTES } from "../transports/websocket/socket.js";

/** With more bytes than this unsent to the client, reading from the target pauses until half of them have left. */
const MAX_UNSENT_BYTES = 4 * MESSAGE_BYTES;
/** Timeout for the end of a connection when the relay stops. */
const STOP_MS = 2000;

/** Close codes of WebSockets (RFC 6455, section 7.4.1). */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const UNSUPPORTED_DATA = 1003;
const INTERNAL_ERROR = 1011;
/** Longest reason of a closing. */
const REASON_BYTES = 123;

export interface RelayConnectionOptions {
  to: Address;
  connectTimeoutMs: number;
  /** Timeout for a connection on which no bytes move, in either direction. */
  idleTimeoutMs: number;
  /** Called with the number of bytes that were received from the client. */
  onClientBytes(count: number): void;
  /** Called with the number of bytes that were received from the target. */
  onTargetBytes(count: number): void;
  /** Called when the connection fails. Not called when the client or the target ends it. */
  onFailure(reason: string): void;
}

/** A client's WebSocket and the stream to the target. The end of one ends the other one, after the bytes that it has sent. */
export class RelayConnection {
  /** Resolves when both have ended. */
  readonly ended: Promise<void>;
  readonly #ws: WebSocket;
  readonly #options: RelayConnectionOptions;
  readonly #connecting = new AbortController();
  readonly #idle: NodeJS.Timeout;
  #stopTimer: NodeJS.Timeout | undefined;
  #target: NetSocket | undefined;
  /** The target has sent something. */
  #answered = false;
  /** One of the two is ending or has failed: the client's bytes are discarded. */
  #over = false;
  /** The target has ended in an orderly way: the WebSocket closes when its bytes are sent. */
  #closeWhenSent = false;
  #lingering = false;

  /** `ws` has just opened. */
  constructor(ws: WebSocket, options: RelayConnectionOptions) {
    this.#ws = ws;
    this.#options = options;
    ws.pause(); // until the target can take its bytes
    ws.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    ws.on("error", (error) => this.#fail(INTERNAL_ERROR, error.message));
    const clientEnded = new Promise<void>((resolve) => {
      ws.once("close", () => {
        this.#over = true;
        this.#endTarget();
        resolve();
      });
    });
    this.#idle = setTimeout(() => this.#onIdle(), options.idleTimeoutMs);
    this.ended = Promise.all([clientEnded, this.#connect()]).then(() => {
      clearTimeout(this.#idle);
      clearTimeout(this.#stopTimer);
    });
  }

  /** Ends both. */
  stop(): void {
    this.#end(GOING_AWAY, "the relay is stopping");
    this.#stopTimer = setTimeout(() => {
      this.#ws.terminate();
      this.#target?.destroy();
    }, STOP_MS);
  }

  /** Resolves when the stream to the target has ended, or cannot be opened. */
  async #connect(): Promise<void> {
    const { to, connectTimeoutMs } = this.#options;
    const timer = setTimeout(() => {
      this.#connecting.abort(
        new Error(`cannot connect to ${authority(to)}: no answer in ${connectTimeoutMs / 1000} s`),
      );
    }, connectTimeoutMs);
    try {
      const connected = connectStream(to, this.#connecting.signal, (target) => ({ closed: this.#onConnect(target) }));
      const { closed } = await connected.finally(() => clearTimeout(timer));
      await closed;
    } catch (error) {
      this.#fail(INTERNAL_ERROR, toError(error).message);
    }
  }

  /** Resolves when the stream has closed. */
  #onConnect(target: NetSocket): Promise<void> {
    const { to } = this.#options;
    this.#target = target;
    target.setNoDelay(true);
    target.on("error", (cause) => {
      const why = this.#answered ? tlsErrorText(cause) : dialErrorText(cause, to);
      this.#fail(INTERNAL_ERROR, `connection to ${authority(to)} lost: ${why}`);
    });
    target.on("data", (bytes: Buffer) => this.#onTargetData(target, bytes));
    target.on("drain", () => this.#ws.resume());
    target.once("end", () => this.#onTargetEnd(target));
    this.#ws.resume();
    return new Promise((resolve) => target.once("close", () => resolve()));
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#over || this.#target === undefined) return;
    if (!isBinary) {
      this.#fail(UNSUPPORTED_DATA, "received a text message, but AMQP is binary");
      return;
    }
    this.#idle.refresh();
    const bytes = data as Buffer; // by the binaryType of `ws`
    this.#options.onClientBytes(bytes.length);
    if (!this.#target.write(bytes)) this.#ws.pause();
  }

  #onTargetData(target: NetSocket, bytes: Buffer): void {
    this.#answered = true;
    this.#idle.refresh();
    const ws = this.#ws;
    if (ws.readyState !== ws.OPEN) return;
    this.#options.onTargetBytes(bytes.length);
    for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) {
      ws.send(bytes.subarray(at, at + MESSAGE_BYTES), () => this.#onSent(target));
    }
    if (ws.bufferedAmount > MAX_UNSENT_BYTES) target.pause();
  }

  #onSent(target: NetSocket): void {
    this.#idle.refresh();
    if (target.isPaused() && this.#ws.bufferedAmount <= MAX_UNSENT_BYTES / 2) target.resume();
    this.#closeIfSent();
  }

  #onTargetEnd(target: NetSocket): void {
    if (!this.#answered && !this.#over) {
      this.#fail(INTERNAL_ERROR, `${authority(this.#options.to)} ended the stream without an answer`);
      return;
    }
    this.#linger(target);
    this.#over = true;
    this.#closeWhenSent = true;
    this.#ws.resume(); // the client's answer to the closing has to be read
    this.#closeIfSent();
  }

  /** `ws` limits the time from its closing to the client's, which must not include the time that a slow client needs to read. */
  #closeIfSent(): void {
    if (this.#closeWhenSent && this.#ws.bufferedAmount === 0) this.#ws.close(NORMAL);
  }

  #onIdle(): void {
    if (this.#over) this.#ws.terminate();
    else this.#fail(GOING_AWAY, `no bytes for ${this.#options.idleTimeoutMs / 1000} s`);
  }

  #fail(code: number, reason: string): void {
    if (this.#over) return;
    this.#options.onFailure(reason);
    // A page must not learn the addresses behind the relay.
    this.#end(code, reason.replace(authority(this.#options.to), "the target"));
  }

  #end(code: number, reason: string): void {
    this.#over = true;
    this.#endTarget();
    this.#ws.close(code, reason.replace(/[^ -~]/g, "?").slice(0, REASON_BYTES));
    this.#ws.resume(); // the client's answer has to be read
  }

  #endTarget(): void {
    this.#connecting.abort();
    if (this.#target === undefined) return;
    this.#linger(this.#target);
    this.#target.end();
    this.#target.resume(); // its end has to be read
  }

  #linger(target: NetSocket): void {
    if (this.#lingering) return;
    this.#lingering = true;
    linger(target);
  }
}
