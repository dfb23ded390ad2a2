import { utf8Encoder } from "../types/utf8.js";
import { fromBase64, toBase64 } from "./base64.js";

/** Hash function, by its name in WebCrypto. */
export type ScramHash = "SHA-1" | "SHA-256" | "SHA-512";

/**
 * Limits of the iteration count. With fewer, the password could be guessed from the exchange; with more, a peer could
 * keep this side computing.
 */
export const MIN_ITERATIONS = 4_096;
export const MAX_ITERATIONS = 1_000_000;

const BITS: Readonly<Record<ScramHash, number>> = { "SHA-1": 160, "SHA-256": 256, "SHA-512": 512 };
const NONCE_BYTES = 18;

export interface ScramInit {
  hash: ScramHash;
  /** Password, prepared by `saslprep`. */
  password: string;
  salt: Uint8Array<ArrayBuffer>;
  iterations: number;
  /** The messages of both sides, joined by commas: client-first-bare, server-first, client-final without the proof. */
  authMessage: string;
}

/** Proofs of client and server that they know the password. */
export interface ScramProofs {
  client: Uint8Array;
  server: Uint8Array;
}

/** Computes the proofs (RFC 5802, section 3). */
export async function scramProofs(init: ScramInit): Promise<ScramProofs> {
  const { hash, salt, iterations, authMessage } = init;
  const password = await crypto.subtle.importKey("raw", utf8Encoder().encode(init.password), "PBKDF2", false, [
    "deriveBits",
  ]);
  const salted = await crypto.subtle.deriveBits({ name: "PBKDF2", hash, salt, iterations }, password, BITS[hash]);
  const clientKey = await hmac(hash, salted, "Client Key");
  const storedKey = await crypto.subtle.digest(hash, clientKey);
  const signature = await hmac(hash, storedKey, authMessage);
  const serverKey = await hmac(hash, salted, "Server Key");
  return {
    client: clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)),
    server: await hmac(hash, serverKey, authMessage),
  };
}

export async function hmac(hash: ScramHash, key: BufferSource, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, utf8Encoder().encode(text)));
}

export function newNonce(): string {
  return toBase64(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
}

/** Escapes a name for the attributes `n=` and `a=`. */
export function escapeName(name: string): string {
  return name.replaceAll("=", "=3D").replaceAll(",", "=2C");
}

/** Reverses `escapeName`. Returns undefined when `text` is invalid. */
export function unescapeName(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text)) return undefined;
  return text.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

export interface ServerFirst {
  nonce: string;
  salt: Uint8Array<ArrayBuffer>;
  iterations: number;
}

/** Parses the server's first message. Returns undefined when it is invalid. Optional extensions are ignored. */
export function readServerFirst(text: string): ServerFirst | undefined {
  const [, nonce, base64, digits] = /^r=([!-+\--~]+),s=([^,]+),i=([1-9]\d{0,9})(?:,|$)/.exec(text) ?? [];
  const salt = base64 === undefined ? undefined : fromBase64(base64);
  return nonce === undefined || salt === undefined ? undefined : { nonce, salt, iterations: Number(digits) };
}
