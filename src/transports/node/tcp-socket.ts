import type { Socket as NetSocket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Accept, Address, Socket } from "../../core/byte-stream.js";
import { dialErrorText, hintFor, tlsErrorText } from "../tls-error-text.js";

/** An ended stream is destroyed after this long without progress by the peer. */
const LINGER_MS = 2000;

export interface TcpSocketOptions {
  id: string;
  clientName?: string | undefined;
  /** Address that was dialled. Omitted for an accepted stream. */
  to?: Address | undefined;
}

/** A connected TCP or TLS stream of Node. After `close()` only `SocketHandlers.close` is called. */
export class TcpSocket implements Socket {
  readonly id: string;
  readonly encrypted: boolean;
  readonly clientName: string | undefined;
  readonly #stream: NetSocket;
  #received = false;
  #closing = false;
  #failure: Error | undefined;
  #lingering = false;
  #cutTimer: ReturnType<typeof setTimeout> | undefined;

  /** `stream` has just connected and has no listeners yet. */
  constructor(stream: NetSocket, { id, clientName, to }: TcpSocketOptions, accept: Accept) {
    this.id = id;
    this.clientName = clientName;
    this.encrypted = stream instanceof TLSSocket;
    this.#stream = stream;
    stream.setNoDelay(true);
    stream.on("error", (cause) => {
      const why = to === undefined || this.#received ? tlsErrorText(cause) : dialErrorText(cause, to);
      this.#failure ??= new Error(`${id}: ${why}`, { cause });
    });
    const handlers = accept(this);
    stream.on("data", (chunk: Buffer) => {
      this.#received = true;
      // A plain Uint8Array: slice() of a Buffer does not copy, unlike that of a Uint8Array.
      if (!this.#closing) handlers.data(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    });
    stream.on("drain", () => handlers.drain());
    stream.once("end", () => this.#linger());
    stream.once("close", () => {
      clearTimeout(this.#cutTimer);
      if (to !== undefined && !this.#received && !this.#closing) {
        this.#failure ??= new Error(`${id}: closed by the peer before it sent anything: ${hintFor(to)}`);
      }
      handlers.close(this.#failure);
    });
  }

  get buffered(): number {
    return this.#stream.writableLength;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closing || !this.#stream.writable) return false;
    return this.#stream.write(bytes);
  }

  close(): void {
    this.#closing = true;
    this.#linger();
    this.#stream.end();
  }

  /** Destroys the stream when nothing moves any more: a peer that neither reads nor closes must not keep it open. */
  #linger(): void {
    if (this.#lingering) return;
    this.#lingering = true;
    this.#stream.setTimeout(LINGER_MS, () => this.#cut());
    this.#stream.once("finish", () => {
      // All bytes have left; only the peer's end is missing. Bytes that it still sends do not extend the wait.
      this.#cutTimer = setTimeout(() => this.#cut(), LINGER_MS);
    });
  }

  #cut(): void {
    this.#failure ??= new Error(`${this.id}: the peer did not close the stream within ${LINGER_MS} ms`);
    this.#stream.destroy();
  }
}
