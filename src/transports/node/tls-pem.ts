import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Pem } from "../../core/byte-stream.js";

/** A certificate, the key that belongs to it, and the passphrase of the key. */
export interface Identity {
  /** The certificate, and those between it and its authority. */
  cert: Pem;
  /** Its private key. */
  key: Pem;
  /** What `key` is encrypted with, if it is. */
  passphrase?: string | undefined;
}

/** What a listener needs for TLS: who it is, and by whom its clients' certificates must be signed. */
export interface TlsListenerOptions extends Identity {
  /** Clients need a certificate that one of these has signed. Absent: they are not asked for any. */
  clientCa?: Pem | readonly Pem[] | undefined;
}

/** As Node's TLS takes it. */
export interface NodeIdentity {
  cert: string;
  key: string;
  passphrase: string | undefined;
}

/**
 * Node would take a certificate without a key and show none, and takes texts that are no certificates for no CA: here they
 * are errors, in words, which never quote what they are about.
 *
 * @throws Error when certificate and key are not what they should be, or do not belong together.
 */
export function nodeIdentity({ cert, key, passphrase }: Identity): NodeIdentity {
  if (!certificateOf(cert, "the certificate").checkPrivateKey(keyOf(key, passphrase))) {
    throw new Error("the private key does not belong to the certificate");
  }
  return { cert: textOf(cert), key: textOf(key), passphrase };
}

/** @throws Error when one of them holds no certificate. */
export function nodeAuthorities(ca: Pem | readonly Pem[]): string[] {
  const pems = typeof ca === "string" || ca instanceof Uint8Array ? [ca] : ca;
  for (const pem of pems) certificateOf(pem, "the CA");
  return pems.map(textOf);
}

function certificateOf(pem: Pem, what: string): X509Certificate {
  try {
    return new X509Certificate(textOf(pem));
  } catch (cause) {
    throw new Error(`${what} is not a certificate in PEM format`, { cause });
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
  if (!isEncrypted) return "there is no private key in PEM format";
  return passphrase === undefined
    ? "the private key is encrypted, and there is no passphrase for it"
    : "the private key cannot be decrypted: the passphrase is wrong";
}

/** As text, which Node reads as PEM only: bytes could be DER, which its TLS would not take. */
function textOf(pem: Pem): string {
  return typeof pem === "string" ? pem : Buffer.from(pem).toString();
}
