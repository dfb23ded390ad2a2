import { isIP } from "node:net";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import type { Address, TLSOptions } from "../../core/byte-stream.js";
import { nodeAuthorities, nodeIdentity } from "./tls-pem.js";

/**
 * What Node's TLS is to do at an address. Without `ca` those that Node comes with are trusted. Verification is on,
 * whatever the environment says (NODE_TLS_REJECT_UNAUTHORIZED).
 *
 * @throws Error for certificates and keys that are none, or do not belong together.
 */
export function tlsClientOptions({ hostname, serverName = hostname, tls = {} }: Address): ConnectionOptions {
  return {
    // TLS has no server names for IP addresses.
    servername: isIP(serverName) === 0 ? serverName : "",
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ca: tls.ca === undefined ? undefined : nodeAuthorities(tls.ca),
    ...identityOf(tls),
  };
}

/** As for Python, the key may be in the document of the certificate. */
function identityOf({ cert, key = cert, passphrase }: TLSOptions): ConnectionOptions {
  if (cert !== undefined && key !== undefined) return nodeIdentity({ cert, key, passphrase });
  if (key === undefined) return {};
  throw new Error("there is a private key, but no certificate that it belongs to");
}
