/** A PEM document: its text, or the bytes of it. */
export type Pem = string | Uint8Array;

/** What a TLS client needs to know. PEM texts, never file names: the configuration loader reads files. */
export interface TLSOptions {
  ca?: Pem | readonly Pem[] | undefined;
  cert?: Pem | undefined;
  key?: Pem | undefined;
  passphrase?: string | undefined;
  verifyVirtualHost?: boolean | undefined;
}

/** Where to connect to. `path` is the HTTP path of a WebSocket. Never holds credentials. */
export interface Address {
  readonly scheme: string;
  readonly hostname: string;
  readonly port: number;
  readonly path?: string | undefined;
  readonly tls?: TLSOptions | undefined;
  /** The name that the server's certificate must be valid for, and that is asked for (SNI). Absent: `hostname`. */
  readonly serverName?: string | undefined;
}

/**
 * One byte stream. Neither `send` nor `close` throws, and neither calls a handler before it returns; what fails is told to
 * `SocketHandlers.close`.
 */
export interface Socket {
  /** For logs: which stream this is, without credentials. */
  readonly id: string;
  readonly encrypted: boolean;
  /** Of a TLS stream that came in: the name in the client's certificate, once that was verified. */
  readonly clientName?: string | undefined;
  /** Bytes handed over that have not left yet. */
  readonly buffered: number;
  /** Hands the bytes over: the caller never touches them again. False asks to wait for `drain`. */
  send(bytes: Uint8Array): boolean;
  /** Sends what is buffered, then closes. `SocketHandlers.close` follows. */
  close(): void;
}

/** What a byte stream tells. Nothing comes after `close`, which comes exactly once, with the cause when it was not an orderly end. */
export interface SocketHandlers {
  data(bytes: Uint8Array): void;
  drain(): void;
  close(error?: Error): void;
}

/** Opens a byte stream to an address; rejects with a plain Error that names address and cause, or with `signal.reason`. */
export type Dial = (to: Address, on: SocketHandlers, signal: AbortSignal) => Promise<Socket>;

/** What a listener does with a stream that came in: the handlers are in place before the first byte. */
export type Accept = (socket: Socket) => SocketHandlers;

/** A bound listener. */
export interface Listening {
  readonly port: number;
  /** Stops listening and closes the streams that came in. */
  close(): Promise<void>;
}
