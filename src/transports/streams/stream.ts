import { offAbort, onAbort } from "../../core/abort.js";
import { authority } from "../../core/authority.js";
import type { Address, Dial, Socket, SocketHandlers, TLSOptionName } from "../../core/byte-stream.js";
import { inLaterTurn } from "../later-turn.js";
import { usesTls } from "../scheme.js";
import { hintFor } from "../tls-error-text.js";

/** With more bytes than this unsent, `send` asks the caller to wait. */
const BUDGET_BYTES = 1024 * 1024;
/** Size of one write, small enough to observe the progress of a slow peer. */
const PIECE_BYTES = 65_536;
/** An ended stream is cut after this long without progress by the peer. */
const LINGER_MS = 2000;

/** A connected TCP or TLS stream of a runtime other than Node. Operations that fail reject. */
export interface ByteStream {
  /** Local and remote address, for logs. */
  readonly route: string;
  /** Resolves with the next bytes, which the caller owns, or with undefined once the peer has ended its side. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when the system has accepted all bytes. One call at a time. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends our side. The stream can still be read. */
  end(): Promise<void>;
  /** Closes the stream at once and discards unsent and unread bytes. */
  cut(): void;
}

/** Opens the streams of a runtime. */
export interface StreamRuntime {
  /** Options of `Address.tls` that the runtime supports. */
  supportedTlsOptions: readonly TLSOptionName[];
  /** Resolves when bytes can be sent; with TLS, after the handshake. May ignore the signal. */
  open(to: Address, signal: AbortSignal): Promise<ByteStream>;
  /** Describes why a stream failed or did not open. */
  errorText(thrown: unknown, to: Address): string;
}

/**
 * A dialler for TCP, and for TLS with the scheme `amqps` or an address with `tls`, on the streams of a runtime. It
 * rejects with "cannot connect to host:port: cause" and the runtime's error as `cause`.
 */
export function streamDial({ supportedTlsOptions, open, errorText }: StreamRuntime): Dial {
  const dial: Dial = async (to, handlers, signal) => {
    signal.throwIfAborted();
    const stream = await unlessAborted(open(to, signal), signal).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw new Error(`cannot connect to ${authority(to)}: ${errorText(cause, to)}`, { cause });
    });
    return new StreamSocket(stream, { to, errorText: (thrown) => errorText(thrown, to) }, handlers);
  };
  return Object.assign(dial, { supportedTlsOptions });
}

/** Rejects as soon as the signal is aborted. A stream that opens later is cut. */
async function unlessAborted(opening: Promise<ByteStream>, signal: AbortSignal): Promise<ByteStream> {
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    onAbort(signal, abort);
  });
  try {
    return await Promise.race([opening, aborted]);
  } catch (error) {
    opening.then(
      (stream) => stream.cut(),
      () => {}, // the race has already rejected with this error or with the signal's reason
    );
    throw error;
  } finally {
    offAbort(signal, abort);
  }
}

interface StreamSocketInit {
  to: Address;
  errorText: (thrown: unknown) => string;
}

/** A dialled stream. After `close()` only `SocketHandlers.close` is called. */
class StreamSocket implements Socket {
  readonly id: string;
  readonly encrypted: boolean;
  buffered = 0;
  readonly #stream: ByteStream;
  readonly #to: Address;
  readonly #errorText: (thrown: unknown) => string;
  readonly #handlers: SocketHandlers;
  readonly #outbox: Uint8Array[] = [];
  #received = false;
  #waiting = false;
  #writing = false;
  #closing = false;
  /** `send` accepts no more bytes: we have closed, or the peer has ended its side. */
  #ending = false;
  #ended = false;
  #peerEnded = false;
  #over = false;
  #cutTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(stream: ByteStream, { to, errorText }: StreamSocketInit, handlers: SocketHandlers) {
    this.encrypted = usesTls(to);
    this.id = `${this.encrypted ? "tls" : "tcp"} ${stream.route}`;
    this.#stream = stream;
    this.#to = to;
    this.#errorText = errorText;
    this.#handlers = handlers;
    // The dialler gets its socket before the first event.
    inLaterTurn(() => void this.#read());
  }

  send(bytes: Uint8Array): boolean {
    if (this.#ending) return false;
    this.#outbox.push(bytes);
    this.buffered += bytes.length;
    if (this.buffered > BUDGET_BYTES) this.#waiting = true;
    void this.#write();
    return !this.#waiting;
  }

  close(): void {
    this.#closing = true;
    this.#end();
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const bytes = await this.#stream.read();
        if (this.#over) return;
        if (bytes === undefined) break;
        this.#received = true;
        this.#moved();
        if (!this.#closing) this.#handlers.data(bytes);
      }
    } catch (cause) {
      this.#fail(cause);
      return;
    }
    this.#peerEnded = true;
    this.#end();
    if (this.#ended) this.#finish();
  }

  /** Writes the outbox, one piece at a time, and then ends our side if it is to be ended. */
  async #write(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    try {
      for (let bytes = this.#outbox.shift(); bytes !== undefined; bytes = this.#outbox.shift()) {
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
          const piece = bytes.subarray(at, at + PIECE_BYTES);
          await this.#stream.write(piece);
          if (this.#over) return;
          this.buffered -= piece.length;
          this.#moved();
        }
        this.#drainIfRoom();
      }
      if (this.#ending) await this.#stream.end();
    } catch (cause) {
      this.#fail(cause);
      return;
    }
    this.#writing = false;
    if (!this.#ending || this.#over) return;
    this.#ended = true;
    if (this.#peerEnded) this.#finish();
    // All bytes have left; only the peer's end is missing. Bytes that it still sends do not extend the wait.
    else this.#expectEnd();
  }

  #drainIfRoom(): void {
    if (!this.#waiting || this.#closing || this.buffered > BUDGET_BYTES / 2) return;
    this.#waiting = false;
    this.#handlers.drain();
  }

  /** Ends our side. A peer that neither reads nor ends must not keep the stream: it is cut once nothing moves. */
  #end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#expectEnd();
    void this.#write();
  }

  #moved(): void {
    if (this.#ending && !this.#ended) this.#expectEnd();
  }

  #expectEnd(): void {
    clearTimeout(this.#cutTimer);
    this.#cutTimer = setTimeout(() => {
      this.#finish(new Error(`${this.id}: the peer did not close the stream within ${LINGER_MS} ms`));
    }, LINGER_MS);
  }

  #fail(cause: unknown): void {
    if (!this.#over) this.#finish(new Error(`${this.id}: ${this.#errorText(cause)}`, { cause }));
  }

  #finish(failure?: Error): void {
    this.#over = true;
    this.#ending = true;
    clearTimeout(this.#cutTimer);
    this.#stream.cut();
    const closedUnused = !this.#received && !this.#closing;
    this.#handlers.close(failure ?? (closedUnused ? this.#nothingReceived() : undefined));
  }

  #nothingReceived(): Error {
    return new Error(`${this.id}: closed by the peer before it sent anything: ${hintFor(this.#to)}`);
  }
}
