import { isIP } from "node:net";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import type { Address, TLSOptions } from "../../core/byte-stream.js";
import { nodeAuthorities, nodeIdentity } from "./tls-pem.js";

/**
 * Options of Node's TLS for a connection to an address. If `ca` is omitted, the CAs that ship with Node are trusted.
 * Verification is always on; NODE_TLS_REJECT_UNAUTHORIZED is ignored.
 *
 * @throws Error when a certificate or key is invalid, or when they do not belong together.
 */
export function tlsClientOptions({ hostname, serverName = hostname, tls = {} }: Address): ConnectionOptions {
  return {
    // SNI does not allow IP addresses.
    servername: isIP(serverName) === 0 ? serverName : "",
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ca: tls.ca === undefined ? undefined : nodeAuthorities(tls.ca),
    ...identityOf(tls),
  };
}

/** As in Python, the certificate's document may contain the key. */
function identityOf({ cert, key = cert, passphrase }: TLSOptions): ConnectionOptions {
  if (cert !== undefined && key !== undefined) return nodeIdentity({ cert, key, passphrase });
  if (key === undefined) return {};
  throw new Error("the private key is given without its certificate");
}
