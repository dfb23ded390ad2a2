import type { Socket as NetSocket, Server } from "node:net";
import { TLSSocket, type TlsOptions } from "node:tls";
import type { Log } from "../../core/recurring-warnings.js";
import { tlsErrorText, verificationErrorText } from "../tls-error-text.js";
import { nodeAuthorities, nodeIdentity, type TlsListenerOptions } from "./tls-pem.js";

/** Timeout for a client's TLS handshake. */
const HANDSHAKE_MS = 10_000;

/**
 * Options of Node's TLS server.
 *
 * @throws Error when a certificate or key is invalid, or when they do not belong together.
 */
export function tlsServerOptions({ clientCa, ...identity }: TlsListenerOptions): TlsOptions {
  return {
    ...nodeIdentity(identity),
    minVersion: "TLSv1.2",
    handshakeTimeout: HANDSHAKE_MS,
    ...(clientCa !== undefined && { ca: nodeAuthorities(clientCa), requestCert: true, rejectUnauthorized: true }),
  };
}

/**
 * The streams of a TLS server, tracked from before their handshake. Failed handshakes are logged. Those of clients that
 * disconnect without an alert, as health checks do, are no warnings.
 */
export class TlsStreams {
  readonly #streams = new Set<NetSocket>();

  constructor(server: Server, { logger, warnings }: Log) {
    server.on("connection", (stream: NetSocket) => {
      this.#streams.add(stream);
      stream.once("close", () => this.#streams.delete(stream));
    });
    // Prepended: the listener of HTTPS destroys the stream, and its address with it.
    server.prependListener("tlsClientError", (error: NodeJS.ErrnoException, stream: TLSSocket) => {
      // Null until the certificate has been checked, although the type does not say so. Node then ends the stream of a
      // client whose certificate is refused, and reports the reason only here.
      const { authorizationError, remoteAddress = "a client" } = stream;
      const reason = authorizationError
        ? `the client's certificate was refused: ${verificationErrorText(authorizationError)}`
        : tlsErrorText(error);
      const message = `the TLS handshake of ${remoteAddress} failed: ${reason}`;
      if (error.code === "ECONNRESET" && !authorizationError) logger.debug(message);
      else warnings.warn(`TLS handshake: ${reason}`, message);
      // After a timeout Node leaves the stream open.
      stream.destroy();
    });
  }

  /** Destroys the remaining streams. Streams still in their handshake are tracked only here. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}

/**
 * The name in the client's certificate, if a certificate was requested and verified: the CN, or the whole subject
 * unless it has exactly one CN.
 */
export function clientNameOf(stream: NetSocket): string | undefined {
  if (!(stream instanceof TLSSocket) || !stream.authorized) return undefined;
  const subject = stream.getPeerX509Certificate()?.subject.split("\n") ?? [];
  const names = subject.filter((part) => part.startsWith("CN="));
  return (names.length === 1 ? names[0]?.slice("CN=".length) : subject.join(",")) || undefined;
}
