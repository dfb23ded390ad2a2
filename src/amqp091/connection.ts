import type { Socket, SocketHandlers } from "../core/byte-stream.js";
import { IdleTimeout } from "../core/connection/idle-timeout.js";
import type { ManagedConnection } from "../core/connection/supervisor.js";
import type { Deadline } from "../core/deadlines.js";
import { Deferred } from "../core/deferred.js";
import { ConnectionLost, shortened, toError } from "../core/errors.js";
import { Output } from "../core/links/output.js";
import { type Logger, silentLogger } from "../core/logger.js";
import { RecurringWarnings } from "../core/recurring-warnings.js";
import { Waiters } from "../core/waiters.js";
import { Channel, type ChannelConnection } from "./channel.js";
import { Amqp091Error } from "./errors.js";
import type { FieldTable } from "./field-table.js";
import {
  checkFrame,
  FRAME_HEADER_BYTES,
  FrameSplitter,
  frameChannel,
  HEARTBEAT,
  HEARTBEAT_FRAME,
  METHOD,
  PROTOCOL_HEADER,
} from "./frames.js";
import { FRAME_MAX, Handshake, type HandshakeOptions, type Tuning } from "./handshake.js";
import type { LoginMechanism } from "./login.js";
import { fieldsOf, type ReceivedMethod, readMethod, writeMethod } from "./method-codec.js";
import type { MethodName, SentFields } from "./methods.js";
import { Reader } from "./reader.js";
import { CHANNEL_ERROR, COMMAND_INVALID, INTERNAL_ERROR, REPLY_SUCCESS, UNEXPECTED_FRAME } from "./reply-codes.js";
import { Requests } from "./requests.js";
import { violation } from "./violation.js";

/** Default of the largest message accepted. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Timeout for the peer's answer to our connection.close. A broker that blocks the connection does not read it. */
const CLOSE_MS = 2_000;
/** Longest reply text: a short string. */
const REPLY_TEXT_BYTES = 255;

export interface ConnectionOptions extends HandshakeOptions {
  /** Largest message accepted, in bytes. Default 16 MiB. Larger ones are rejected without requeue. */
  maxMessageBytes?: number | undefined;
  /** Logger of errors. Default: silent. */
  logger?: Logger | undefined;
  /** Default: warnings of `logger`, for this connection alone. */
  warnings?: RecurringWarnings | undefined;
  /** Called when the broker begins to block messages, with its reason, and with undefined when it ends. */
  onBlocked?: ((reason: string | undefined) => void) | undefined;
}

/** One connection of AMQP 0-9-1, from the protocol header to its close. */
export class Connection implements ManagedConnection {
  readonly socket: Socket;
  /** Resolves when the connection is over: with the cause, or undefined after `close`. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly #closed = new Deferred<Error | undefined>();
  /** @internal Resolves when the connection is open. Rejects when it ends first. */
  readonly opened: Promise<void>;
  readonly #opened = new Deferred();
  /** @internal Handlers for the socket's events. */
  readonly handlers: SocketHandlers;
  readonly #options: ConnectionOptions;
  readonly #logger: Logger;
  readonly #output: Output;
  readonly #frames: FrameSplitter;
  readonly #reader = new Reader();
  readonly #handshake: Handshake;
  readonly #requests = new Requests();
  readonly #writableWaiters = new Waiters<void>();
  readonly #channels = new Map<number, Channel>();
  readonly #channelConnection: ChannelConnection;
  #tuning: Tuning = { channelMax: 0, maxFrameBytes: FRAME_MAX, heartbeatMs: 0 };
  #idleTimeout: IdleTimeout | undefined;
  #state: "opening" | "open" | "closing" | "over" = "opening";
  #blocked: string | undefined;
  /**
   * Bytes of the largest body since the stream was last writable. Its frames are written at once, so that this many unsent
   * bytes are no sign of a peer that does not read.
   */
  #largestBodyBytes = 0;
  /** Ends the present probe. */
  #endProbe: () => void = () => {};

  constructor(socket: Socket, options: ConnectionOptions) {
    this.closed = this.#closed.promise;
    this.opened = this.#opened.promise;
    this.socket = socket;
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    const maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    const maxBufferedBytes = 4 * maxMessageBytes;
    this.#output = new Output(socket, {
      maxBufferedBytes,
      onOverflow: () => {
        const { buffered } = socket;
        if (buffered <= maxBufferedBytes + this.#largestBodyBytes) return;
        this.#finish(this.#lost(`the peer does not read: ${buffered} bytes unsent`));
      },
      onWritable: () => {
        this.#largestBodyBytes = 0;
        this.#writableWaiters.resolve();
      },
    });
    this.#frames = new FrameSplitter(FRAME_MAX, this.#onFrame);
    this.#handshake = new Handshake(options, {
      send: (name, fields) => this.#send(0, name, fields),
      onTune: (tuning) => this.#onTune(tuning),
      onOpen: () => {
        this.#state = "open";
        this.#opened.resolve();
      },
    });
    this.#channelConnection = this.#forChannels(maxMessageBytes);
    this.handlers = {
      data: this.#onData,
      drain: () => this.#output.drained(),
      close: (error) => {
        const when =
          this.#state === "opening" ? "closed by the peer before the connection was open" : "closed by the peer";
        this.#finish(error ? new ConnectionLost(error.message, { cause: error }) : this.#lost(when));
      },
    };
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Properties that the server reports, such as `product`, `version` and `capabilities`. */
  get serverProperties(): FieldTable {
    return this.#handshake.serverProperties;
  }

  get product(): string | undefined {
    return this.#serverText("product");
  }

  /** Version of the product. */
  get version(): string | undefined {
    return this.#serverText("version");
  }

  /** Interval of heartbeats that both sides have agreed upon, in milliseconds. 0: none. */
  get heartbeatMs(): number {
    return this.#tuning.heartbeatMs;
  }

  /** SASL mechanism. */
  get mechanism(): LoginMechanism {
    return this.#options.mechanism;
  }

  /** Virtual host. */
  get virtualHost(): string {
    return this.#options.virtualHost;
  }

  /**
   * The broker's reason why it does not read from this connection: an alarm. Undefined while it reads. The broker sends it
   * only to a client with the capability `connection.blocked`, after the first message that it does not accept.
   */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  /** True while the broker reads and the stream is not full. */
  get writable(): boolean {
    return this.isOpen && this.#blocked === undefined && this.#output.writable;
  }

  /**
   * Opens a channel.
   *
   * @throws Amqp091Error when all channels that the broker permits are open, or the broker closes the connection.
   * @throws ConnectionLost when the connection ends otherwise.
   */
  async openChannel(): Promise<Channel> {
    if (!this.isOpen) throw this.#lost("closed");
    const channel = new Channel(this.#channelConnection, this.#freeChannel());
    this.#channels.set(channel.id, channel);
    await channel.open();
    return channel;
  }

  /**
   * Replaces the password or token of the connection, before it expires.
   *
   * @throws Amqp091Error when the broker refuses it, which closes the connection.
   */
  async updateSecret(newSecret: string, reason: string): Promise<void> {
    if (!this.isOpen) throw this.#lost("closed");
    this.#send(0, "connection.update-secret", { newSecret: new TextEncoder().encode(newSecret), reason });
    await this.#requests.add("connection.update-secret");
  }

  /** Checks the peer at once, and probes it. The connection ends if nothing arrives from the peer for 5 s. */
  check(): void {
    if (!this.isOpen) return;
    this.#idleTimeout?.look();
    // A broker that blocks the connection does not answer. Its heartbeats show that it lives.
    if (this.#blocked !== undefined) return;
    const probe = (): Promise<void> =>
      new Promise((resolve) => {
        this.#endProbe = resolve;
        this.#probe().then(resolve, resolve);
      });
    void this.#idleTimeout?.demand(probe);
  }

  /** Closes the connection. Resolves when it is closed. Idempotent. Everything outstanding fails. */
  async close(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      this.#endChannels(this.#lost("closed"));
      this.#send(0, "connection.close", { replyCode: REPLY_SUCCESS, replyText: "closed" });
      const timer = setTimeout(() => this.#finish(undefined), CLOSE_MS);
      await this.closed;
      clearTimeout(timer);
    } else if (this.#state === "opening") {
      this.#finish(this.#lost("closed"));
    }
    await this.closed;
  }

  /** @internal Ends the connection at once, without a connection.close to the peer. */
  abort(reason: Error): void {
    this.#finish(reason);
  }

  /** @internal Sends the protocol header. */
  start(): void {
    this.#output.writer.append(Uint8Array.from(PROTOCOL_HEADER));
    this.#output.wrote();
  }

  #forChannels(maxMessageBytes: number): ChannelConnection {
    const connection = this;
    return {
      id: this.socket.id,
      output: this.#output,
      logger: this.#logger,
      warnings: this.#options.warnings ?? new RecurringWarnings(this.#logger),
      maxMessageBytes,
      get maxFrameBytes() {
        return connection.#tuning.maxFrameBytes;
      },
      get writable() {
        return connection.writable;
      },
      whenWritable: (deadline: Deadline) => this.#writableWaiters.wait("credit", deadline),
      changed: () => this.#writableWaiters.resolve(),
      publishes: (bytes) => {
        if (bytes > this.#largestBodyBytes) this.#largestBodyBytes = bytes;
      },
      send: (channel, name, fields) => this.#send(channel, name, fields),
      release: (channel) => this.#channels.delete(channel),
    };
  }

  #freeChannel(): number {
    for (let id = 1; id <= this.#tuning.channelMax; id++) if (!this.#channels.has(id)) return id;
    throw violation(CHANNEL_ERROR, `CHANNEL_ERROR - all ${this.#tuning.channelMax} channels are in use`);
  }

  #send<M extends MethodName>(channel: number, name: M, fields: SentFields<M>): void {
    writeMethod(this.#output.writer, channel, name, fields, this.#tuning.maxFrameBytes);
    this.#output.wrote();
  }

  #onTune(tuning: Tuning): void {
    this.#tuning = tuning;
    this.#frames.maxFrameBytes = tuning.maxFrameBytes;
    const { heartbeatMs } = tuning;
    const onSilence = (silentMs: number): void => this.#finish(this.#lost(`no data received for ${silentMs} ms`));
    this.#idleTimeout = new IdleTimeout(this.#output, 2 * heartbeatMs, onSilence, HEARTBEAT_FRAME);
    this.#idleTimeout.start(heartbeatMs);
  }

  readonly #onData = (bytes: Uint8Array): void => {
    if (this.#state === "over") return;
    this.#idleTimeout?.received();
    try {
      this.#frames.receive(bytes);
    } catch (thrown) {
      this.#fail(toError(thrown));
    }
  };

  readonly #onFrame = (bytes: Uint8Array, at: number, end: number): boolean => {
    checkFrame(bytes, at, end);
    const type = bytes[at] as number;
    if (type === HEARTBEAT) return true;
    const id = frameChannel(bytes, at);
    const reader = this.#reader.reset(bytes, at + FRAME_HEADER_BYTES, end - 1);
    if (id === 0) {
      if (type !== METHOD) throw violation(UNEXPECTED_FRAME, "UNEXPECTED_FRAME - content on channel 0");
      this.#onMethod(readMethod(reader));
    } else if (this.#state !== "closing") {
      const channel = this.#channels.get(id);
      if (channel === undefined) throw violation(CHANNEL_ERROR, `CHANNEL_ERROR - channel ${id} is not open`);
      channel.onFrame(type, reader);
    }
    return this.#state !== "over";
  };

  #onMethod(received: ReceivedMethod): void {
    const { name } = received.method;
    if (name === "connection.close") {
      const { replyCode: code, replyText: text, classId, methodId } = fieldsOf(received, name);
      const error = new Amqp091Error({ code, text, classId, methodId });
      this.#send(0, "connection.close-ok", {});
      this.#finish(this.#state === "opening" ? this.#handshake.refusal(error) : error);
    } else if (this.#state === "closing") {
      if (name === "connection.close-ok") this.#finish(undefined);
    } else if (this.#state === "opening") {
      this.#handshake.receive(received);
    } else if (name === "connection.blocked") {
      this.#setBlocked(fieldsOf(received, name).reason);
    } else if (name === "connection.unblocked") {
      this.#setBlocked(undefined);
    } else if (name === "connection.update-secret-ok") {
      this.#requests.answer(received);
    } else {
      throw violation(COMMAND_INVALID, `COMMAND_INVALID - unexpected ${name} on channel 0`);
    }
  }

  #setBlocked(reason: string | undefined): void {
    this.#blocked = reason;
    if (reason === undefined) this.#writableWaiters.resolve();
    else this.#endProbe();
    try {
      this.#options.onBlocked?.(reason);
    } catch (thrown) {
      const error = toError(thrown);
      this.#logger.error(`onBlocked threw ${error.stack ?? error.message}`);
    }
  }

  /** Any answer of the broker shows that it lives. */
  async #probe(): Promise<void> {
    for (const channel of this.#channels.values()) if (channel.isOpen) return await channel.probe();
    const channel = await this.openChannel();
    await channel.close();
  }

  #serverText(name: string): string | undefined {
    const value = this.serverProperties[name];
    return typeof value === "string" ? value : undefined;
  }

  #lost(reason: string): ConnectionLost {
    return new ConnectionLost(`${this.socket.id}: ${reason}`);
  }

  /** Ends the connection with an error, which a connection.close reports to the peer if possible. */
  #fail(error: Error): void {
    const isOurs = error instanceof Amqp091Error;
    if (!isOurs && this.#state !== "opening") this.#logger.error(`${this.socket.id}: ${error.stack ?? error.message}`);
    if (this.#handshake.hasStarted && this.#state !== "closing") {
      const replyCode = isOurs ? error.code : INTERNAL_ERROR;
      const replyText = isOurs ? shortened(error.text, REPLY_TEXT_BYTES) : "INTERNAL_ERROR";
      this.#send(0, "connection.close", { replyCode, replyText });
    }
    this.#finish(error);
  }

  #endChannels(error: Error): void {
    for (const channel of [...this.#channels.values()]) channel.end(error);
    this.#channels.clear();
  }

  /** Ends the connection. While we are closing, the reason is not its cause. */
  #finish(reason: Error | undefined): void {
    if (this.#state === "over") return;
    const cause = this.#state === "closing" ? undefined : reason;
    const error = cause ?? this.#lost("closed");
    this.#state = "over";
    this.#idleTimeout?.stop();
    this.#output.end();
    this.socket.close();
    this.#closed.resolve(cause);
    this.#opened.reject(error);
    this.#endChannels(error);
    this.#requests.fail(error);
    this.#writableWaiters.reject(error);
  }
}
