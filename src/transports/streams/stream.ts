import { authority } from "../../core/authority.js";
import type { Address, Dial, Socket, SocketHandlers, TLSOptionName } from "../../core/byte-stream.js";
import { inLaterTurn } from "../later-turn.js";
import { usesTls } from "../scheme.js";
import { hintFor } from "../tls-error-text.js";

/** More than this on its way asks the sender to wait. */
const BUDGET_BYTES = 1024 * 1024;
/** So much is written at once: a peer that reads slowly is seen to read. */
const PIECE_BYTES = 65_536;
/** How long the peer may do nothing about an ended stream before it is cut. */
const LINGER_MS = 2000;

/** A connected TCP or TLS stream of a runtime without Node. What fails rejects. */
export interface ByteStream {
  /** For logs: from where to where. */
  readonly route: string;
  /** What has come, for the caller to keep. Undefined: the peer has ended its side, and nothing comes any more. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when the system has taken all of it. One at a time. */
  write(bytes: Uint8Array): Promise<void>;
  /** Tells the peer that nothing more comes. The stream can still be read. */
  end(): Promise<void>;
  /** Gives the stream back, which is over then, whatever was on its way. */
  cut(): void;
}

/** How a runtime opens streams. */
export interface StreamRuntime {
  /** Of `Address.tls`. */
  supportedTlsOptions: readonly TLSOptionName[];
  /** Resolves when bytes can be sent, by TLS after its handshake. The signal may end it, but need not. */
  open(to: Address, signal: AbortSignal): Promise<ByteStream>;
  /** Says in words why it failed. */
  causeOf(thrown: unknown, to: Address): string;
}

/**
 * TCP, and TLS for the scheme `amqps` or an address with `tls`, by streams of the runtime. Rejects with "cannot connect to
 * host:port: cause" and the runtime's error as `cause`.
 */
export function streamDial({ supportedTlsOptions, open, causeOf }: StreamRuntime): Dial {
  const dial: Dial = async (to, on, signal) => {
    signal.throwIfAborted();
    const stream = await unlessAborted(open(to, signal), signal).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw new Error(`cannot connect to ${authority(to)}: ${causeOf(cause, to)}`, { cause });
    });
    return new StreamSocket(stream, { to, causeOf: (thrown) => causeOf(thrown, to) }, on);
  };
  return Object.assign(dial, { supportedTlsOptions });
}

/** Rejects as soon as the signal is aborted; a stream that opens all the same is cut. */
async function unlessAborted(opening: Promise<ByteStream>, signal: AbortSignal): Promise<ByteStream> {
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
  });
  try {
    return await Promise.race([opening, aborted]);
  } catch (error) {
    opening.then(
      (stream) => stream.cut(),
      () => {}, // it is told already, or nobody asks any more
    );
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

interface StreamSocketInit {
  to: Address;
  causeOf: (thrown: unknown) => string;
}

/** A stream that was dialled. After `close()` nothing is told but `SocketHandlers.close`. */
class StreamSocket implements Socket {
  readonly id: string;
  readonly encrypted: boolean;
  buffered = 0;
  readonly #stream: ByteStream;
  readonly #to: Address;
  readonly #causeOf: (thrown: unknown) => string;
  readonly #on: SocketHandlers;
  readonly #outbox: Uint8Array[] = [];
  #heard = false;
  #waiting = false;
  #writing = false;
  #closing = false;
  /** Nothing more is taken to be sent: we have closed, or the peer has ended its side. */
  #ending = false;
  #ended = false;
  #peerEnded = false;
  #over = false;
  #cutTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(stream: ByteStream, { to, causeOf }: StreamSocketInit, on: SocketHandlers) {
    this.encrypted = usesTls(to);
    this.id = `${this.encrypted ? "tls" : "tcp"} ${stream.route}`;
    this.#stream = stream;
    this.#to = to;
    this.#causeOf = causeOf;
    this.#on = on;
    // The dialler has its end before it hears anything.
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
        this.#heard = true;
        this.#moved();
        if (!this.#closing) this.#on.data(bytes);
      }
    } catch (cause) {
      this.#fail(cause);
      return;
    }
    this.#peerEnded = true;
    this.#end();
    if (this.#ended) this.#finish();
  }

  /** One at a time, until there is nothing to write; then the end, if that is what comes next. */
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
    // All has left, so that only the peer's end is missing. What it still sends is no reason to wait longer.
    else this.#expectEnd();
  }

  #drainIfRoom(): void {
    if (!this.#waiting || this.#closing || this.buffered > BUDGET_BYTES / 2) return;
    this.#waiting = false;
    this.#on.drain();
  }

  /** A peer that neither reads nor ends its side must not keep the stream: it is cut when nothing moves any more. */
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
      this.#finish(new Error(`${this.id}: cut, because the peer did not close it within ${LINGER_MS} ms`));
    }, LINGER_MS);
  }

  #fail(cause: unknown): void {
    if (!this.#over) this.#finish(new Error(`${this.id}: ${this.#causeOf(cause)}`, { cause }));
  }

  #finish(failure?: Error): void {
    this.#over = true;
    this.#ending = true;
    clearTimeout(this.#cutTimer);
    this.#stream.cut();
    const wordless = !this.#heard && !this.#closing;
    this.#on.close(failure ?? (wordless ? this.#saidNothing() : undefined));
  }

  #saidNothing(): Error {
    return new Error(`${this.id}: closed by the peer before it said a word: ${hintFor(this.#to)}`);
  }
}
