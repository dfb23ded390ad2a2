import type { Accept, Socket, SocketHandlers } from "../../core/byte-stream.js";
import { isError, tagOf } from "../../core/kinds.js";
import { socketErrorText } from "../socket-error-text.js";

/** The sub-protocol of AMQP 1.0 over WebSocket (AMQP WebSocket Binding 1.0, section 2.1). */
export const SUBPROTOCOL = "amqp";

/** Largest message sent: Artemis closes the connection for one byte more. AMQP frames may span messages. */
export const MESSAGE_BYTES = 65_536;
const DEFAULT_BUDGET_BYTES = 1024 * 1024;
/** Interval for reading `bufferedAmount`, which has no event, while the caller waits for `drain`. */
const ROOM_POLL_MS = 10;
/** Timeout for the peer's answer to our closing. */
const CLOSE_TIMEOUT_MS = 2000;
/** Number of further timeouts, while bytes sent before the closing are unsent. */
const FLUSH_PATIENCE = 15;
const OPEN = 1;
/** Orderly ends: "normal closure", and a closing without a code. */
const ORDERLY = new Set([1000, 1005]);
/** Close code for failures on this side. Applications may use only 4000 to 4999. */
const FAILURE_CODE = 4000;

/** The common part of the WebSockets of browsers, Deno, Bun, workerd and `ws` (WHATWG WebSockets), and extensions. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly protocol: string;
  /** Undefined in workerd. */
  readonly bufferedAmount?: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  /** `ws` only: destroys the connection. */
  terminate?(): void;
  /** `ws` only: holds back messages until `resume`. */
  pause?(): void;
  resume?(): void;
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "error", listener: (event: object) => void): void;
  addEventListener(type: "close", listener: (event: { readonly code: number; readonly reason: string }) => void): void;
}

export interface WebSocketSocketOptions {
  id: string;
  encrypted: boolean;
  clientName?: string | undefined;
  /** Role of the peer, for error messages. */
  peer: "client" | "server";
  /** With more bytes than this unsent, `send` asks the caller to wait. Default 1 MiB. */
  budgetBytes?: number | undefined;
}

/** An open WebSocket of a client or a server. After `close()` only `SocketHandlers.close` is called. */
export class WebSocketSocket implements Socket {
  readonly id: string;
  readonly encrypted: boolean;
  readonly clientName: string | undefined;
  readonly #ws: WebSocketLike;
  readonly #handlers: SocketHandlers;
  readonly #budgetBytes: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting = false;
  #closing = false;
  #closed = false;
  #failure: Error | undefined;

  /** `ws` has just opened, delivers ArrayBuffers, and has no listeners for messages yet. */
  constructor(ws: WebSocketLike, options: WebSocketSocketOptions, accept: Accept) {
    const { id, encrypted, clientName, peer, budgetBytes } = options;
    this.id = id;
    this.encrypted = encrypted;
    this.clientName = clientName;
    this.#ws = ws;
    this.#budgetBytes = budgetBytes ?? DEFAULT_BUDGET_BYTES;
    ws.addEventListener("error", (event) => {
      const cause = eventErrorText(event);
      if (cause !== undefined) this.#failure ??= new Error(`${id}: ${socketErrorText(cause)}`, { cause });
    });
    ws.addEventListener("close", ({ code, reason }) => {
      const why = reason === "" ? "" : ` ${JSON.stringify(reason)}`;
      this.#finish(ORDERLY.has(code) ? undefined : new Error(`WebSocket closed by the ${peer}: ${code}${why} (${id})`));
    });
    this.#handlers = accept(this);
    ws.addEventListener("message", ({ data }) => this.#receive(data));
  }

  get buffered(): number {
    return this.#ws.bufferedAmount ?? 0;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closing || this.#ws.readyState !== OPEN) return false;
    try {
      for (let at = 0; at < bytes.length; at += MESSAGE_BYTES) {
        // WebSockets cannot send shared memory. Only the type of `bytes` allows it.
        this.#ws.send(bytes.subarray(at, at + MESSAGE_BYTES) as Uint8Array<ArrayBuffer>);
      }
    } catch (cause) {
      this.#fail(new Error(`${this.id}: cannot send: ${socketErrorText(cause)}`, { cause }), "cannot send");
      return false;
    }
    if (!this.#waiting && this.buffered > this.#budgetBytes) {
      this.#waiting = true;
      this.#pollRoom();
    }
    return !this.#waiting;
  }

  close(): void {
    this.#end(1000);
  }

  #receive(data: unknown): void {
    if (this.#closing) return;
    if (tagOf(data) === "ArrayBuffer") {
      this.#handlers.data(new Uint8Array(data as ArrayBuffer));
      // A background tab throttles timers to one a minute, but not messages.
      this.#drainIfRoom();
    } else {
      const kind = typeof data === "string" ? "text" : "unknown";
      this.#fail(
        new Error(`${this.id}: received a ${kind} message, but AMQP is binary`),
        `${kind} message, AMQP is binary`,
      );
    }
  }

  #pollRoom(): void {
    this.#timer = setTimeout(() => {
      this.#drainIfRoom();
      if (this.#waiting && !this.#closing) this.#pollRoom();
    }, ROOM_POLL_MS);
  }

  #drainIfRoom(): void {
    if (!this.#waiting || this.#closing || this.buffered > this.#budgetBytes / 2) return;
    clearTimeout(this.#timer);
    this.#waiting = false;
    this.#handlers.drain();
  }

  #fail(error: Error, reason: string): void {
    this.#failure ??= error;
    this.#end(FAILURE_CODE, reason);
  }

  #end(code: number, reason?: string): void {
    if (this.#closing) return;
    this.#closing = true;
    clearTimeout(this.#timer);
    this.#ws.close(code, reason);
    this.#awaitClose(FLUSH_PATIENCE);
  }

  /** Ends the stream when the peer does not answer the closing. Browsers wait for minutes. */
  #awaitClose(patience: number): void {
    this.#timer = setTimeout(() => {
      if (this.buffered > 0 && patience > 0) {
        this.#awaitClose(patience - 1);
        return;
      }
      this.#ws.terminate?.();
      this.#finish(new Error(`${this.id}: the peer did not close the stream within ${CLOSE_TIMEOUT_MS} ms`));
    }, CLOSE_TIMEOUT_MS);
  }

  #finish(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing = true;
    clearTimeout(this.#timer);
    this.#handlers.close(this.#failure ?? error);
  }
}

/** The cause in an error event: an Error from `ws`, a message from Deno, undefined from browsers. */
export function eventErrorText(event: object): unknown {
  if ("error" in event && isError(event.error)) return event.error;
  return "message" in event && event.message !== "" ? event.message : undefined;
}
