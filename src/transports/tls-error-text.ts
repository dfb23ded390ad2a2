import type { Address } from "../core/byte-stream.js";
import { usesTls } from "./scheme.js";
import { socketErrorText } from "./socket-error-text.js";

const UNTRUSTED = "the certificate is not signed by a CA that is trusted here";
const NO_TLS = "the peer does not speak TLS";
const OLD_TLS = "the peer speaks no version of TLS that is safe, 1.2 or later";

/**
 * What the TLS of Node and Bun (OpenSSL, BoringSSL) and of Deno (rustls) calls the failures that an operator meets, in words:
 * codes of verification, and reasons.
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
  ["peer did not return a certificate", "the peer showed no certificate"],
  ["tlsv1 alert protocol version", OLD_TLS],
  ["tlsv1 alert certificate required", "the peer requires a certificate"],
  ["tlsv1 unrecognized name", "the peer does not know the name that was asked for (SNI)"],
  ["tlsv13 alert certificate required", "the peer requires a certificate"],
  ["unsupported protocol", OLD_TLS],
  ["wrong version number", NO_TLS],
]);

/** OpenSSL's own message is a line of numbers, names and this; Node does not always take it apart (EPROTO). BoringSSL's ends with it. */
const REASON = /:SSL routines:[^:]*:([^:]+)(?::|$)/;
/** Where rustls is brief, it means one of its names. */
const RUSTLS_REASON = /(?:peer certificate|fatal alert|message of type):? (\w+)$/;
/** Alerts by which a server may refuse a client's certificate, or miss it. */
const ABOUT_CERTIFICATES =
  /alert (handshake failure|unknown ca|access denied|(?!certificate required).*certificate.*)$/;

/** As causeOf, in the words of TLS too. */
export function tlsErrorText(thrown: unknown): string {
  const code = codeOf(thrown);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return otherName(Object(thrown));
  const reason = reasonOf(thrown);
  const word = WORDS.get(code) ?? WORDS.get(reason ?? RUSTLS_REASON.exec(String(thrown))?.[1]);
  if (word !== undefined) return word;
  if (reason === undefined) return socketErrorText(thrown);
  const [, alert] = / alert (.*)$/.exec(reason) ?? [];
  return alert === undefined ? `TLS: ${reason}` : `the peer sent the TLS alert "${alert}"`;
}

/** The code of a verification that failed (X509_V_ERR_* of OpenSSL), in words. */
export function verificationErrorText(code: unknown): string {
  return WORDS.get(code) ?? String(code);
}

/** As tlsCauseOf, for a dialler: with what the server may mean, where it does not say. */
export function dialErrorText(thrown: unknown, to: Address): string {
  const code = codeOf(thrown);
  const isGone = code === "ECONNRESET" || code === "EPIPE";
  const why = (isGone && whyGone(thrown)) || tlsErrorText(thrown);
  return isGone || ABOUT_CERTIFICATES.test(reasonOf(thrown) ?? "") ? `${why}: ${hintFor(to)}` : why;
}

/** What a server may mean by going without a word. TLS 1.3 refuses a client's certificate only after the handshake. */
export function hintFor(to: Address): string {
  if (!usesTls(to)) return "it may speak TLS only";
  return to.tls?.cert === undefined
    ? "it may require a client certificate"
    : "it may have refused the client certificate";
}

/** Node borrows the code of a reset for both. */
function whyGone(thrown: unknown): string | undefined {
  const text = String(thrown);
  if (text.includes("before secure TLS connection")) return "closed by the peer during the TLS handshake";
  return text.includes("socket hang up") ? "closed by the peer without an answer" : undefined;
}

interface NameError {
  host?: unknown;
  cert?: { subjectaltname?: unknown; subject?: { CN?: unknown } };
}

/** Node's error of checkServerIdentity. Bun's tells nothing. */
function otherName({ host, cert }: NameError): string {
  if (host === undefined) return "the certificate is for another name";
  const names = cert?.subjectaltname ?? cert?.subject?.CN ?? "nobody";
  return `the certificate is not for ${host}, but for ${String(names).slice(0, 200)}`;
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
}

function reasonOf(thrown: unknown): string | undefined {
  return REASON.exec(String(thrown))?.[1]?.toLowerCase().replaceAll("_", " ");
}
