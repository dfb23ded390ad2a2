import { offAbort, onAbort } from "../abort.js";
import type { Address, Dial, Socket, SocketHandlers } from "../byte-stream.js";
import { ConnectionLost, toError } from "../errors.js";
import { AMQP10_FRAMES } from "../frames/frame-log.js";
import type { OnFrame } from "../frames/frame-tap.js";
import { AMQP_HEADER } from "../frames/protocol-header.js";
import { SaslClient, type SaslClientOptions } from "../sasl/client/sasl-client.js";
import type { SaslEvents, SaslResult } from "../sasl/sasl-exchange.js";
import type { Authenticator } from "../sasl/server/authenticator.js";
import { SaslServer } from "../sasl/server/sasl-server.js";
import { Connection, type ConnectionOptions, type OnLink } from "./connection.js";
import { dialSwitched } from "./dial-switched.js";
import { SwitchedHandlers } from "./switched-handlers.js";

/** Longest wait from the first byte to the peer's Open. A WebSocket whose server does not speak AMQP stays silent for ever. */
const HANDSHAKE_MS = 15_000;

export interface ConnectOptions extends ConnectionOptions {
  sasl: SaslClientOptions;
  /** Called with every frame in both directions. Secrets are removed. */
  onFrame?: OnFrame | undefined;
}

/**
 * Dials, authenticates and resolves with the open connection.
 *
 * @throws the dialler's error.
 * @throws AuthenticationError when authentication fails.
 * @throws ProtocolError when the peer breaks the protocol.
 * @throws ConnectionLost when the peer closes the stream, or the handshake takes longer than 15 s.
 * @throws the reason of `signal`.
 */
export async function connect(
  dial: Dial,
  to: Address,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Connection> {
  const [socket, handlers] = await dialSwitched(dial, to, options, AMQP10_FRAMES, signal);
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
  /** Decides which clients are accepted. */
  sasl: Authenticator;
  /** Called when the peer is authenticated and the connection is open. `username` is undefined when the client stated none. */
  onOpen: (connection: Connection, username: string | undefined) => void;
  onLink: OnLink;
  /**
   * Called when the stream ends or is refused before the connection is open. `isProbe`: the peer closed it without a
   * protocol header, as health checks do.
   */
  onFailure: (error: Error, isProbe: boolean) => void;
}

/** The server's side of `connect`, for an incoming stream. Returns the handlers of the stream's events. */
export function accept(socket: Socket, options: AcceptOptions): SocketHandlers {
  const handlers = new SwitchedHandlers(undefined);
  const onFailure = (reason: unknown): void => options.onFailure(toError(reason), handshake.isProbe);
  const handshake = new Handshake(socket, handlers, undefined, onFailure);
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

/** Takes a stream to an open connection, on either side. It succeeds or fails once, within 15 s, and removes its timer and listener. */
class Handshake {
  readonly #socket: Socket;
  readonly #handlers: SwitchedHandlers;
  readonly #signal: AbortSignal | undefined;
  readonly #onFailure: (reason: unknown) => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #onAbort = (): void => this.#fail(this.#signal?.reason);
  #connection: Connection | undefined;
  #receivedBytes = 0;
  #isOver = false;
  /** True when the peer has closed the stream before it sent a protocol header. */
  isProbe = false;

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
    onAbort(signal, this.#onAbort);
  }

  /** Passes incoming bytes to `receive`, then calls `start`, which sends our first bytes. */
  begin(receive: (bytes: Uint8Array) => void, start: () => void = () => {}): void {
    if (this.#signal?.aborted) return this.#onAbort(); // aborted between the dialler's resolve and this call
    const socket = this.#socket;
    this.#handlers.handOver({
      data: (bytes) => {
        this.#receivedBytes += bytes.length;
        receive(bytes);
      },
      drain() {},
      close: (error) => {
        this.isProbe = this.#receivedBytes < AMQP_HEADER.length && isClosedByPeer(error);
        const why = error?.message ?? `${socket.id}: closed by the peer before the connection was open`;
        this.#fail(new ConnectionLost(why, { cause: error }));
      },
    });
    start();
  }

  /** The events of the SASL exchange. They may arrive long after its input, and are ignored once the handshake is over. */
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

  /** Hands the stream to the connection after SASL. `rest` are the bytes behind the last SASL frame. */
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
    offAbort(this.#signal, this.#onAbort);
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

/** False for a fault, such as a WebSocket message that is text. Some health checks reset their stream. */
function isClosedByPeer(error: Error | undefined): boolean {
  return error === undefined || Object(error.cause).code === "ECONNRESET";
}

const IGNORE: SocketHandlers = { data() {}, drain() {}, close() {} };
