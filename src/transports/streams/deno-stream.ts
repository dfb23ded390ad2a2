import { authority } from "../../core/authority.js";
import type { Address, Pem, TLSOptions } from "../../core/byte-stream.js";
import { pemText } from "../../core/types/bytes.js";
import { usesTls } from "../scheme.js";
import { dialErrorText } from "../tls-error-text.js";
import { type ByteStream, streamDial } from "./stream.js";

const READ_BYTES = 65_536;

/** Dials TCP and TLS with Deno. The CAs of an address are trusted in addition to Deno's (DENO_TLS_CA_STORE). */
export const denoDial = streamDial({ supportedTlsOptions: ["ca", "cert", "key"], open, errorText: dialErrorText });

async function open(to: Address, signal: AbortSignal): Promise<ByteStream> {
  const { hostname, port } = to;
  const conn = await (usesTls(to) ? openTls(to) : Deno.connect({ hostname, port, signal }));
  return new DenoStream(conn, `${authority(conn.localAddr)} to ${authority(to)}`);
}

async function openTls({ hostname, port, tls = {} }: Address): Promise<DenoConn> {
  const conn = await Deno.connectTls({ hostname, port, ...denoOptions(tls) });
  try {
    await conn.handshake();
    return conn;
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** As in Python, the certificate's document may contain the key. */
function denoOptions({ ca, cert, key = cert }: TLSOptions): { caCerts?: string[]; cert?: string; key?: string } {
  return {
    ...(ca !== undefined && { caCerts: authorities(ca) }),
    ...(cert !== undefined && key !== undefined && { cert: pemText(cert), key: pemText(key) }),
  };
}

/**
 * The CAs for Deno, checked. Deno itself ignores a document without a certificate.
 *
 * @throws Error when one of the documents contains no certificate.
 */
function authorities(ca: Pem | readonly Pem[]): string[] {
  const texts = (typeof ca === "string" || ArrayBuffer.isView(ca) ? [ca] : ca).map(pemText);
  if (texts.every((text) => text.includes("-----BEGIN CERTIFICATE-----"))) return texts;
  throw new Error("the CA is not a certificate in PEM format");
}

class DenoStream implements ByteStream {
  readonly route: string;
  readonly #conn: DenoConn;
  #buffer = new Uint8Array(READ_BYTES);

  constructor(conn: DenoConn, route: string) {
    this.#conn = conn;
    this.route = route;
  }

  async read(): Promise<Uint8Array | undefined> {
    const buffer = this.#buffer;
    const length = await this.#conn.read(buffer);
    if (length === null) return undefined;
    // A short read is copied; for a long one a new buffer is cheaper.
    if (length < READ_BYTES / 4) return buffer.slice(0, length);
    this.#buffer = new Uint8Array(READ_BYTES);
    return buffer.subarray(0, length);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += await this.#conn.write(bytes.subarray(at));
  }

  async end(): Promise<void> {
    await this.#conn.closeWrite();
  }

  cut(): void {
    this.#conn.close();
  }
}
