import { readFile } from "node:fs/promises";
import type { TLSOptions } from "../../core/byte-stream.js";
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

/** The TLS options towards the target of a relay. */
export interface TargetTlsArguments {
  toTls?: boolean | undefined;
  toCa?: string | undefined;
  toCert?: string | undefined;
  toKey?: string | undefined;
  toName?: string | undefined;
}

/**
 * The TLS options of a client; undefined without `--to-tls`.
 *
 * @throws UsageError, naming the option, if one is missing, or if its file cannot be read or is invalid.
 */
export async function targetTlsOf(given: TargetTlsArguments): Promise<TLSOptions | undefined> {
  const { toTls, toCa, toCert, toKey, toName } = given;
  if (toTls === undefined) {
    const others = { "--to-ca": toCa, "--to-cert": toCert, "--to-key": toKey, "--to-name": toName };
    const other = Object.entries(others).find(([, value]) => value !== undefined);
    if (other !== undefined) throw new UsageError(`${other[0]} needs --to-tls`);
    return undefined;
  }
  const ca = toCa === undefined ? undefined : await pemOf("--to-ca", toCa);
  if (ca !== undefined) verify(`--to-ca ${toCa}`, () => nodeAuthorities(ca));
  if (toCert === undefined || toKey === undefined) {
    if (toCert !== undefined) throw new UsageError("--to-cert needs --to-key");
    if (toKey !== undefined) throw new UsageError("--to-key needs --to-cert");
    return { ca };
  }
  const identity = { cert: await pemOf("--to-cert", toCert), key: await pemOf("--to-key", toKey) };
  verify(`--to-cert ${toCert} --to-key ${toKey}`, () => nodeIdentity(identity));
  return { ca, ...identity };
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
