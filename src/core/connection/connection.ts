import type { Socket, SocketHandlers } from "../byte-stream.js";
import { Deferred } from "../deferred.js";
import { AmqpError, type AmqpErrorInit, ConnectionLost, ProtocolError, toError } from "../errors.js";
import { AMQP_HEADER, ProtocolHeader } from "../frames/protocol-header.js";
import { FrameSplitter } from "../frames/splitter.js";
import { Output } from "../links/output.js";
import { Receiver, type ReceiverInit } from "../links/receiver.js";
import { Sender, type SenderInit } from "../links/sender.js";
import { OUTGOING_WINDOW } from "../links/session.js";
import { INCOMING_WINDOW } from "../links/session-incoming.js";
import { type Logger, silentLogger } from "../logger.js";
import { RecurringWarnings } from "../recurring-warnings.js";
import { Control } from "./control/control.js";
import type { RemoteOpen } from "./control/control-events.js";
import { IdleTimeout } from "./idle-timeout.js";
import { Inbound } from "./inbound.js";
import { answerWith, type LinkRequest } from "./link-request.js";
import { Sessions } from "./sessions.js";

/** Answers a link that the peer asks for on the connection. */
export type OnLink = (request: LinkRequest, connection: Connection) => void;

/** Largest frame, as announced to the peer and required of it. */
export const MAX_FRAME_BYTES = 65_536;
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Highest handle in a session, and highest channel, that the peer may use. */
const HANDLE_MAX = 1023;
const CHANNEL_MAX = 4095;
/** Timeout for the peer's answer to our Close. */
const CLOSE_MS = 2_000;

export interface ConnectionOptions {
  containerId: string;
  /** Open.hostname: the virtual host, for peers that read it there. */
  hostname?: string | undefined;
  /**
   * Ends the connection when nothing arrives from the peer for this long. Half of it is announced as idle-time-out.
   * Omitted or 0: no idle timeout.
   */
  idleTimeoutMs?: number | undefined;
  properties?: Readonly<Record<string, string | number>> | undefined;
  /** Largest message accepted, in bytes. Default 16 MiB. */
  maxMessageBytes?: number | undefined;
  /** Logger of errors. Default: silent. */
  logger?: Logger | undefined;
  /** Default: warnings of `logger`, for this connection alone. */
  warnings?: RecurringWarnings | undefined;
}

/**
 * One AMQP connection, from the end of SASL to its close. It joins the two planes: frames that move messages belong to
 * the sessions, all others to the control plane. Both planes write through one output, in order.
 */
export class Connection {
  readonly socket: Socket;
  /** SASL mechanism. Empty without SASL. */
  readonly mechanism: string;
  /** Resolves when the connection is over: with the cause, or undefined after `close`. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly #closed = new Deferred<Error | undefined>();
  /** @internal Handlers for the socket's events after the handshake. */
  readonly handlers: SocketHandlers;
  readonly #maxMessageBytes: number;
  readonly #logger: Logger;
  readonly #onOpen: (connection: Connection) => void;
  readonly #onLink: OnLink | undefined;
  readonly #output: Output;
  readonly #header = new ProtocolHeader();
  readonly #frames: FrameSplitter;
  readonly #idleTimeout: IdleTimeout;
  readonly #control: Control;
  readonly #sessions: Sessions;
  #remote: RemoteOpen | undefined;
  #state: "open" | "closing" | "over" = "open";
  #headerSent = false;
  #reservedBytes = 0;

  /** With `onLink`, this is the accepting side, which waits for the peer's header. */
  constructor(
    socket: Socket,
    mechanism: string,
    options: ConnectionOptions,
    onOpen: (connection: Connection) => void,
    onLink?: OnLink,
  ) {
    this.closed = this.#closed.promise;
    this.socket = socket;
    this.mechanism = mechanism;
    this.#maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    this.#logger = options.logger ?? silentLogger;
    const warnings = options.warnings ?? new RecurringWarnings(this.#logger);
    this.#onOpen = onOpen;
    this.#onLink = onLink;
    this.#output = new Output(socket, {
      maxBufferedBytes: 4 * this.#maxMessageBytes,
      onOverflow: (bytes) => this.#finish(this.#lost(`the peer does not read: ${bytes} bytes unsent`)),
      onWritable: () => this.#sessions.pump(),
    });
    const idleTimeoutMs = options.idleTimeoutMs ?? 0;
    this.#idleTimeout = new IdleTimeout(this.#output, idleTimeoutMs, (silentMs) => {
      const description = `no data received for ${silentMs} ms`;
      this.#writeClose({ condition: "amqp:resource-limit-exceeded", description });
      this.#finish(this.#lost(description));
    });
    this.#control = this.#createControl(options, idleTimeoutMs);
    this.#sessions = new Sessions({
      control: this.#control,
      max: CHANNEL_MAX + 1,
      session: () => ({
        output: this.#output,
        // Our limit applies even if the peer sets none: a large message must not delay all others.
        maxFrameBytes: Math.min(this.remote.maxFrameBytes, MAX_FRAME_BYTES),
        maxMessageBytes: this.#maxMessageBytes,
        reserveBytes: (bytes) => this.#reserve(bytes),
        logger: this.#logger,
        warnings,
      }),
      onAttachRequest: onLink && ((session, request) => answerWith((link) => onLink(link, this), session, request)),
      ended: () => this.#lost("the peer ended the session"),
    });
    const inbound = new Inbound({
      isOpen: () => this.#remote !== undefined,
      isClosing: () => this.#state === "closing",
      isAlive: () => this.#state !== "over",
      session: (channel) => this.#sessions.get(channel),
      onControl: (channel, reader) => {
        // Gathered dispositions and credit must precede the detach, end or close that rhea may answer with.
        this.#output.gather();
        this.#control.receive(channel, reader);
      },
    });
    this.#frames = new FrameSplitter(MAX_FRAME_BYTES, inbound.onFrame);
    this.handlers = {
      data: this.#onData,
      drain: () => this.#output.drained(),
      close: (error) => {
        this.#finish(error ? new ConnectionLost(error.message, { cause: error }) : this.#lost("closed by the peer"));
      },
    };
  }

  /**
   * The fields of the peer's Open.
   *
   * @throws ConnectionLost before the Open arrives.
   */
  get remote(): RemoteOpen {
    if (this.#remote === undefined) throw this.#lost("not open yet");
    return this.#remote;
  }

  get isOpen(): boolean {
    return this.#state === "open" && this.#remote?.established === true;
  }

  /**
   * Attaches a sending link.
   *
   * @throws AmqpError when the peer refuses the link, or when the attach does not fit into the peer's frames.
   * @throws ConnectionLost when the connection ends first.
   */
  openSender(init: SenderInit): Promise<Sender> {
    return this.#sessions.attach("sender", init, (session) => new Sender(session, init));
  }

  /** Attaches a receiving link, as `openSender`. Credit is issued once the peer has attached. */
  openReceiver(init: ReceiverInit): Promise<Receiver> {
    return this.#sessions.attach("receiver", init, (session) => new Receiver(session, init));
  }

  /** Checks the peer at once, and probes it. The connection ends if nothing arrives from the peer for 5 s. */
  check(): void {
    if (!this.isOpen) return;
    this.#idleTimeout.look();
    void this.#idleTimeout.demand(() => this.#sessions.probe());
  }

  /**
   * Closes the connection, with `error` as the reason for the peer. Resolves when it is closed. Idempotent. From now on
   * no delivery is handed over and new messages end as `unsent`. Outcomes still arrive.
   */
  async close(error?: AmqpErrorInit): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      this.#sessions.stop(this.#lost("closed"));
      this.#writeClose(error);
      const timer = setTimeout(() => this.#finish(undefined), CLOSE_MS);
      await this.closed;
      clearTimeout(timer);
    }
    await this.closed;
  }

  /** @internal Ends the connection at once, without a Close to the peer. */
  abort(reason: Error): void {
    this.#finish(reason);
  }

  /** @internal Starts AMQP with the bytes that followed SASL. The connecting side sends the first header. */
  start(rest: Uint8Array): void {
    if (this.#onLink === undefined) {
      this.#writeHeader();
      this.#control.open();
    }
    if (rest.length > 0) this.#onData(rest);
  }

  #createControl(options: ConnectionOptions, idleTimeoutMs: number): Control {
    const open = {
      containerId: options.containerId,
      hostname: options.hostname,
      maxFrameBytes: MAX_FRAME_BYTES,
      channelMax: CHANNEL_MAX,
      idleTimeoutMs: idleTimeoutMs > 0 ? Math.ceil(idleTimeoutMs / 2) : undefined,
      properties: options.properties,
    };
    const begin = { incomingWindow: INCOMING_WINDOW, outgoingWindow: OUTGOING_WINDOW, handleMax: HANDLE_MAX };
    return new Control(open, begin, this.#maxMessageBytes, (frame) => this.#writeFrame(frame), {
      onOpen: (remote) => {
        this.#remote = remote;
        if (!remote.established) return; // the Close that follows contains the reason
        this.#idleTimeout.start(remote.idleTimeoutMs ?? 0);
        this.#onOpen(this);
      },
      onClose: (error) => this.#finish(error ?? this.#lost("closed by the peer")),
      onBeginRequest: (control) => this.#sessions.accept(control),
    });
  }

  #writeHeader(): void {
    if (this.#headerSent) return;
    this.#headerSent = true;
    this.#writeFrame(Uint8Array.from(AMQP_HEADER));
  }

  #writeFrame(frame: Uint8Array): void {
    this.#output.writer.append(frame);
    this.#output.wrote();
  }

  readonly #onData = (bytes: Uint8Array): void => {
    if (this.#state === "over") return;
    this.#idleTimeout.received();
    try {
      this.#frames.receive(this.#header.isComplete ? bytes : this.#receiveHeader(bytes));
    } catch (thrown) {
      this.#fail(toError(thrown));
    }
  };

  #receiveHeader(bytes: Uint8Array): Uint8Array {
    const rest = this.#header.receive(bytes);
    if (this.#header.isComplete) this.#writeHeader();
    return rest;
  }

  #reserve(bytes: number): void {
    this.#reservedBytes += bytes;
    if (this.#reservedBytes <= 4 * this.#maxMessageBytes) return;
    throw new ProtocolError(`${this.#reservedBytes} bytes of incomplete deliveries`, "amqp:resource-limit-exceeded");
  }

  #lost(reason: string): ConnectionLost {
    return new ConnectionLost(`${this.socket.id}: ${reason}`);
  }

  /** Ends the connection with an error, which a Close reports to the peer if possible. */
  #fail(error: Error): void {
    const isAmqpError = error instanceof AmqpError;
    if (!isAmqpError) this.#logger.error(`${this.socket.id}: ${error.stack ?? error.message}`);
    if (this.#headerSent || this.#onLink !== undefined) {
      this.#writeHeader();
      this.#writeClose(isAmqpError ? error : { condition: "amqp:internal-error", description: "internal error" });
    }
    this.#finish(error);
  }

  /** Writes gathered dispositions and credit, then the Close, and nothing after it. */
  #writeClose(error: AmqpErrorInit | undefined): void {
    this.#output.gather();
    this.#control.close(error);
    this.#output.end();
  }

  /** Ends the connection. While we are closing, the reason is not its cause. */
  #finish(reason: Error | undefined): void {
    if (this.#state === "over") return;
    const cause = this.#state === "closing" ? undefined : reason;
    this.#state = "over";
    this.#idleTimeout.stop();
    this.#output.end();
    this.socket.close();
    this.#closed.resolve(cause);
    this.#sessions.end(cause ?? this.#lost("closed"));
  }
}
