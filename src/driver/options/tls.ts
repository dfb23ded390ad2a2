import type { Pem, TLSOptionName, TLSOptions } from "../../core/byte-stream.js";
import { toError } from "../../core/errors.js";
import { pemText } from "../../core/types/bytes.js";
import { ConfigurationError } from "../exceptions.js";
import { members, type OptionCheck } from "./option-checks.js";
import type { ResolvedOptions } from "./option-table.js";
import { boolean } from "./option-types.js";

/** The ssl_* options of a URL's query or a file, as far as they are given. */
export type SslTexts = {
  readonly [K in Extract<keyof ResolvedOptions, `ssl${string}`>]?: ResolvedOptions[K] | undefined;
};

/** Throws what the runtime throws. */
export type ReadFile = (path: string) => string | Uint8Array;

export interface TlsSources {
  /** Of the URL. */
  scheme: string;
  /** Go before what the code gave. */
  texts: SslTexts;
  code: TLSOptions | undefined;
  /** Absent: there are no files. */
  readFile: ReadFile | undefined;
  /** What can be said about TLS besides that it is wanted. Absent: everything. */
  supportedTlsOptions: readonly TLSOptionName[] | undefined;
}

/**
 * What a transport says about TLS, undefined: there is none. It is asked for by the scheme, by `tls` in code and by ssl,
 * ssl_ca_file or ssl_cert_file, as in oslo (oslo_messaging/_drivers/amqp1_driver/controller.py:1055-1064).
 *
 * @throws ConfigurationError for what contradicts itself, cannot be read or cannot be honoured here, by name.
 */
export function tlsOf({ scheme, texts, code, readFile, supportedTlsOptions }: TlsSources): TLSOptions | undefined {
  if (supportedTlsOptions !== undefined) refuseDetails(supportedTlsOptions, texts, code);
  const tls = readTls(texts, readFile, code);
  const { ca, cert } = tls;
  if (tls.key !== undefined && cert === undefined) {
    throw new ConfigurationError(texts.sslKeyFile ? "ssl_key_file" : "tls.key", "is no use without a certificate");
  }
  const key = tls.key ?? (cert !== undefined && pemText(cert).includes("PRIVATE KEY-----") ? cert : undefined);
  if (cert !== undefined && key === undefined) {
    throw new ConfigurationError(texts.sslCertFile ? "ssl_cert_file" : "tls.cert", "is no use without its private key");
  }
  const byCode = code !== undefined && (texts.ssl !== false || ca !== undefined || cert !== undefined);
  return asksForTls(scheme, texts) || byCode ? { ...tls, key } : undefined;
}

/** @throws ConfigurationError when ssl=false contradicts the scheme. */
function asksForTls(scheme: string, { ssl, sslCaFile, sslCertFile }: SslTexts): boolean {
  const secure = scheme === "amqps" || scheme === "amqp+wss";
  if (secure && ssl === false) throw new ConfigurationError("ssl", `false contradicts ${scheme}://, which is TLS`);
  return secure || ssl === true || isGiven(sslCaFile) || isGiven(sslCertFile);
}

/** With the files' contents in the place of their names. What texts do not say is as `code` has it. */
function readTls(texts: SslTexts, readFile: ReadFile | undefined, code: TLSOptions = {}): TLSOptions {
  const read = (key: string, path: string | undefined): Pem | undefined => {
    if (!isGiven(path)) return undefined;
    if (readFile === undefined) throw new ConfigurationError(key, `there are no files here to read ${path} from`);
    return pemFile(key, path, readFile);
  };
  return {
    ca: read("ssl_ca_file", texts.sslCaFile) ?? code.ca,
    cert: read("ssl_cert_file", texts.sslCertFile) ?? code.cert,
    key: read("ssl_key_file", texts.sslKeyFile) ?? code.key,
    passphrase: texts.sslKeyPassword ?? code.passphrase,
    verifyVirtualHost: texts.sslVerifyVhost ?? code.verifyVirtualHost,
  };
}

/** PEM texts, never what is in them: it may be a key. */
const pem: OptionCheck = (key, value) => {
  if ((typeof value === "string" || value instanceof Uint8Array) && isPem(value)) return value;
  throw new ConfigurationError(key, "must be a PEM document: the text itself, not the name of a file");
};

/** `tls` of a transport's options. */
export const tlsOptions: OptionCheck = members<TLSOptions>({
  ca: (key, value) => (Array.isArray(value) ? value.map((one) => pem(key, one)) : pem(key, value)),
  cert: pem,
  key: pem,
  passphrase(key, value) {
    if (typeof value === "string") return value;
    throw new ConfigurationError(key, "must be a string");
  },
  verifyVirtualHost: boolean.check,
});

function pemFile(key: string, path: string, readFile: ReadFile): Pem {
  let content: Pem;
  try {
    content = readFile(path);
  } catch (error) {
    throw new ConfigurationError(key, `${path} cannot be read: ${toError(error).message}`);
  }
  if (isPem(content)) return content;
  throw new ConfigurationError(key, `${path} is not a PEM document`);
}

/** A browser decides alone whom it trusts and who it is: to go on without what was asked for would weaken security. */
function refuseDetails(supportedTlsOptions: readonly TLSOptionName[], texts: SslTexts, code: TLSOptions = {}): void {
  const details: readonly [string, TLSOptionName, unknown][] = [
    ["ssl_ca_file", "ca", texts.sslCaFile || undefined],
    ["ssl_cert_file", "cert", texts.sslCertFile || undefined],
    ["ssl_key_file", "key", texts.sslKeyFile || undefined],
    ["ssl_key_password", "passphrase", texts.sslKeyPassword],
    ["ssl_verify_vhost", "verifyVirtualHost", texts.sslVerifyVhost || undefined],
    ["tls.ca", "ca", code.ca],
    ["tls.cert", "cert", code.cert],
    ["tls.key", "key", code.key],
    ["tls.passphrase", "passphrase", code.passphrase],
    ["tls.verifyVirtualHost", "verifyVirtualHost", code.verifyVirtualHost || undefined],
  ];
  const [key] = details.find(([, detail, value]) => value !== undefined && !supportedTlsOptions.includes(detail)) ?? [];
  if (key === undefined) return;
  const rest =
    supportedTlsOptions.length === 0
      ? "that TLS is wanted"
      : `that TLS is wanted, and ${supportedTlsOptions.join(", ")}`;
  throw new ConfigurationError(key, `cannot be honoured here: all that can be said is ${rest}`);
}

function isGiven(path: string | undefined): path is string {
  return path !== undefined && path !== "";
}

function isPem(content: Pem): boolean {
  return pemText(content).includes("-----BEGIN ");
}
