import type { Socket as NetSocket, Server } from "node:net";
import { authority } from "../../core/authority.js";
import type { Listening, Socket } from "../../core/byte-stream.js";
import { socketErrorText } from "../socket-error-text.js";

/**
 * Binds a server of Node; port 0 means any free one. `hangUp` closes what came in. Rejects with
 * "cannot listen on host:port: cause".
 */
export async function bind(
  server: Server,
  at: { host: string; port: number },
  hangUp: () => Promise<void>,
): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    // It stays: a connection that cannot be taken later (too many open files) must not end the process.
    server.on("error", (error) => {
      const where = authority({ hostname: at.host, port: at.port });
      reject(new Error(`cannot listen on ${where}: ${socketErrorText(error)}`, { cause: error }));
    });
    server.listen(at.port, at.host, resolve);
  });
  const address = server.address();
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const unbound = new Promise((resolve) => server.close(resolve));
    await hangUp();
    await unbound;
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : at.port,
    close() {
      closed ??= close();
      return closed;
    },
  };
}

/** The streams that came in by one listener and have not ended. */
export class OpenStreams {
  readonly #ends = new Map<Socket, Promise<void>>();
  #closing = false;

  /** `onEnd` calls back when `SocketHandlers.close` has been called. */
  add(socket: Socket, onEnd: (ended: () => void) => void): void {
    const end = new Promise<void>((resolve) => onEnd(resolve)).then(() => void this.#ends.delete(socket));
    this.#ends.set(socket, end);
    // A handshake that was under way when the listener closed.
    if (this.#closing) socket.close();
  }

  /** Resolves when every one has ended. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const socket of this.#ends.keys()) socket.close();
    await Promise.all(this.#ends.values());
  }
}

/** Between which addresses a stream that came in runs, for logs. */
export function routeOf({ remoteAddress, remotePort, localAddress, localPort }: NetSocket): string {
  const remote = authority({ hostname: remoteAddress ?? "", port: remotePort ?? 0 });
  return `${remote} to ${authority({ hostname: localAddress ?? "", port: localPort ?? 0 })}`;
}
