import { Connection, type ConnectionOptions, type OnLink } from "./connection.js";
import type { Address, Dial, Socket, SocketHandlers } from "./dial.js";
import { ConnectionLost, toError } from "./errors.js";
import { FrameTap, type OnFrame, tapped } from "./frame-tap.js";
import { SaslClient, type SaslClientOptions } from "./sasl-client.js";
import { SaslServer, type SaslServerOptions } from "./sasl-server.js";

/** How long a peer may take from the first byte to its Open. A WebSocket that nobody serves stays silent for ever. */
const HANDSHAKE_MS = 15_000;

export interface ConnectOptions extends ConnectionOptions {
  sasl: SaslClientOptions;
  /** Sees every frame as it passes, without secrets. */
  onFrame?: OnFrame | undefined;
}

/**
 * Dials, authenticates and opens. Rejects with the dialler's error, AuthenticationError, ProtocolError, ConnectionLost
 * when the peer goes or stays silent, or `signal.reason`.
 */
export async function connect(
  dial: Dial,
  to: Address,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Connection> {
  signal.throwIfAborted();
  const { onFrame } = options;
  const inbox = new Inbox(onFrame && new FrameTap("in", onFrame));
  const dialled = await dial(to, inbox, signal);
  const socket = onFrame === undefined ? dialled : tapped(dialled, new FrameTap("out", onFrame));
  return new Promise((resolve, reject) => {
    const fail = (reason: unknown): void => {
      stop();
      inbox.handOver(DEAF);
      socket.close();
      reject(reason);
    };
    const stop = limit(socket, signal, fail);
    const sasl = new SaslClient(options.sasl, (bytes) => socket.send(bytes));
    inbox.handOver({
      data: guard(fail, (bytes) => {
        const step = sasl.receive(bytes);
        if (step.type === "more") return;
        const connection = new Connection(socket, step.mechanism, options, () => {
          stop();
          resolve(connection);
        });
        // Over before it is open: nobody else will say so.
        void connection.closed.then((cause) => fail(cause ?? new ConnectionLost(`${socket.id}: closed before open`)));
        inbox.handOver(connection.handlers);
        connection.start(step.rest);
      }),
      drain() {},
      close: (error) => fail(lost(socket, error)),
    });
    guard(fail, () => sasl.start())();
  });
}

export interface AcceptOptions extends ConnectionOptions {
  sasl: SaslServerOptions;
  /** The peer is authenticated and open. */
  onOpen: (connection: Connection) => void;
  onLink: OnLink;
  /** The stream ended, or was refused, before there was a connection. */
  onFailure: (error: Error) => void;
}

/** The other side of `connect`, for a stream that came in. */
export function accept(socket: Socket, options: AcceptOptions): SocketHandlers {
  const inbox = new Inbox(undefined);
  const fail = (reason: unknown): void => {
    stop();
    inbox.handOver(DEAF);
    socket.close();
    options.onFailure(toError(reason));
  };
  const stop = limit(socket, undefined, fail);
  const sasl = new SaslServer(options.sasl, (bytes) => socket.send(bytes));
  inbox.handOver({
    data: guard(fail, (bytes) => {
      const step = sasl.receive(bytes);
      if (step.type === "more") return;
      let isOpen = false;
      const onOpen = (connection: Connection): void => {
        stop();
        isOpen = true;
        options.onOpen(connection);
      };
      const connection = new Connection(socket, step.mechanism, options, onOpen, options.onLink);
      void connection.closed.then((cause) => {
        if (!isOpen) fail(cause ?? lost(socket, undefined));
      });
      inbox.handOver(connection.handlers);
      connection.start(step.rest);
    }),
    drain() {},
    close: (error) => fail(lost(socket, error)),
  });
  return inbox;
}

const DEAF: SocketHandlers = { data() {}, drain() {}, close() {} };

/** The handlers of a socket, whose events lead to one party after the other. What comes before the first is kept for it. */
class Inbox implements SocketHandlers {
  readonly #tap: FrameTap | undefined;
  #party: SocketHandlers | undefined;
  #early: (() => void)[] = [];

  constructor(tap: FrameTap | undefined) {
    this.#tap = tap;
  }

  handOver(party: SocketHandlers): void {
    this.#party = party;
    for (const event of this.#early.splice(0)) event();
  }

  data(bytes: Uint8Array): void {
    this.#tap?.pass(bytes);
    if (this.#party === undefined) this.#early.push(() => this.#party?.data(bytes));
    else this.#party.data(bytes);
  }

  drain(): void {
    this.#party?.drain();
  }

  close(error?: Error): void {
    if (this.#party === undefined) this.#early.push(() => this.#party?.close(error));
    else this.#party.close(error);
  }
}

/** Fails what is not done in time, or no longer wanted. Gives what ends the watch. */
function limit(socket: Socket, signal: AbortSignal | undefined, fail: (reason: unknown) => void): () => void {
  const timer = setTimeout(
    () => fail(new ConnectionLost(`${socket.id}: no AMQP 1.0 connection within ${HANDSHAKE_MS} ms`)),
    HANDSHAKE_MS,
  );
  const onAbort = (): void => fail(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  };
}

function guard<A extends unknown[]>(fail: (reason: unknown) => void, run: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      run(...args);
    } catch (error) {
      fail(error);
    }
  };
}

function lost(socket: Socket, error: Error | undefined): ConnectionLost {
  return new ConnectionLost(`${socket.id}: ${error?.message ?? "closed by the peer before the connection was open"}`, {
    cause: error,
  });
}
