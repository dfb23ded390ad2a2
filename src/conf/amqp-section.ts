import type { TLSOptions } from "../core/byte-stream.js";
import { ConfigurationError } from "../driver/exceptions.js";
import { type AmqpOptions, type ResolvedOptions, ROWS } from "../driver/options/option-table.js";
import { parseOptions } from "../driver/options/options.js";
import { type ReadFile, type SslTexts, tlsOf } from "../driver/options/tls.js";
import type { TransportURL } from "../driver/options/transport-url.js";
import { AMQP, AMQP_FORMERLY } from "./known-options.js";
import type { OptionFile } from "./option-file.js";

/** The options of `[oslo_messaging_amqp]`. */
export interface AmqpSection {
  readonly amqp: AmqpOptions;
  readonly ssl: SslTexts;
  readonly wsPath: string | undefined;
}

/** @throws ConfigurationError naming group and key. */
export function amqpSection(file: OptionFile): AmqpSection {
  const overridden = new Set(file.keys(AMQP));
  const parsed = { ...optionsIn(AMQP_FORMERLY, file, overridden), ...optionsIn(AMQP, file) };
  const { wsPath, ssl, sslCaFile, sslCertFile, sslKeyFile, sslKeyPassword, sslVerifyVhost, ...amqp } = parsed;
  return { amqp, wsPath, ssl: { ssl, sslCaFile, sslCertFile, sslKeyFile, sslKeyPassword, sslVerifyVhost } };
}

/** Joins repeated values of `pre_settled`. Of other repeated options the last value is used. */
function optionsIn(
  group: string,
  file: OptionFile,
  ignored: ReadonlySet<string> = new Set(),
): Partial<ResolvedOptions> {
  const texts = ROWS.flatMap(([, { name }]) => {
    const values = ignored.has(name) ? [] : file.texts([group, name]);
    if (values.length === 0) return [];
    return [[name, name === "pre_settled" ? values.join(",") : (values.at(-1) ?? "")] as const];
  });
  return inGroup(group, () => parseOptions(Object.fromEntries(texts)));
}

/**
 * The TLS options of the file, overridden by the URL's query; undefined disables TLS. Without ssl_* options in the file the
 * result is undefined too: the transport reads the query itself.
 */
export function tlsFor(url: TransportURL, ssl: SslTexts, readFile: ReadFile | undefined): TLSOptions | undefined {
  const given = Object.entries(ssl).filter(([, value]) => value !== undefined);
  if (given.length === 0) return undefined;
  const names = new Set(ROWS.map(([, { name }]) => name).filter((name) => name.startsWith("ssl")));
  const query = parseOptions(Object.fromEntries(Object.entries(url.query).filter(([name]) => names.has(name))));
  const texts = { ...Object.fromEntries(given), ...query };
  return inGroup(AMQP, () =>
    tlsOf({ scheme: url.scheme, texts, code: undefined, readFile, supportedTlsOptions: undefined }),
  );
}

/** Adds the group to the key of a ConfigurationError. */
function inGroup<T>(group: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(`[${group}] ${error.key}`, error.message.slice(`${error.key}: `.length));
  }
}
