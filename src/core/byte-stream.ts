/** A PEM document: its text, or the bytes of it. */
export type Pem = string | Uint8Array;

/** What a TLS client needs to know. PEM texts, never file names: the configuration loader reads files. */
export interface TLSOptions {
  /** The authorities whose certificates are trusted. Absent: those of the runtime. */
  ca?: Pem | readonly Pem[] | undefined;
  /** Our certificate, for a server that asks for one, with `key`. */
  cert?: Pem | undefined;
  /** The private key of `cert`. */
  key?: Pem | undefined;
  /** What `key` is encrypted with, if it is. */
  passphrase?: string | undefined;
  /** The server's certificate must be valid for the virtual host of the URL, not for the host. */
  verifyVirtualHost?: boolean | undefined;
}

/** Where to connect to. `path` is the HTTP path of a WebSocket. Never holds credentials. */
export interface Address {
  /** That of the URL: `amqps`. */
  readonly scheme: string;
  /** A name or an address; IPv6 without brackets. */
  readonly hostname: string;
  /** The URL's, or the scheme's own. */
  readonly port: number;
  /** Of a WebSocket, from the `/`. */
  readonly path?: string | undefined;
  /** For a scheme that encrypts. */
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
  /** By TLS. */
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
  /** Bytes came in. They are the handler's from now on. */
  data(bytes: Uint8Array): void;
  /** What `send` answered with false has left: more can be sent. */
  drain(): void;
  /** The stream is over. The error names it. */
  close(error?: Error): void;
}

/** What can be said about TLS. */
export type TLSOptionName = keyof TLSOptions;

/** Opens a byte stream to an address; rejects with a plain Error that names address and cause, or with `signal.reason`. */
export interface Dial {
  (to: Address, on: SocketHandlers, signal: AbortSignal): Promise<Socket>;
  /** What of `Address.tls` it honours: all else is refused before it is asked. Absent: everything. */
  readonly supportedTlsOptions?: readonly TLSOptionName[] | undefined;
}

/** What a listener does with a stream that came in: the handlers are in place before the first byte. */
export type Accept = (socket: Socket) => SocketHandlers;

/** A bound listener. */
export interface Listening {
  /** The one that was asked for, or found. */
  readonly port: number;
  /** Stops listening and closes the streams that came in. */
  close(): Promise<void>;
}
