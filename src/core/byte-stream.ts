/** A PEM document, as text or as bytes. */
export type Pem = string | Uint8Array;

/**
 * TLS settings of a client. Certificates and keys are PEM documents, never file names: the configuration loader reads
 * files.
 */
export interface TLSOptions {
  /** Certificate authorities to trust. Default: those of the runtime. */
  ca?: Pem | readonly Pem[] | undefined;
  /** Client certificate for a server that requests one. Requires `key`. */
  cert?: Pem | undefined;
  /** Private key of `cert`. */
  key?: Pem | undefined;
  /** Passphrase of an encrypted `key`. */
  passphrase?: string | undefined;
  /** Verify the server's certificate against the virtual host of the URL instead of its host. */
  verifyVirtualHost?: boolean | undefined;
}

/** Address to connect to. Never contains credentials. */
export interface Address {
  /** Scheme of the URL, such as `amqps`. */
  readonly scheme: string;
  /** Host name or IP address; IPv6 without brackets. */
  readonly hostname: string;
  /** Port of the URL, or the default port of the scheme. */
  readonly port: number;
  /** HTTP path of a WebSocket, with its leading `/`. */
  readonly path?: string | undefined;
  /** TLS settings, for a scheme that uses TLS. */
  readonly tls?: TLSOptions | undefined;
  /** Name that is sent as SNI and that the server's certificate must be valid for. Default: `hostname`. */
  readonly serverName?: string | undefined;
}

/**
 * An open byte stream. `send` and `close` never throw and never call a handler before they return; errors are passed to
 * `SocketHandlers.close`.
 */
export interface Socket {
  /** Name of the stream in logs, without credentials. */
  readonly id: string;
  /** Whether the stream uses TLS. */
  readonly encrypted: boolean;
  /** Name in the client's verified certificate, on an accepted TLS stream. */
  readonly clientName?: string | undefined;
  /** Bytes passed to `send` that are not yet sent. */
  readonly buffered: number;
  /** Sends the bytes, which the caller must not use afterwards. Returns false when the caller should wait for `drain`. */
  send(bytes: Uint8Array): boolean;
  /** Sends the buffered bytes, then closes the stream. `SocketHandlers.close` is called afterwards. */
  close(): void;
}

/** Events of a byte stream. `close` is called exactly once, as the last event. */
export interface SocketHandlers {
  /** Bytes have arrived. The handler owns them. */
  data(bytes: Uint8Array): void;
  /** The buffer that made `send` return false is empty: more can be sent. */
  drain(): void;
  /** The stream is closed. `error`, which names the stream, is the cause unless it was closed in an orderly way. */
  close(error?: Error): void;
}

/** Name of a TLS setting. */
export type TLSOptionName = keyof TLSOptions;

/**
 * Opens a byte stream to an address.
 *
 * @throws Error that names the address and the cause.
 * @throws the reason of `signal` when it is aborted.
 */
export interface Dial {
  (to: Address, on: SocketHandlers, signal: AbortSignal): Promise<Socket>;
  /** Settings of `Address.tls` that are supported. Others are refused before dialling. Default: all. */
  readonly supportedTlsOptions?: readonly TLSOptionName[] | undefined;
}

/** Returns the handlers for an accepted stream. They are in place before the first byte arrives. */
export type Accept = (socket: Socket) => SocketHandlers;

/** A bound listener. */
export interface Listening {
  /** Port that was requested, or that the system assigned. */
  readonly port: number;
  /** Stops listening and closes all accepted streams. */
  close(): Promise<void>;
}
