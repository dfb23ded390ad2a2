import { readFile } from "node:fs/promises";
import { toError } from "../../core/errors.js";
import { nodeAuthorities, nodeIdentity, type TlsListenerOptions } from "../../transports/node/tls-pem.js";
import { UsageError } from "../exit-status.js";

/** The names of PEM files. */
export interface TlsArguments {
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
  tlsClientCa?: string | undefined;
}

/**
 * The TLS options of a listener; undefined if no TLS option is given.
 *
 * @throws UsageError, naming the option, if one is missing, or if its file cannot be read or is invalid.
 */
export async function tlsOf({ tlsCert, tlsKey, tlsClientCa }: TlsArguments): Promise<TlsListenerOptions | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) {
    if (tlsCert !== undefined) throw new UsageError("--tls-cert needs --tls-key");
    if (tlsKey !== undefined) throw new UsageError("--tls-key needs --tls-cert");
    if (tlsClientCa !== undefined) throw new UsageError("--tls-client-ca needs --tls-cert and --tls-key");
    return undefined;
  }
  const identity = { cert: await pemOf("--tls-cert", tlsCert), key: await pemOf("--tls-key", tlsKey) };
  verify(`--tls-cert ${tlsCert} --tls-key ${tlsKey}`, () => nodeIdentity(identity));
  if (tlsClientCa === undefined) return identity;
  const clientCa = await pemOf("--tls-client-ca", tlsClientCa);
  verify(`--tls-client-ca ${tlsClientCa}`, () => nodeAuthorities(clientCa));
  return { ...identity, clientCa };
}

async function pemOf(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`${option} ${file} cannot be read: ${toError(cause).message}`, { cause });
  }
}

function verify(options: string, parse: () => unknown): void {
  try {
    parse();
  } catch (cause) {
    throw new UsageError(`${options}: ${toError(cause).message}`, { cause });
  }
}
