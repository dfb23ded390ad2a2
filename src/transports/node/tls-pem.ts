import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Pem } from "../../core/byte-stream.js";

/** A certificate, its private key, and the passphrase of the key. */
export interface Identity {
  /** Certificate, followed by the intermediate certificates up to its CA. */
  cert: Pem;
  /** Private key of the certificate. */
  key: Pem;
  /** Passphrase of `key`, if it is encrypted. */
  passphrase?: string | undefined;
}

/** TLS options of a listener: its identity, and the CAs that must have signed its clients' certificates. */
export interface TlsListenerOptions extends Identity {
  /** Requires a client certificate that one of these CAs has signed. Omitted: no client certificate is requested. */
  clientCa?: Pem | readonly Pem[] | undefined;
}

/** An identity in the form that Node's TLS expects. */
export interface NodeIdentity {
  cert: string;
  key: string;
  passphrase: string | undefined;
}

/**
 * The identity for Node's TLS, checked. Node itself accepts a certificate without a key and then sends no certificate.
 * The errors never quote the documents.
 *
 * @throws Error when the certificate or the key is invalid, or when they do not belong together.
 */
export function nodeIdentity({ cert, key, passphrase }: Identity): NodeIdentity {
  if (!certificateOf(cert, "the certificate").checkPrivateKey(keyOf(key, passphrase))) {
    throw new Error("the private key does not belong to the certificate");
  }
  return { cert: textOf(cert), key: textOf(key), passphrase };
}

/**
 * The CAs for Node's TLS, checked. Node itself treats a text without a certificate as an empty list of CAs.
 *
 * @throws Error when one of the documents contains no certificate.
 */
export function nodeAuthorities(ca: Pem | readonly Pem[]): string[] {
  const pems = typeof ca === "string" || ArrayBuffer.isView(ca) ? [ca] : ca;
  for (const pem of pems) certificateOf(pem, "the CA");
  return pems.map(textOf);
}

function certificateOf(pem: Pem, subject: string): X509Certificate {
  try {
    return new X509Certificate(textOf(pem));
  } catch (cause) {
    throw new Error(`${subject} is not a certificate in PEM format`, { cause });
  }
}

function keyOf(pem: Pem, passphrase: string | undefined): KeyObject {
  const key = textOf(pem);
  try {
    return createPrivateKey({ key, passphrase });
  } catch (cause) {
    throw new Error(whyNoKey(key.includes("ENCRYPTED"), passphrase), { cause });
  }
}

function whyNoKey(isEncrypted: boolean, passphrase: string | undefined): string {
  if (!isEncrypted) return "no private key in PEM format";
  return passphrase === undefined
    ? "the private key is encrypted, and no passphrase is given"
    : "the private key cannot be decrypted: the passphrase is wrong";
}

/** The document as text, which Node reads only as PEM. Node also reads bytes as DER, which its TLS does not accept. */
function textOf(pem: Pem): string {
  return typeof pem === "string" ? pem : Buffer.from(pem).toString();
}
