/** TCP of workers, as far as this library uses it. */
declare module "cloudflare:sockets" {
  export function connect(
    address: { hostname: string; port: number },
    options: { secureTransport: "on" | "off"; allowHalfOpen: boolean },
  ): WorkerSocket;

  export interface WorkerSocket {
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<Uint8Array>;
    /** Resolves when bytes can be sent, by TLS after its handshake. */
    readonly opened: Promise<unknown>;
    /** Rejects with what went wrong, too. */
    readonly closed: Promise<unknown>;
    close(): Promise<void>;
  }
}
