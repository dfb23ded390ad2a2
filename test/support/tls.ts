import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A document of test/data/tls; its make.sh says what they are. */
export function pemFile(name: string): string {
  return fileURLToPath(new URL(`../data/tls/${name}.pem`, import.meta.url));
}

export function pem(name: string): string {
  return readFileSync(pemFile(name), "utf8");
}

/** The authority that has signed SERVER, VHOST_SERVER and CLIENT. */
export const CA = pem("ca");

/** For localhost and 127.0.0.1. */
export const SERVER = { cert: pem("server-cert"), key: pem("server-key") };

/** For `VHOST` only. */
export const VHOST_SERVER = { ...SERVER, cert: pem("vhost-cert") };
export const VHOST = "cloud.example";

export const CLIENT = { cert: pem("client-cert"), key: pem("client-key") };
/** CN in its certificate. */
export const CLIENT_NAME = "nova";
export const ENCRYPTED_CLIENT = { cert: CLIENT.cert, key: pem("client-key-encrypted"), passphrase: "pass: ä/phrase" };
