import type { Address, Dial } from "../core/byte-stream.js";
import { dialSwitched } from "../core/connection/dial-switched.js";
import { ConnectionLost, toError } from "../core/errors.js";
import type { OnFrame } from "../core/frames/frame-tap.js";
import { Connection, type ConnectionOptions } from "./connection.js";
import { AMQP091_FRAMES } from "./frame-log.js";

/** Longest wait from the protocol header to connection.open-ok. */
const HANDSHAKE_MS = 15_000;

export interface ConnectOptions extends ConnectionOptions {
  /** Called with every frame in both directions. Secrets are removed. */
  onFrame?: OnFrame | undefined;
}

/**
 * Dials, authenticates and resolves with the open connection.
 *
 * @throws the dialler's error.
 * @throws AuthenticationError when the broker does not offer the mechanism or refuses the credentials.
 * @throws Amqp091Error when the broker closes the connection, such as for an unknown virtual host, or violates the protocol.
 * @throws ConnectionLost when the broker closes the stream, or the handshake takes longer than 15 s.
 * @throws the reason of `signal`.
 */
export async function connect(
  dial: Dial,
  to: Address,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Connection> {
  const [socket, handlers] = await dialSwitched(dial, to, options, AMQP091_FRAMES, signal);
  const connection = new Connection(socket, options);
  const timer = setTimeout(() => {
    connection.abort(new ConnectionLost(`${socket.id}: no AMQP 0-9-1 connection within ${HANDSHAKE_MS} ms`));
  }, HANDSHAKE_MS);
  const onAbort = (): void => connection.abort(toError(signal.reason));
  signal.addEventListener("abort", onAbort);
  if (signal.aborted)
    onAbort(); // between the dialler's resolve and this call
  else connection.start();
  handlers.handOver(connection.handlers);
  try {
    await connection.opened;
    return connection;
  } catch (thrown) {
    throw signal.aborted ? signal.reason : thrown;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
