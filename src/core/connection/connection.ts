import type { Socket, SocketHandlers } from "../byte-stream.js";
import { AmqpError, type AmqpErrorInit, ConnectionLost, ProtocolError, toError } from "../errors.js";
import { Output } from "../links/output.js";
import { Receiver, type ReceiverInit } from "../links/receiver.js";
import { Sender, type SenderInit } from "../links/sender.js";
import { OUTGOING_WINDOW } from "../links/session.js";
import { INCOMING_WINDOW } from "../links/session-incoming.js";
import { type Logger, silentLogger } from "../logger.js";
import { Control } from "./control/control.js";
import type { RemoteOpen } from "./control/control-events.js";
import { IdleTimeout } from "./idle-timeout.js";
import { AMQP_HEADER, Inbound } from "./inbound.js";
import { answerWith, type LinkRequest } from "./link-request.js";
import { Sessions } from "./sessions.js";

/** Answers a link that the peer asks for on the connection. */
export type OnLink = (request: LinkRequest, connection: Connection) => void;

/** Announced, and held against the peer. */
export const MAX_FRAME_BYTES = 65_536;
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** The highest handle of a session, and the highest channel, that the peer may use. */
const HANDLE_MAX = 1023;
const CHANNEL_MAX = 4095;
/** How long the peer may take to answer our Close. */
const CLOSE_MS = 2_000;

export interface ConnectionOptions {
  containerId: string;
  /** Open.hostname: the virtual host, for peers that want it there. */
  hostname?: string | undefined;
  /** Silence of the peer that ends the connection; half of it is announced as idle-time-out. Absent or 0: any silence is borne. */
  idleTimeoutMs?: number | undefined;
  properties?: Readonly<Record<string, string | number>> | undefined;
  /** The largest message taken, in bytes. Default 16 MiB. */
  maxMessageBytes?: number | undefined;
  logger?: Logger | undefined;
}

/**
 * One life of one connection, behind SASL. It joins the two planes: what moves messages is the sessions', all else the
 * control plane's; what both write leaves through one output, in order.
 */
export class Connection {
  readonly socket: Socket;
  /** The SASL mechanism; empty when there was none. */
  readonly mechanism: string;
  /** Resolves when it is over, with the cause unless it was closed here. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** @internal Where the socket's events lead from now on. */
  readonly handlers: SocketHandlers;
  readonly #maxMessageBytes: number;
  readonly #logger: Logger;
  readonly #onOpen: (connection: Connection) => void;
  readonly #onLink: OnLink | undefined;
  readonly #output: Output;
  readonly #inbound: Inbound;
  readonly #heartbeat: IdleTimeout;
  readonly #control: Control;
  readonly #sessions: Sessions;
  #remote: RemoteOpen | undefined;
  #state: "open" | "closing" | "over" = "open";
  #headerSent = false;
  #heldBytes = 0;
  #settleClosed: (cause: Error | undefined) => void = () => {};

  /** With `onLink` this is the accepting side, which lets the peer speak first. */
  constructor(
    socket: Socket,
    mechanism: string,
    options: ConnectionOptions,
    onOpen: (connection: Connection) => void,
    onLink?: OnLink,
  ) {
    this.socket = socket;
    this.mechanism = mechanism;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.#maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    this.#logger = options.logger ?? silentLogger;
    this.#onOpen = onOpen;
    this.#onLink = onLink;
    this.#output = new Output(socket, {
      maxBufferedBytes: 4 * this.#maxMessageBytes,
      onOverflow: (bytes) => this.#finish(this.#lost(`the peer does not read: ${bytes} bytes wait`)),
      onWritable: () => this.#sessions.pump(),
    });
    const idleTimeoutMs = options.idleTimeoutMs ?? 0;
    this.#heartbeat = new IdleTimeout(this.#output, idleTimeoutMs, (silentMs) => {
      const description = `nothing came for ${silentMs} ms`;
      this.#sayClose({ condition: "amqp:resource-limit-exceeded", description });
      this.#finish(this.#lost(description));
    });
    this.#control = this.#createControl(options, idleTimeoutMs);
    this.#sessions = new Sessions({
      control: this.#control,
      max: CHANNEL_MAX + 1,
      session: () => ({
        output: this.#output,
        // No larger than ours, also where the peer sets no limit: a large message must not hold up all others.
        maxFrameBytes: Math.min(this.remote.maxFrameBytes, MAX_FRAME_BYTES),
        maxMessageBytes: this.#maxMessageBytes,
        reserveBytes: (bytes) => this.#hold(bytes),
        logger: this.#logger,
      }),
      onAttachRequest: onLink && ((session, request) => answerWith((link) => onLink(link, this), session, request)),
      ended: () => this.#lost("the peer ended the session"),
    });
    this.#inbound = new Inbound(MAX_FRAME_BYTES, {
      onHeader: () => this.#writeHeader(),
      isOpen: () => this.#remote !== undefined,
      isClosing: () => this.#state === "closing",
      isAlive: () => this.#state !== "over",
      session: (channel) => this.#sessions.get(channel),
      onControl: (frame) => {
        // rhea may answer with a detach, an end or a close, behind which it would be too late.
        this.#output.gather();
        this.#control.receive(frame);
      },
    });
    this.handlers = {
      data: this.#onData,
      drain: () => this.#output.drained(),
      close: (error) => {
        this.#finish(error ? new ConnectionLost(error.message, { cause: error }) : this.#lost("closed by the peer"));
      },
    };
  }

  /** What the peer's Open says. Throws before it came. */
  get remote(): RemoteOpen {
    if (this.#remote === undefined) throw this.#lost("not open yet");
    return this.#remote;
  }

  get isOpen(): boolean {
    return this.#state === "open" && this.#remote?.established === true;
  }

  /** Rejects with AmqpError when the peer refuses the link, with ConnectionLost when the connection goes meanwhile. */
  openSender(init: SenderInit): Promise<Sender> {
    return this.#sessions.attach("sender", init, (session) => new Sender(session, init));
  }

  /** As `openSender`. Credit is given once the peer has attached. */
  openReceiver(init: ReceiverInit): Promise<Receiver> {
    return this.#sessions.attach("receiver", init, (session) => new Receiver(session, init));
  }

  /** Looks at once whether the peer is still there, and asks it: without any sign of it for some seconds the connection is over. */
  check(): void {
    if (!this.isOpen) return;
    this.#heartbeat.look();
    void this.#heartbeat.demand(() => this.#sessions.probe());
  }

  /**
   * Closes, telling the peer why if there is something to tell. Resolves when it is over. Idempotent. From now on no delivery
   * is handed over, and what is sent is unsent; outcomes still come.
   */
  async close(error?: AmqpErrorInit): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      this.#sessions.stop(this.#lost("closed"));
      this.#sayClose(error);
      const timer = setTimeout(() => this.#finish(undefined), CLOSE_MS);
      await this.closed;
      clearTimeout(timer);
    }
    await this.closed;
  }

  /** @internal Over at once, without a word to the peer. */
  abort(reason: Error): void {
    this.#finish(reason);
  }

  /** @internal Takes what came behind SASL; the side that connected speaks first. */
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
        if (!remote.established) return; // the Close that follows says why
        this.#heartbeat.start(remote.idleTimeoutMs ?? 0);
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
    this.#heartbeat.received();
    try {
      this.#inbound.receive(bytes);
    } catch (thrown) {
      this.#fail(toError(thrown));
    }
  };

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    if (this.#heldBytes <= 4 * this.#maxMessageBytes) return;
    throw new ProtocolError(`${this.#heldBytes} bytes of incomplete deliveries`, "amqp:resource-limit-exceeded");
  }

  #lost(what: string): ConnectionLost {
    return new ConnectionLost(`${this.socket.id}: ${what}`);
  }

  /** What we cannot go on with: the peer is told, as far as it can be. */
  #fail(error: Error): void {
    const known = error instanceof AmqpError;
    if (!known) this.#logger.error(`${this.socket.id}: ${error.stack ?? error.message}`);
    if (this.#headerSent || this.#onLink !== undefined) {
      this.#writeHeader();
      this.#sayClose(known ? error : { condition: "amqp:internal-error", description: "internal error" });
    }
    this.#finish(error);
  }

  /** Says all that is owed, then Close, and nothing behind it. */
  #sayClose(error: AmqpErrorInit | undefined): void {
    this.#output.gather();
    this.#control.close(error);
    this.#output.end();
  }

  /** What the peer does once we are closing is no cause. */
  #finish(reason: Error | undefined): void {
    if (this.#state === "over") return;
    const cause = this.#state === "closing" ? undefined : reason;
    this.#state = "over";
    this.#heartbeat.stop();
    this.#output.end();
    this.socket.close();
    this.#settleClosed(cause);
    this.#sessions.end(cause ?? this.#lost("closed"));
  }
}
