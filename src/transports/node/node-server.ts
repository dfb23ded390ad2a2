import type { Socket as NetSocket, Server } from "node:net";
import { authority } from "../../core/authority.js";
import type { Listening, Socket } from "../../core/byte-stream.js";
import { kindOf } from "../../core/kinds.js";
import { wrongMembers } from "../../core/member-names.js";
import { socketErrorText } from "../socket-error-text.js";

const MEMBERS = ["host", "port", "maxConnections", "tls", "logger", "accept"];

/**
 * Checks the options of a listener. Without a host, Node would listen on all interfaces. `limits` are the members, besides
 * those of each listener, that are positive integers.
 *
 * @throws TypeError, naming the option.
 */
export function checkListener(options: unknown, limits: readonly string[], others: readonly string[] = []): void {
  const wrong = wrongMembers(options, [...MEMBERS, ...limits, ...others]);
  if (wrong !== undefined) throw new TypeError(`the options of a listener: ${wrong}`);
  const { accept, host, port, ...rest } = options as Record<string, unknown>;
  if (typeof accept !== "function") {
    throw new TypeError(
      `a listener requires the option accept, a function as an Intermediary has, not ${kindOf(accept)}`,
    );
  }
  if (typeof host !== "string" || host === "") {
    throw new TypeError(`a listener requires the option host, such as "127.0.0.1", not ${kindOf(host)}`);
  }
  if (!isInteger(port, 0, 65_535)) {
    throw new TypeError(`a listener requires the option port, an integer from 0 to 65535, not ${shown(port)}`);
  }
  for (const name of ["maxConnections", ...limits]) {
    if (isInteger(rest[name], 1)) continue;
    throw new TypeError(`a listener requires the option ${name}, a positive integer, not ${shown(rest[name])}`);
  }
}

function isInteger(value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : kindOf(value);
}

/**
 * Binds a server of Node; port 0 means any free port. `hangUp` closes the streams that it has accepted. Rejects with
 * "cannot listen on host:port: cause".
 */
export async function bind(
  server: Server,
  at: { host: string; port: number },
  hangUp: () => Promise<void>,
): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    // The listener stays: a later connection that cannot be accepted (too many open files) must not end the process.
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

/** The open streams that one listener has accepted. */
export class OpenStreams {
  readonly #ends = new Map<Socket, Promise<void>>();
  #closing = false;

  /** Adds a stream. `onEnd` calls back once `SocketHandlers.close` has been called. */
  add(socket: Socket, onEnd: (ended: () => void) => void): void {
    const end = new Promise<void>((resolve) => onEnd(resolve)).then(() => void this.#ends.delete(socket));
    this.#ends.set(socket, end);
    // Its handshake was under way when the listener closed.
    if (this.#closing) socket.close();
  }

  /** Closes all streams. Resolves when all have ended. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const socket of this.#ends.keys()) socket.close();
    await Promise.all(this.#ends.values());
  }
}

/** The remote and the local address of an accepted stream, for logs. */
export function routeOf({ remoteAddress, remotePort, localAddress, localPort }: NetSocket): string {
  const remote = authority({ hostname: remoteAddress ?? "", port: remotePort ?? 0 });
  return `${remote} to ${authority({ hostname: localAddress ?? "", port: localPort ?? 0 })}`;
}
