/** The part of the TCP API of workers that this library uses. */
declare module "cloudflare:sockets" {
  export function connect(
    address: { hostname: string; port: number },
    options: { secureTransport: "on" | "off"; allowHalfOpen: boolean },
  ): WorkerSocket;

  export interface WorkerSocket {
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<Uint8Array>;
    /** Resolves when bytes can be sent; with TLS, after the handshake. */
    readonly opened: Promise<unknown>;
    /** Resolves when the socket is closed. Rejects when it fails, in addition to the failed operation. */
    readonly closed: Promise<unknown>;
    close(): Promise<void>;
  }
}
