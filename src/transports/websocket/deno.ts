import type { Address } from "../../core/byte-stream.js";
import { dialErrorText } from "../tls-error-text.js";
import { nativeWebSocket } from "./native.js";

/** Dials WebSockets in Deno. Trusted CAs can only be set from outside: `--cert`, DENO_CERT. */
export const denoWebSocketDial = nativeWebSocket({ errorText });

/** When the TLS handshake fails, Deno tries HTTP/2 next and reports only that failure. */
function errorText(thrown: unknown, to: Address): string {
  const why = dialErrorText(thrown, to);
  return why.includes("NoApplicationProtocol")
    ? "the TLS handshake failed: is the certificate signed by a CA that Deno trusts, or by one in DENO_CERT?"
    : why;
}
