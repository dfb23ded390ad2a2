import { fromBase64, toBase64 } from "./base64.js";

/** By WebCrypto's names. */
export type ScramHash = "SHA-1" | "SHA-256" | "SHA-512";

/** With fewer the password could be guessed from what goes over the wire; with more a peer would keep us busy for ever. */
export const MIN_ITERATIONS = 4_096;
export const MAX_ITERATIONS = 1_000_000;

const BITS: Readonly<Record<ScramHash, number>> = { "SHA-1": 160, "SHA-256": 256, "SHA-512": 512 };
const NONCE_BYTES = 18;
const encoder = new TextEncoder();

export interface ScramInit {
  hash: ScramHash;
  /** Prepared by saslprep. */
  password: string;
  salt: Uint8Array<ArrayBuffer>;
  iterations: number;
  /** All that both sides have said: client-first-bare, server-first, client-final without the proof. */
  authMessage: string;
}

/** What shows, of either side, that it knows the password. */
export interface ScramProofs {
  client: Uint8Array;
  server: Uint8Array;
}

/** RFC 5802, section 3. */
export async function scramProofs(init: ScramInit): Promise<ScramProofs> {
  const { hash, salt, iterations, authMessage } = init;
  const password = await crypto.subtle.importKey("raw", encoder.encode(init.password), "PBKDF2", false, ["deriveBits"]);
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
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text)));
}

export function newNonce(): string {
  return toBase64(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
}

/** A name as `n=` and `a=` carry it. */
export function escapeName(name: string): string {
  return name.replaceAll("=", "=3D").replaceAll(",", "=2C");
}

/** Undefined for what escapeName does not make. */
export function unescapeName(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text)) return undefined;
  return text.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

export interface ServerFirst {
  nonce: string;
  salt: Uint8Array<ArrayBuffer>;
  iterations: number;
}

/** The server's first message; undefined when it is none. Extensions that may be ignored are. */
export function readServerFirst(text: string): ServerFirst | undefined {
  const [, nonce, base64, digits] = /^r=([!-+\--~]+),s=([^,]+),i=([1-9]\d{0,9})(?:,|$)/.exec(text) ?? [];
  const salt = base64 === undefined ? undefined : fromBase64(base64);
  return nonce === undefined || salt === undefined ? undefined : { nonce, salt, iterations: Number(digits) };
}
