import type { Pem, TLSOptionName, TLSOptions } from "../../core/byte-stream.js";
import { toError } from "../../core/errors.js";
import { pemText } from "../../core/types/bytes.js";
import { ConfigurationError } from "../exceptions.js";
import { members, type OptionCheck } from "./option-checks.js";
import type { ResolvedOptions } from "./option-table.js";
import { boolean } from "./option-types.js";

/** The ssl_* options of a URL's query or a file; omitted ones are undefined. */
export type SslTexts = {
  readonly [K in Extract<keyof ResolvedOptions, `ssl${string}`>]?: ResolvedOptions[K] | undefined;
};

/** Reads a file. Errors of the runtime are thrown unchanged. */
export type ReadFile = (path: string) => string | Uint8Array;

export interface TlsSources {
  /** The scheme of the URL. */
  scheme: string;
  /** Options from text, which override `code`. */
  texts: SslTexts;
  /** Options given in code. */
  code: TLSOptions | undefined;
  /** Undefined: the runtime has no files. */
  readFile: ReadFile | undefined;
  /** TLS options that the runtime supports. Undefined: all of them. */
  supportedTlsOptions: readonly TLSOptionName[] | undefined;
}

/**
 * The TLS options of a transport; undefined disables TLS. TLS is enabled by the scheme, by `tls` in code and by ssl,
 * ssl_ca_file or ssl_cert_file, as in oslo (oslo_messaging/_drivers/amqp1_driver/controller.py:1055-1064).
 *
 * @throws ConfigurationError, naming the option, when options contradict each other, a certificate or its private key is
 *   missing, a file cannot be read or the runtime does not support an option.
 */
export function tlsOf({ scheme, texts, code, readFile, supportedTlsOptions }: TlsSources): TLSOptions | undefined {
  if (supportedTlsOptions !== undefined) checkSupported(supportedTlsOptions, texts, code);
  const tls = readTls(texts, readFile, code);
  const { ca, cert } = tls;
  if (tls.key !== undefined && cert === undefined) {
    throw new ConfigurationError(texts.sslKeyFile ? "ssl_key_file" : "tls.key", "requires a certificate");
  }
  const key = tls.key ?? (cert !== undefined && pemText(cert).includes("PRIVATE KEY-----") ? cert : undefined);
  if (cert !== undefined && key === undefined) {
    throw new ConfigurationError(texts.sslCertFile ? "ssl_cert_file" : "tls.cert", "requires its private key");
  }
  const byCode = code !== undefined && (texts.ssl !== false || ca !== undefined || cert !== undefined);
  return impliesTls(scheme, texts) || byCode ? { ...tls, key } : undefined;
}

/**
 * Whether the scheme or the texts enable TLS.
 *
 * @throws ConfigurationError when ssl=false contradicts the scheme.
 */
function impliesTls(scheme: string, { ssl, sslCaFile, sslCertFile }: SslTexts): boolean {
  const secure = scheme === "amqps" || scheme.endsWith("+wss");
  if (secure && ssl === false)
    throw new ConfigurationError("ssl", `false contradicts ${scheme}://, which requires TLS`);
  return secure || ssl === true || isGiven(sslCaFile) || isGiven(sslCertFile);
}

/** The options, with the contents of the named files. Options omitted in `texts` are taken from `code`. */
function readTls(texts: SslTexts, readFile: ReadFile | undefined, code: TLSOptions = {}): TLSOptions {
  const read = (key: string, path: string | undefined): Pem | undefined => {
    if (!isGiven(path)) return undefined;
    if (readFile === undefined) throw new ConfigurationError(key, `${path} cannot be read: this runtime has no files`);
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

/** Accepts PEM documents. The error never shows the content: it may be a key. */
const pem: OptionCheck = (key, value) => {
  if ((typeof value === "string" || ArrayBuffer.isView(value)) && isPem(value as Pem)) return value;
  throw new ConfigurationError(key, "must be a PEM document: its text, not a file name");
};

/** Checks `tls` of a transport's options. */
export const tlsOptions: OptionCheck = members<TLSOptions>({
  ca: (key, value) => (Array.isArray(value) ? value.map((item) => pem(key, item)) : pem(key, value)),
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

/**
 * Refuses options that the runtime does not support: a browser, for one, chooses its own authorities and client certificates.
 * Connecting without an option that was given would weaken security.
 *
 * @throws ConfigurationError naming the first such option.
 */
function checkSupported(supportedTlsOptions: readonly TLSOptionName[], texts: SslTexts, code: TLSOptions = {}): void {
  const given: readonly [string, TLSOptionName, unknown][] = [
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
  const [key] = given.find(([, name, value]) => value !== undefined && !supportedTlsOptions.includes(name)) ?? [];
  if (key === undefined) return;
  const supported = supportedTlsOptions.length === 0 ? "only tls: {} is" : `only ${supportedTlsOptions.join(", ")} are`;
  throw new ConfigurationError(key, `not supported by this runtime: ${supported}`);
}

function isGiven(path: string | undefined): path is string {
  return path !== undefined && path !== "";
}

function isPem(content: Pem): boolean {
  return pemText(content).includes("-----BEGIN ");
}
