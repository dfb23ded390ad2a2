import type { Address } from "../core/byte-stream.js";
import { isError } from "../core/kinds.js";
import { usesTls } from "./scheme.js";
import { socketErrorText } from "./socket-error-text.js";

const UNTRUSTED = "the certificate is not signed by a trusted CA";
const NO_TLS = "the peer does not speak TLS";
const OLD_TLS = "the peer does not support TLS 1.2 or later";

/**
 * Descriptions of the TLS failures that an operator meets, by the codes of failed verifications and the reasons that
 * OpenSSL (Node), BoringSSL (Bun) and rustls (Deno) report.
 */
const WORDS: ReadonlyMap<unknown, string> = new Map([
  ["CERT_HAS_EXPIRED", "the certificate has expired"],
  ["CERT_NOT_YET_VALID", "the certificate is not valid yet"],
  ["CERT_REVOKED", "the certificate has been revoked"],
  ["CertificateRequired", "the peer requires a certificate"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", UNTRUSTED],
  ["Expired", "the certificate has expired"],
  ["INVALID_PURPOSE", "the certificate is for another purpose"],
  ["InvalidContentType", NO_TLS],
  ["NotValidYet", "the certificate is not valid yet"],
  ["SELF_SIGNED_CERT_IN_CHAIN", UNTRUSTED],
  ["UNABLE_TO_GET_ISSUER_CERT", UNTRUSTED],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", UNTRUSTED],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", UNTRUSTED],
  ["UnknownIssuer", UNTRUSTED],
  ["http request", NO_TLS],
  ["packet length too long", NO_TLS],
  ["peer did not return a certificate", "the peer sent no certificate"],
  ["tlsv1 alert protocol version", OLD_TLS],
  ["tlsv1 alert certificate required", "the peer requires a certificate"],
  ["tlsv1 unrecognized name", "the peer does not know the requested server name (SNI)"],
  ["tlsv13 alert certificate required", "the peer requires a certificate"],
  ["unsupported protocol", OLD_TLS],
  ["wrong version number", NO_TLS],
]);

/**
 * The reason in OpenSSL's message, a line of numbers, names and the reason, which Node does not always parse (EPROTO).
 * BoringSSL's message ends with the reason.
 */
const REASON = /:SSL routines:[^:]*:([^:]+)(?::|$)/;
/** The name of an error at the end of rustls' short messages. */
const RUSTLS_REASON = /(?:peer certificate|fatal alert|message of type):? (\w+)$/;
/** Alerts by which a server may refuse a client's certificate, or report that it is missing. */
const ABOUT_CERTIFICATES =
  /alert (handshake failure|unknown ca|access denied|(?!certificate required).*certificate.*)$/;

/** As `socketErrorText`, and describes TLS failures too. */
export function tlsErrorText(thrown: unknown): string {
  const code = codeOf(thrown);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return wrongNameText(Object(thrown));
  const reason = reasonOf(thrown);
  const word = WORDS.get(code) ?? WORDS.get(reason ?? RUSTLS_REASON.exec(String(thrown))?.[1]);
  if (word !== undefined) return word;
  if (reason === undefined) return socketErrorText(thrown);
  const [, alert] = / alert (.*)$/.exec(reason) ?? [];
  return alert === undefined ? `TLS: ${reason}` : `the peer sent the TLS alert "${alert}"`;
}

/** Describes the code of a failed verification (X509_V_ERR_* of OpenSSL). */
export function verificationErrorText(code: unknown): string {
  return WORDS.get(code) ?? String(code);
}

/** As `tlsErrorText`, for a dialler. Adds `hintFor` when the server gives no reason. */
export function dialErrorText(thrown: unknown, to: Address): string {
  const code = codeOf(thrown);
  if (/^HPE_/.test(String(code))) return notHttpText(thrown);
  const isClosed = code === "ECONNRESET" || code === "EPIPE";
  const why = (isClosed && closedText(thrown)) || tlsErrorText(thrown);
  return isClosed || ABOUT_CERTIFICATES.test(reasonOf(thrown) ?? "") ? `${why}: ${hintFor(to)}` : why;
}

/** Likely cause when a server closes without a reason. TLS 1.3 refuses a client's certificate only after the handshake. */
export function hintFor(to: Address): string {
  if (!usesTls(to)) return "it may require TLS";
  return to.tls?.cert === undefined
    ? "it may require a client certificate"
    : "it may have refused the client certificate";
}

/** The WebSocket's handshake got a response that is not HTTP. Node's error has it as a Buffer. */
function notHttpText(thrown: unknown): string {
  const speaksAmqp = String(Object(thrown).rawPacket).startsWith("AMQP");
  const hint = ", it speaks AMQP over TCP: use a relay or omit +ws";
  return `the peer is not a WebSocket server${speaksAmqp ? hint : ""}`;
}

/** Node reports both of these with the code of a reset. */
function closedText(thrown: unknown): string | undefined {
  const text = String(thrown);
  if (text.includes("before secure TLS connection")) return "closed by the peer during the TLS handshake";
  return text.includes("socket hang up") ? "closed by the peer without a response" : undefined;
}

interface NameError {
  host?: unknown;
  cert?: { subjectaltname?: unknown; subject?: { CN?: unknown } };
}

/** Node's error of checkServerIdentity names the host and the certificate. Bun's names neither. */
function wrongNameText({ host, cert }: NameError): string {
  if (host === undefined) return "the certificate is for another name";
  const names = cert?.subjectaltname ?? cert?.subject?.CN ?? "no name";
  return `the certificate is not for ${host}, but for ${String(names).slice(0, 200)}`;
}

function codeOf(thrown: unknown): unknown {
  return isError(thrown) && "code" in thrown ? thrown.code : undefined;
}

function reasonOf(thrown: unknown): string | undefined {
  return REASON.exec(String(thrown))?.[1]?.toLowerCase().replaceAll("_", " ");
}
