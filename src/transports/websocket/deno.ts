import type { Address } from "../../core/byte-stream.js";
import { dialCauseOf } from "../tls-error-text.js";
import { ownWebSocket } from "./native.js";

/** WebSockets of Deno. Whom it trusts can be told from outside only: `--cert`, DENO_CERT. */
export const denoWebSocketDial = ownWebSocket({ causeOf });

/** Where TLS fails Deno goes on to try HTTP/2, and tells only how that failed. */
function causeOf(thrown: unknown, to: Address): string {
  const why = dialCauseOf(thrown, to);
  return why.includes("NoApplicationProtocol")
    ? "the TLS handshake failed: is the certificate signed by a CA that Deno trusts, or that DENO_CERT tells it of?"
    : why;
}
