import type { Socket as NetSocket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Accept, Address, Socket } from "../../core/byte-stream.js";
import { dialErrorText, hintFor, tlsErrorText } from "../tls-error-text.js";

/** How long the peer may do nothing about an ended stream before it is cut. */
const LINGER_MS = 2000;

export interface TcpSocketOptions {
  id: string;
  clientName?: string | undefined;
  /** Where the stream was dialled to. Absent: it came in. */
  to?: Address | undefined;
}

/** A connected TCP or TLS stream of Node. After `close()` nothing is told but `SocketHandlers.close`. */
export class TcpSocket implements Socket {
  readonly id: string;
  readonly encrypted: boolean;
  readonly clientName: string | undefined;
  readonly #stream: NetSocket;
  #heard = false;
  #closing = false;
  #failure: Error | undefined;
  #lingering = false;
  #cutTimer: ReturnType<typeof setTimeout> | undefined;

  /** `stream` has just connected, and nothing listens to it yet. */
  constructor(stream: NetSocket, { id, clientName, to }: TcpSocketOptions, accept: Accept) {
    this.id = id;
    this.clientName = clientName;
    this.encrypted = stream instanceof TLSSocket;
    this.#stream = stream;
    stream.setNoDelay(true);
    stream.on("error", (cause) => {
      const why = to === undefined || this.#heard ? tlsErrorText(cause) : dialErrorText(cause, to);
      this.#failure ??= new Error(`${id}: ${why}`, { cause });
    });
    const on = accept(this);
    stream.on("data", (chunk: Buffer) => {
      this.#heard = true;
      // Not the Buffer: its slice() does not copy, which nobody expects of a Uint8Array.
      if (!this.#closing) on.data(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    });
    stream.on("drain", () => on.drain());
    stream.once("end", () => this.#linger());
    stream.once("close", () => {
      clearTimeout(this.#cutTimer);
      if (to !== undefined && !this.#heard && !this.#closing) {
        this.#failure ??= new Error(`${id}: closed by the peer before it said a word: ${hintFor(to)}`);
      }
      on.close(this.#failure);
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

  /** A peer that neither reads nor closes its side must not keep the stream: cut it when nothing moves any more. */
  #linger(): void {
    if (this.#lingering) return;
    this.#lingering = true;
    this.#stream.setTimeout(LINGER_MS, () => this.#cut());
    this.#stream.once("finish", () => {
      // All has left, so that only the peer's end is missing. What it still sends is no reason to wait longer.
      this.#cutTimer = setTimeout(() => this.#cut(), LINGER_MS);
    });
  }

  #cut(): void {
    this.#failure ??= new Error(`${this.id}: cut, because the peer did not close it within ${LINGER_MS} ms`);
    this.#stream.destroy();
  }
}
