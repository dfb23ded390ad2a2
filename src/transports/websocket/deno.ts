import type { Address } from "../../core/byte-stream.js";
import { dialErrorText } from "../tls-error-text.js";
import { nativeWebSocket } from "./native.js";

/** WebSockets of Deno. Whom it trusts can be told from outside only: `--cert`, DENO_CERT. */
export const denoWebSocketDial = nativeWebSocket({ causeOf });

/** Where TLS fails Deno goes on to try HTTP/2, and tells only how that failed. */
function causeOf(thrown: unknown, to: Address): string {
  const why = dialErrorText(thrown, to);
  return why.includes("NoApplicationProtocol")
    ? "the TLS handshake failed: is the certificate signed by a CA that Deno trusts, or that DENO_CERT tells it of?"
    : why;
}
