import type { Socket as NetSocket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Accept, Address, Socket } from "../../core/byte-stream.js";
import { dialErrorText, hintFor, tlsErrorText } from "../tls-error-text.js";
import { LINGER_MS, linger } from "./linger.js";

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

  #linger(): void {
    if (this.#lingering) return;
    this.#lingering = true;
    linger(this.#stream, () => {
      this.#failure ??= new Error(`${this.id}: the peer did not close the stream within ${LINGER_MS} ms`);
    });
  }
}
