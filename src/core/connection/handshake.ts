import type { Address, Dial, Socket, SocketHandlers } from "../byte-stream.js";
import { ConnectionLost, toError } from "../errors.js";
import { FrameTap, type OnFrame, tapped } from "../frames/frame-tap.js";
import { type Logger, silentLogger } from "../logger.js";
import { SaslClient, type SaslClientOptions } from "../sasl/client/sasl-client.js";
import type { SaslEvents, SaslResult } from "../sasl/sasl-exchange.js";
import type { Authenticator } from "../sasl/server/authenticator.js";
import { SaslServer } from "../sasl/server/sasl-server.js";
import { Connection, type ConnectionOptions, type OnLink } from "./connection.js";

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
  const watch = options.onFrame && watcher(options.onFrame, options.logger ?? silentLogger);
  const handlers = new SwitchedHandlers(watch && new FrameTap("in", watch));
  const dialled = await dial(to, handlers, signal);
  const socket = watch === undefined ? dialled : tapped(dialled, new FrameTap("out", watch));
  return new Promise((resolve, reject) => {
    const handshake = new Handshake(socket, handlers, signal, reject);
    const onOpen = (connection: Connection): void => {
      handshake.done();
      resolve(connection);
    };
    const events = handshake.sasl(({ mechanism }) => new Connection(socket, mechanism, options, onOpen));
    const sasl = new SaslClient(options.sasl, events);
    handshake.begin(
      (bytes) => sasl.receive(bytes),
      () => sasl.start(),
    );
  });
}

export interface AcceptOptions extends ConnectionOptions {
  /** Who is let in. */
  sasl: Authenticator;
  /** The peer is authenticated, and open. `username`: as whom, if that was said. */
  onOpen: (connection: Connection, username: string | undefined) => void;
  onLink: OnLink;
  /** The stream ended, or was refused, before there was a connection. */
  onFailure: (error: Error) => void;
}

/** The other side of `connect`, for a stream that came in. */
export function accept(socket: Socket, options: AcceptOptions): SocketHandlers {
  const handlers = new SwitchedHandlers(undefined);
  const handshake = new Handshake(socket, handlers, undefined, (reason) => options.onFailure(toError(reason)));
  const events = handshake.sasl(({ mechanism, username }) => {
    const onOpen = (connection: Connection): void => {
      handshake.done();
      options.onOpen(connection, username);
    };
    return new Connection(socket, mechanism, options, onOpen, options.onLink);
  });
  const sasl = new SaslServer(options.sasl, socket.clientName, events);
  handshake.begin((bytes) => sasl.receive(bytes));
  return handlers;
}

/** From a stream to an open connection, either side's: it succeeds or fails once, in time, and leaves nothing behind. */
class Handshake {
  readonly #socket: Socket;
  readonly #handlers: SwitchedHandlers;
  readonly #signal: AbortSignal | undefined;
  readonly #onFailure: (reason: unknown) => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #onAbort = (): void => this.#fail(this.#signal?.reason);
  #connection: Connection | undefined;
  #isOver = false;

  constructor(
    socket: Socket,
    handlers: SwitchedHandlers,
    signal: AbortSignal | undefined,
    onFailure: (reason: unknown) => void,
  ) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#signal = signal;
    this.#onFailure = onFailure;
    this.#timer = setTimeout(
      () => this.#fail(new ConnectionLost(`${socket.id}: no AMQP 1.0 connection within ${HANDSHAKE_MS} ms`)),
      HANDSHAKE_MS,
    );
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** `receive` gets what comes, `start` says the first word. */
  begin(receive: (bytes: Uint8Array) => void, start: () => void = () => {}): void {
    if (this.#signal?.aborted) return this.#onAbort(); // while the dialler's answer was on its way
    const socket = this.#socket;
    this.#handlers.handOver({
      data: receive,
      drain() {},
      close: (error) => {
        const why = error?.message ?? `${socket.id}: closed by the peer before the connection was open`;
        this.#fail(new ConnectionLost(why, { cause: error }));
      },
    });
    start();
  }

  /** What the exchange tells. It may do so long after it was fed: when the handshake is over nothing comes of it. */
  sasl(connectionOf: (result: SaslResult) => Connection): SaslEvents {
    return {
      send: (bytes) => {
        if (!this.#isOver) this.#socket.send(bytes);
      },
      done: (result) => {
        if (!this.#isOver) this.#pass(connectionOf(result), result.rest);
      },
      failed: (error) => this.#fail(error),
    };
  }

  /** SASL is through: the rest is the connection's, until it is open. */
  #pass(connection: Connection, rest: Uint8Array): void {
    this.#connection = connection;
    void connection.closed.then((cause) => {
      this.#fail(cause ?? new ConnectionLost(`${this.#socket.id}: closed before open`));
    });
    this.#handlers.handOver(connection.handlers);
    connection.start(rest);
  }

  done(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  #fail(reason: unknown): void {
    if (this.#isOver) return;
    this.done();
    this.#handlers.handOver(IGNORE);
    this.#connection?.abort(toError(reason));
    this.#socket.close();
    this.#onFailure(reason);
  }
}

/** What the user's function throws must not break the connection that it looks at. */
function watcher(onFrame: OnFrame, logger: Logger): OnFrame {
  return (frame) => {
    try {
      onFrame(frame);
    } catch (thrown) {
      const error = toError(thrown);
      logger.error(`onFrame threw ${error.stack ?? error.message}`);
    }
  };
}

const IGNORE: SocketHandlers = { data() {}, drain() {}, close() {} };

/**
 * The handlers that a dialler gets before there is a connection. Events that arrive before the first `handOver` are kept
 * for it. Afterwards the socket calls the functions of the present handlers directly.
 */
class SwitchedHandlers implements SocketHandlers {
  data: SocketHandlers["data"];
  drain: SocketHandlers["drain"];
  close: SocketHandlers["close"];
  readonly #tap: FrameTap | undefined;
  #present: SocketHandlers = IGNORE;
  readonly #early: (() => void)[] = [];

  constructor(tap: FrameTap | undefined) {
    this.#tap = tap;
    this.data = (bytes) => {
      tap?.pass(bytes);
      this.#early.push(() => this.#present.data(bytes));
    };
    this.drain = () => {};
    this.close = (error) => {
      this.#early.push(() => this.#present.close(error));
    };
  }

  handOver(handlers: SocketHandlers): void {
    const { data, drain, close } = handlers;
    const tap = this.#tap;
    const tapped = (bytes: Uint8Array): void => {
      tap?.pass(bytes);
      data(bytes);
    };
    this.#present = handlers;
    this.data = tap === undefined ? data : tapped;
    this.drain = drain;
    this.close = close;
    for (const event of this.#early.splice(0)) event();
  }
}
