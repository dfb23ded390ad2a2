import type { Socket as NetSocket, Server } from "node:net";
import { TLSSocket, type TlsOptions } from "node:tls";
import type { Logger } from "../../core/logger.js";
import { tlsErrorText, verificationErrorText } from "../tls-error-text.js";
import { nodeAuthorities, nodeIdentity, type TlsListenerOptions } from "./tls-pem.js";

/** How long a client may take for its handshake. */
const HANDSHAKE_MS = 10_000;

/** @throws Error for certificates and keys that are none, or do not belong together. */
export function tlsServerOptions({ clientCa, ...identity }: TlsListenerOptions): TlsOptions {
  return {
    ...nodeIdentity(identity),
    minVersion: "TLSv1.2",
    handshakeTimeout: HANDSHAKE_MS,
    ...(clientCa !== undefined && { ca: nodeAuthorities(clientCa), requestCert: true, rejectUnauthorized: true }),
  };
}

/** The streams that come in by a TLS server, from before their handshake. Handshakes that fail are logged. */
export class TlsStreams {
  readonly #streams = new Set<NetSocket>();

  constructor(server: Server, logger: Logger) {
    server.on("connection", (stream: NetSocket) => {
      this.#streams.add(stream);
      stream.once("close", () => this.#streams.delete(stream));
    });
    // Before the one of HTTPS, which destroys the stream, and with it the address.
    server.prependListener("tlsClientError", (error: Error, stream: TLSSocket) => {
      logger.warn(`the TLS handshake of ${stream.remoteAddress ?? "a client"} failed: ${whyFailed(error, stream)}`);
      // After a timeout Node leaves it open.
      stream.destroy();
    });
  }

  /** Cuts those that are left: nobody else knows those whose handshake is not over. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}

/** Node ends the stream of a client whose certificate it cannot verify, and says only here why. */
function whyFailed(error: Error, { authorizationError }: TLSSocket): string {
  // Null until the certificate was looked at, whatever the type says.
  if (!authorizationError) return tlsErrorText(error);
  return `the client's certificate was refused: ${verificationErrorText(authorizationError)}`;
}

/**
 * The name in the certificate of the client, if one was asked for and verified: the CN, or the whole subject when there
 * is not exactly one CN.
 */
export function clientNameOf(stream: NetSocket): string | undefined {
  if (!(stream instanceof TLSSocket) || !stream.authorized) return undefined;
  const subject = stream.getPeerX509Certificate()?.subject.split("\n") ?? [];
  const names = subject.filter((part) => part.startsWith("CN="));
  return (names.length === 1 ? names[0]?.slice("CN=".length) : subject.join(",")) || undefined;
}
